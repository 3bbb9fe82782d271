"""What a part of the pipeline depends on is what it imports, and what that does: neither more nor prose."""

import json
from pathlib import Path

import pytest

from gnn_checkpointing.measurement import fingerprint
from gnn_checkpointing.measurement.sources import Sources, of_this_package
from gnn_checkpointing.study.policy_names import POLICIES
from measurement.cells import said, small_study

PACKAGE = Path(fingerprint.__file__).parents[1]
FILES = {
    "__init__.py": "def library():\n    from gnn_checkpointing import unused\n",
    "start.py": "import os\nfrom gnn_checkpointing.rooms import one\nNAME = 'gnn_checkpointing.registry:drawn'\n",
    "rooms/__init__.py": "",
    "rooms/one.py": (
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from gnn_checkpointing import typed\n\n"
        "def call(value: int) -> int:\n    from gnn_checkpointing.late import later\n    return value + 1\n"
    ),
    "late.py": "later = 1\n",
    "registry.py": "def drawn(): raise ValueError('wrong')\n",
    "unused.py": "",
    "typed.py": "",
    "rooms/csrc/kernel.cpp": "int one() { return 1; }\n",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    root = tmp_path / "gnn_checkpointing"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def digests(root: Path) -> dict[str, str]:
    return Sources(root).of(["gnn_checkpointing.start"])


def test_what_is_imported_at_once_later_or_by_name_is_counted(package: Path) -> None:
    """And the kernels beside it; not what type checkers read, nor what the library imports for others."""
    assert set(digests(package)) == FILES.keys() - {"unused.py", "typed.py"}


PROSE = (
    ("late.py", '"""What it is."""\nlater = 1  # a comment\n"""What it says."""\n'),
    ("registry.py", "def drawn():\n    raise ValueError(\n        'other words'\n    )\n"),
    ("rooms/csrc/kernel.cpp", "// what it is\nint one() { return 1; /* one */ }  // one\n"),
    ("unused.py", "value = 1"),
    ("typed.py", "value = 1"),
)
CONTENT = (
    ("late.py", "later = 2\n"),
    ("registry.py", "def drawn(): raise TypeError('wrong')\n"),
    ("rooms/csrc/kernel.cpp", "int one() { return 2; }\n"),
    ("rooms/csrc/other.h", "#define OTHER\n"),
    ("rooms/one.py", "from gnn_checkpointing import typed\n"),
)


@pytest.mark.parametrize(("name", "text"), PROSE + CONTENT)
def test_another_content_is_another_digest_and_prose_is_no_change(package: Path, name: str, text: str) -> None:
    before = digests(package)
    (package / name).write_text(text)
    assert (digests(package) != before) is ((name, text) in CONTENT)


def test_what_was_read_is_kept_until_a_file_changes(package: Path) -> None:
    before = digests(package)
    (kept,) = package.glob("__pycache__/*.json")
    values = json.loads(kept.read_text())
    values["gnn_checkpointing.late"][2] = "remembered"
    kept.write_text(json.dumps(values))
    assert digests(package) == before | {"late.py": "remembered"}
    kept.write_text("{")
    assert digests(package) == before


def test_the_folder_of_a_package_that_is_a_module_now_is_passed_over(package: Path) -> None:
    """Git leaves it where compiled files lie in it."""
    before = digests(package)
    (package / "late/__pycache__").mkdir(parents=True)
    assert digests(package) == before


def test_files_that_come_or_go_beside_one_that_stays_are_seen(package: Path) -> None:
    """A name in a string is that of a package, whatever it has today; an import may become a package's."""
    (package / "start.py").write_text("import gnn_checkpointing.late\nPLACE = 'gnn_checkpointing.rooms'\n")
    before = digests(package)
    (package / "rooms/two.py").write_text("")
    assert set(digests(package)) == before.keys() | {"rooms/two.py"}
    (package / "rooms/two.py").unlink()
    (package / "late.py").unlink()
    (package / "late").mkdir()
    (package / "late/__init__.py").write_text("later = 1\n")
    assert set(digests(package)) == before.keys() - {"late.py"} | {"late/__init__.py"}


@pytest.mark.parametrize("part", fingerprint._ROOTS)
def test_every_root_is_there(part: str) -> None:
    for name in (*fingerprint._ROOTS[part], *fingerprint._APART):
        place = PACKAGE.joinpath(*name.split("."))
        assert place.is_dir() or place.with_suffix(".py").is_file(), name


MEASURING = """
from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement import supervise, worker
from gnn_checkpointing.measurement.cell import Bench
from gnn_checkpointing.measurement.high_water import HighWater
context = {"hardware": "here", "fingerprint": "f", "memory_limit_bytes": 2**40, "restarts": 0, "visit": 0}
context |= {"host": {"id": "i", "processor": "p", "cores": "1", "memory": "1 GiB", "accelerator": "none"}}
read = lambda cell, policies: dict.fromkeys(policies, HighWater(None, "none"))
Bench(study, load_graph(graph_file), worker.torch.device("cpu")).measure(cell, {}, print, read, context)
names = [name for name in sys.modules if name.startswith("gnn_checkpointing.")]
print(json.dumps([sys.modules[name].__file__ for name in names]))
"""


def test_every_file_that_a_measurement_runs_is_counted(tmp_path: Path) -> None:
    """Whatever the imports of the real policies come to; those that only start it or name the machine apart."""
    policies = ("none", *(name for name, row in POLICIES.items() if not (row.takes or row.compiled or row.retired)))
    *_, names = said(MEASURING, small_study(policies=tuple(dict.fromkeys(policies))), tmp_path)
    run = {Path(file).relative_to(PACKAGE).as_posix() for file in json.loads(names)}
    apart = {f"{name.replace('.', '/')}.py" for name in fingerprint._APART}
    counted = of_this_package().of(
        [f"gnn_checkpointing.{name}" for name in fingerprint._ROOTS["measuring"]],
        [f"gnn_checkpointing.{name}" for name in fingerprint._APART],
    )
    assert run - apart <= counted.keys()
    assert len(run) > 60
    kernels = {file.relative_to(PACKAGE).as_posix() for file in (PACKAGE / "checkpointing/kernels/csrc").iterdir()}
    assert kernels <= counted.keys()
