"""Rules of the code base: layered imports, torch imported only where needed, and no unsafe calls."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_imports_keep_to_the_layers() -> None:
    found = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout


WITHOUT_TORCH = """
gnn_checkpointing.cli, gnn_checkpointing.study.design, gnn_checkpointing.measurement.supervise,
gnn_checkpointing.measurement.hardware, gnn_checkpointing.collecting.rows, gnn_checkpointing.collecting,
gnn_checkpointing.graphs.make, gnn_checkpointing.graphs.storage, gnn_checkpointing.analysis.analyse,
gnn_checkpointing.claims.judge, gnn_checkpointing.report.render, gnn_checkpointing.audit
"""


def test_all_but_measuring_and_training_works_without_torch() -> None:
    absent = "import sys; sys.modules |= dict.fromkeys(('torch', 'torch_geometric'))"
    code = f"{absent}; import {' '.join(WITHOUT_TORCH.split())}"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


# --- pickles, YAML with tags, shells, code from text, torch.load of all

PACKAGE = ROOT / "workflow/gnn_checkpointing"
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "os.system", "os.popen", "os.execv", "subprocess.getoutput", "yaml.load",
    "yaml.full_load", "yaml.unsafe_load", "yaml.load_all", "torch.jit.load", "np.save", "numpy.save",
}  # fmt: skip
UNPICKLING = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False)}
"""Calls that may unpickle: the keyword that each needs to forbid it, and the keyword's value."""


def complaints(source: str) -> Iterator[str]:
    """Forbidden calls and imports in a module's source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and [alias.name for alias in node.names] == ["UnpicklingError"]:
            continue  # raised by torch.load when it refuses to unpickle
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (f"line {node.lineno}: import of {name}" for name in names if _root(name) in FORBIDDEN_MODULES)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            keywords = {keyword.arg: keyword.value for keyword in node.keywords}
            if name in FORBIDDEN_CALLS:
                yield f"line {node.lineno}: {name}"
            if "shell" in keywords and ast.unparse(keywords["shell"]) != "False":
                yield f"line {node.lineno}: a shell"
            if name in UNPICKLING:
                keyword, value = UNPICKLING[name]
                if keyword not in keywords or ast.unparse(keywords[keyword]) != str(value):
                    yield f"line {node.lineno}: {name} without {keyword}={value}"


def _root(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_opens_no_door(path: Path) -> None:
    assert list(complaints(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from pickle import loads", "eval(text)", "os.system(text)",
        "subprocess.run(text, shell=True)",
        "yaml.load(text)", "torch.load(path)", "torch.load(path, weights_only=False)", "np.load(path)",
        "np.load(path, allow_pickle=True)",
    ],
)  # fmt: skip
def test_each_door_is_seen(source: str) -> None:
    assert list(complaints(source))


def test_no_test_signals_a_process_by_its_number() -> None:
    """A reused number would hit another process: use a handle of `waiting.own`. Test clusters mark their processes."""
    tests = Path(__file__).parent
    found = {
        path.relative_to(tests).as_posix()
        for path in tests.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("os.kill", "os.killpg")
    }
    assert found == {"cluster/slurm.py"}
