"""Studies made to do harm, and hundreds made by chance: each is a plan or one sentence, and nothing else happens."""

from __future__ import annotations

import copy
import string
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st

from faults.drawn import as_often_as_asked
from gnn_checkpointing.cli import main
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_design import study_graphs
from gnn_checkpointing.study.reading import parse_study
from gnn_checkpointing.study.yaml_files import read_yaml

ROOT = Path(__file__).resolve().parents[2]
DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
VISION: dict[str, Any] = yaml.safe_load((ROOT / "workflow/studies/vision.yaml").read_text())
REAL: dict[str, Any] = yaml.safe_load((ROOT / "workflow/studies/own.yaml").read_text())
GRID = ("graphs", "generated", 0)


def planned(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Return exit code, output and complaint of `design` for a study file of that text."""
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    code = main(["design", "--study", str(path)])
    told = capsys.readouterr()
    return code, told.out, told.err


def with_line(line: str) -> str:
    """Return the default study with one line instead of its title's."""
    lines = (ROOT / "config.yaml").read_text().splitlines()
    return "\n".join(line if one.startswith("title:") else one for one in lines)


BOMB = "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)
])  # fmt: skip
MERGED = "\n".join(["a0: &a0 {k: 1}"] + [
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 10)
])  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{BOMB}\n{with_line('title: *a9')}", "more than 100000 values once its aliases are followed"),
        (with_line("title: &a [*a]"), "nested deeper than the 40 levels"),
        (with_line("title: " + "[" * 3000), "study.yaml: n"),
        (with_line("title: !!python/object/apply:os.system ['touch hacked']"), "could not determine a constructor"),
        (with_line("title: !!python/name:os.system"), "could not determine a constructor"),
        (with_line("title: 2026-13-45"), "not readable as YAML"),
        (with_line("title: !!bool abc"), "a value is not what its !!tag says"),
        (with_line("title: !!timestamp abc"), "a value is not what its !!tag says"),
        (f"{MERGED}\n{with_line('title: x')}", "more than 100000 values once << is followed"),
        (with_line("hardware: &a {<<: *a}"), "nested deeper"),
        (with_line("title: x\ndata_root: ''"), "an empty path"),
        (with_line(f"title: {'9' * 5000}"), "not readable as YAML"),
        (with_line(f"title: 0x{'f' * 5000}"), "title"),
        (with_line("title: x\nname: ../../../etc/passwd"), "name"),
        (with_line("title: x\nname: $(touch hacked)"), "name"),
        (with_line("title: x\nname: 'a; touch hacked'"), "name"),
        (with_line("title: x\nhardware: {slug: '../..'}"), "slug"),
        (with_line("title: x\nhardware: {slug: '-rf'}"), "slug"),
        ("title: [", "not readable as YAML"),
        ("\x00", "not readable as YAML"),
        ("", "a study file is a mapping"),
        ("- x", "a study file is a mapping"),
        (" " * 1_100_000, "allowed are 1000000"),
    ],
)
def test_studies_made_to_do_harm(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output, complaint = planned(text, tmp_path, capsys)
    assert code == 2
    assert output == ""
    assert complaint.startswith("error: ")
    assert len(complaint.splitlines()) == 1
    assert words in complaint
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


@pytest.mark.parametrize("name", ["../../escape", "a/b", "$(touch hacked)", "x; touch hacked", "<script>", "a\nb"])
def test_real_graphs_with_names_that_lead_elsewhere(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = copy.deepcopy(REAL)
    values["graphs"]["real"][0]["name"] = name
    code, output, complaint = planned(yaml.safe_dump(values), tmp_path, capsys)
    assert (code, output) == (2, "")
    assert "graphs.real.0.name" in complaint


OWN = ("graphs", "real", 0, "graded")


@pytest.mark.parametrize(
    ("study", "key", "value", "words"),
    [
        (DEFAULT, ("architecture", "convolutions"), ["GCN", "GCN"], "convolutions has GCN twice"),
        (DEFAULT, ("policies",), ["none", "layers", "layers"], "policies has layers twice"),
        (DEFAULT, ("policies",), ["none", "memory_budget(0.5)", "memory_budget(0.50)"], "are one policy"),
        (DEFAULT, ("policies",), ["none", f"edge_blocks({'9' * 400})"], "unknown policy 'edge_blocks(999"),
        (DEFAULT, ("measurement", "allocators"), ["retaining"] * 2, "allocators has retaining twice"),
        (DEFAULT, (*GRID, "average_degrees"), [4, 4.0000001], "4.0 and 4.0000001, one number to six digits"),
        (DEFAULT, (*GRID, "average_degrees"), [4, 4.001], "4.0 and 4.001 give 400 nodes equally many edges"),
        (REAL, OWN, {"thinned": [2, 2.0000001]}, "thinned has 2.0 and 2.0000001"),
        (REAL, OWN, {"capped": [5, 5]}, "capped has 5 twice"),
        (DEFAULT, ("training", "graphs"), {"num_nodes": [801]}, "training.graphs.num_nodes names 801"),
        (DEFAULT, ("training", "graphs"), {"average_degrees": [17]}, "names 17.0, which no graph has; allowed: 4, 8,"),
        (REAL, ("training", "graphs", "real"), ["my-grph"], "training.graphs.real names my-grph"),
        (DEFAULT, ("analysis", "resamples"), 10**12, "analysis.resamples"),
        (DEFAULT, ("analysis", "confidence"), 0.999999, "confidence 0.999999 needs at least 10000000 resamples"),
        (REAL, ("data_root",), "a\0b", "a path cannot hold a NUL"),
        (REAL, ("data_root",), 123, "put ./ before the name"),
    ],
)
def test_two_things_with_one_name_and_names_of_nothing(
    study: Any, key: tuple[Any, ...], value: Any, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, output, complaint = planned(yaml.safe_dump(changed(study, key, value)), tmp_path, capsys)
    assert (code, output) == (2, "")
    assert words in complaint


def numbers(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The key of every number of a whole study."""
    return [path for path in places(node, here) if type(at(node, path)) in (int, float)]


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        node = node[key]
    return node


def changed(study: Any, key: tuple[Any, ...], value: Any) -> Any:
    """The study with another value at a key, which may be new."""
    made = copy.deepcopy(study)
    node = made
    for part in key[:-1]:
        node = node.setdefault(part, {}) if isinstance(node, dict) else node[part]
    node[key[-1]] = value
    return made


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 10**30, 10**400, -(10**30)])
def test_no_number_key_takes_infinities_or_huge_integers(value: float) -> None:
    """Every number of a whole study, defaults included."""
    whole = parse_study(DEFAULT, "default").model_dump(mode="json", by_alias=True)
    for key in [*numbers(whole), ("measurement", "memory_limit_gib"), ("graphs", "num_features")]:
        with pytest.raises(Refusal, match=".".join(map(str, key[:2]))):
            parse_study(changed(whole, key, value), "study.yaml")


@pytest.mark.parametrize("text", ["seed: 1\ntitle: a\nseed: 2", "{seed: 1, seed: 2}", '{"seed": 1, "seed": 1}'])
def test_a_key_that_is_given_twice(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, complaint = planned(text, tmp_path, capsys)
    assert code == 2
    assert "key seed is on line 1 and again on line" in complaint


def test_a_large_level_has_a_name_without_a_sign() -> None:
    """1e+06 would be no name of a file, and 1000001 the same one."""
    graphs = study_graphs(parse_study(changed(REAL, OWN, {"capped": [1000000, 1000001]}), "study"))
    assert [graph.id.rsplit("-", 1)[1] for graph in graphs[1:]] == ["1000000", "1000001"]


def test_more_graphs_than_anyone_could_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = copy.deepcopy(DEFAULT)
    values["graphs"]["generated"][0]["replicates"] = 10**9
    assert "graphs in one grid; allowed are 100000" in planned(yaml.safe_dump(values), tmp_path, capsys)[2]


anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
        st.sampled_from([0, -1, 1, 2, 3, 64, 10**9, 10**30, 0.5, 1e-300, 1e300, "none", "layers", "GCN", "sbm", "cpu"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(string.ascii_lowercase + "_", max_size=12), inner, max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip


def places(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a study."""
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [here, *(place for key, value in below for place in places(value, (*here, key)))]


@st.composite
def studies(draw: st.DrawFn) -> Any:
    """Draw a study that is good but for one to three values, which may be good as well."""
    study = copy.deepcopy(draw(st.sampled_from([DEFAULT, VISION, REAL])))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(places(study)[1:]))
        node = study
        for key in path:
            node = node[key]
        if isinstance(node, dict) and draw(st.booleans()) and draw(st.booleans()):
            node.pop(last)
            return study
        node[last] = draw(st.one_of(anything, st.just(node[last])))
        if not isinstance(study, dict) or not places(study)[1:]:
            break
    return study


@as_often_as_asked
@given(study=studies())
def test_any_study_is_a_plan_or_one_sentence(study: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, output, complaint = planned(yaml.safe_dump(study, allow_unicode=True), tmp_path, capsys)
    event("a plan" if code == 0 else "refused")
    if code == 0:
        header, *cells = output.splitlines()
        assert header.startswith("cell\tgraph")
        assert cells
        ids = [cell.split("\t")[0] for cell in cells]
        visits = [cell.split("\t")[-1] for cell in cells]
        assert len(set(zip(ids, visits, strict=True))) == len(ids)
        assert all(not set(one) - set(string.ascii_letters + string.digits + "-._") for one in ids)
        assert complaint == ""
    else:
        assert code == 2
        assert output == ""
        assert complaint.startswith("error: ")
        assert len(complaint.splitlines()) == 1


@as_often_as_asked
@given(st.from_regex(r"[-+]?0[0-7_]{1,6}|[-+]?[1-9][0-9]{0,2}(:[0-5]?[0-9]){1,3}(\.[0-9]{1,2})?", fullmatch=True))
def test_a_number_that_versions_of_yaml_read_differently_is_refused(text: str) -> None:
    if isinstance(yaml.safe_load(f"seed: {text}")["seed"], str):
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "study.yaml"
        path.write_text(f"seed: {text}\n")
        with pytest.raises(Refusal, match="is one number in YAML"):
            read_yaml(path)


@as_often_as_asked
@given(st.sampled_from(numbers(DEFAULT)), st.booleans())
def test_a_switch_is_no_number(path: tuple[Any, ...], switch: bool) -> None:
    values = copy.deepcopy(DEFAULT)
    at(values, path[:-1])[path[-1]] = switch
    with pytest.raises(Refusal, match="is no switch; write a number"):
        parse_study(values, "study.yaml")


NEIGHBOURS: dict[str, Any] = {"sampler": "neighbours", "fan_outs": [5]}
CLUSTERS: dict[str, Any] = {"sampler": "clusters", "parts": [4]}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("batches", [NEIGHBOURS, NEIGHBOURS | {"draws": 2}], "two entries of batches have batches of neighbours"),
        ("batches", [CLUSTERS, {"sampler": "clusters", "parts": [2, 4]}], "two entries of batches have batches of clu"),
        ("batches", [NEIGHBOURS | {"draws": 10**9}], "graphs, batches among them; at most 100000"),
        ("training", {"num_nodes": [800]}, "training.graphs.num_nodes has 800, which no graph has together"),
        ("training", {"average_degrees": [16]}, "training.graphs.average_degrees has 16, which no graph has together"),
        ("practice", {"average_degrees": [16]}, "practice.graphs names no graph"),
    ],
)
def test_what_would_be_dropped_or_never_end_is_refused(key: str, value: Any, words: str) -> None:
    values = copy.deepcopy(DEFAULT)
    place = values["graphs"] if key == "batches" else values[key]
    place["batches" if key == "batches" else "graphs"] = value
    with pytest.raises(Refusal, match=words):
        parse_study(values, "study.yaml")


def test_sizes_of_two_grids_do_not_go_together() -> None:
    values = copy.deepcopy(DEFAULT)
    grid = values["graphs"]["generated"][0]
    values["graphs"]["generated"] = [
        grid | {"num_nodes": [800], "average_degrees": [4]},
        grid | {"num_nodes": [1600], "average_degrees": [16]},
    ]
    values["practice"]["graphs"] = {"num_nodes": [800], "average_degrees": [4]}
    with pytest.raises(Refusal, match="num_nodes has 800, which no graph has together"):
        parse_study(values, "study.yaml")
    values["training"]["graphs"] = {"num_nodes": [800, 1600], "average_degrees": [4, 16]}
    parse_study(values, "study.yaml")


def test_batches_of_other_seed_nodes_are_others() -> None:
    def count(*batches: dict[str, Any]) -> int:
        values = copy.deepcopy(DEFAULT)
        values["graphs"]["batches"] = list(batches)
        return len(study_graphs(parse_study(values, "study.yaml")))

    assert count(NEIGHBOURS, NEIGHBOURS | {"seed_nodes": 20}) - count() == 2 * (count(NEIGHBOURS) - count()) > 0
