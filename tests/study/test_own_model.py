"""A study's own model by its name and files, without importing anything of it."""

from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.contents import Memory, with_contents
from gnn_checkpointing.study.design import graph_cells
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.own_model import module_files, own_name
from gnn_checkpointing.study.reading import parse_study
from gnn_checkpointing.study.study import Study
from synthetic.studies import small_values

GRID = {"family": "sbm", "num_nodes": [40], "average_degrees": [4], "num_features": 4, "num_classes": 2}


def values(graphs: dict[str, Any] | None = None, **architecture: Any) -> dict[str, Any]:
    graphs = {"generated": [GRID], **(graphs or {})}
    return small_values(graphs=graphs) | {"architecture": {"module": "mine.models:build", **architecture}}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own files, in the folder where commands run."""
    for name, text in {
        "mine/__init__.py": "",
        "mine/models.py": "from . import parts\nfrom .deep.er import more\nimport beside\ndef build(f, c): ...\n",
        "mine/parts.py": "def late():\n    import mine.late\n",
        "mine/late.py": "import gnn_checkpointing\n",
        "mine/deep/er.py": "from ..up import more\nfrom .least import one\n",
        "mine/deep/least.py": "one = 1\n",
        "mine/up.py": "more = 1\n",
        "mine/unused.py": "",
        "beside.py": "import json\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cells(study: Study) -> dict[str, str]:
    return {cell.convolution: cell.id for spec in study_graphs(study) for cell in graph_cells(study, spec)}


def read_here(**architecture: Any) -> dict[str, str]:
    return cells(with_contents(parse_study(values(**architecture), "study"), Memory(Path("kept.json"))))


@pytest.mark.usefixtures("package")
def test_its_files_are_all_that_it_imports_of_the_users_own() -> None:
    own = ("__init__", "deep/er", "deep/least", "late", "models", "parts", "up")
    assert list(module_files("mine.models:build")) == ["beside.py", *(f"mine/{name}.py" for name in own)]


def test_an_edit_of_any_of_its_files_makes_another_cell_of_it_alone(package: Path) -> None:
    sizes = {"convolutions": ["GCN"], "num_layers": 2, "hidden_channels": 8}
    first = read_here(**sizes)
    (package / "mine/up.py").write_text("more = 2\n")
    second = read_here(**sizes)
    assert first["models"] != second["models"]
    assert first["GCN"] == second["GCN"]
    (package / "mine/up.py").write_text("more = 1\n")
    assert read_here(**sizes) == first
    assert read_here(**sizes, norm="batch")["models"] == first["models"]
    alone = values(convolutions=["GCN"], num_layers=2, hidden_channels=8)
    del alone["architecture"]["module"]
    assert cells(parse_study(alone, "study"))["GCN"] == first["GCN"]


def test_a_study_that_is_written_down_is_read_again() -> None:
    """Elsewhere, where nobody has the module: its short name comes first, and is not among the convolutions written."""
    study = parse_study(values(convolutions=["GCN"], num_layers=2, hidden_channels=8), "study")
    assert study.architecture.convolutions == ("models", "GCN")
    written = study.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert written["architecture"]["convolutions"] == ["GCN"]
    assert parse_study(written, "study") == study


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("a.my_model:build", "my-model"),
        ("my_model:small", "my-model-small"),
        ("models.GCN:build", "gcn"),
        ("größe:build", "groe"),
        ("模型:build", "own-model"),
    ],
)
def test_its_short_name_is_a_slug_that_no_convolution_has(module: str, name: str) -> None:
    assert own_name(module) == name


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (values(module="models"), "key architecture.module: module models: write it as package.module:function"),
        (values(module="a-b:build"), "write it as package.module:function"),
        (values(module=None), "names neither convolutions nor module"),
        (
            values(convolutions=["gcn"], num_layers=1, hidden_channels=1),
            "unknown convolution 'gcn' .did you mean GCN.*; allowed: GCN",
        ),
        (values(aggregations=["spmm"]), "aggregations lacks gather_scatter"),
        (values(depths=[3]), "depths is for stacks"),
        (values(convolutions=["GCN"]), "num_layers is missing"),
        (values({"generated": [GRID | {"convolutions": ["mine"]}]}), "names mine, which architecture.convolutions"),
        (values() | {"practice": {"graphs": {"num_nodes": [40], "average_degrees": [4]}}}, "practice is about stacks"),
    ],
)
def test_what_a_study_may_not_say_of_it(given: dict[str, Any], sentence: str) -> None:
    if given["architecture"]["module"] is None:
        given["architecture"] = {"convolutions": [], "num_layers": 1, "hidden_channels": 1}
    with pytest.raises(Refusal, match=sentence.replace("(", r"\(")):
        parse_study(given, "study")
