"""The wheel in a new environment that has torch and PyG alone: the library works, and commands name what they lack."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
NOT_OF_THE_LIBRARY = ("pydantic", "yaml", "statsmodels", "snakemake", "scipy", "matplotlib", "pandas")

USE = """
import sys, torch
from torch_geometric.nn import GAT
before = set(sys.modules)
{readme}
from gnn_checkpointing import edge_blocks
x, edge_index = torch.randn(100, 16), torch.randint(0, 100, (2, 2000))
batch = {{"x": x, "edge_index": edge_index}}
for policy in {policies}:
    model = apply(GAT(16, 32, num_layers=2, out_channels=4, heads=2), policy, verify=batch)
    model(x, edge_index).sum().backward()
    print(*[row.policy for row in explain(model).layers])
    remove(model)
print(*sorted({{name.partition(".")[0] for name in set(sys.modules) - before}}))
"""


def run(*command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=inherited | environment, cwd="/"
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, because setuptools leaves its own folders beside the source."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "workflow", source / "workflow", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    build = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    found = run(*build, "--wheel-dir", built, source)
    assert found.returncode == 0, found.stderr
    (made,) = built.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel, torch and PyG, these two and what they need as links."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    link(needed_by("torch", "torch-geometric"), packages)
    made = folder / "bin/python"
    # With --no-index pip refuses to install a wheel that needs more than what is there.
    found = run(sys.executable, "-m", "pip", "--python", made, "install", "--quiet", "--no-index", wheel)
    assert found.returncode == 0, found.stderr
    return made


def needed_by(*names: str) -> set[str]:
    """The distributions named and all that they need without extras."""
    found, waiting = set(), list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        found.add(name)
        for line in importlib.metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def link(names: set[str], packages: Path) -> None:
    for name in names:
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(distribution.locate_file(top))))


def readme_lines() -> str:
    section = (ROOT / "README.md").read_text().partition("## Use it in your model")[2]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0]


def test_the_wheel_brings_the_sources_of_kernels_the_types_and_no_folder_but_its_own(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    sources = {path.name for path in ROOT.glob("workflow/gnn_checkpointing/checkpointing/kernels/csrc/*")}
    assert {Path(name).name for name in names if "/csrc/" in name} == sources
    assert "gnn_checkpointing/py.typed" in names
    assert {name.partition("/")[0] for name in names} == {"gnn_checkpointing", f"gnn_checkpointing-{VERSION}.dist-info"}


def test_the_wheel_asks_for_torch_and_pyg_alone(wheel: Path) -> None:
    (metadata,) = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("METADATA")]
    lines = zipfile.ZipFile(wheel).read(metadata).decode().splitlines()
    needed = {line.split()[1] for line in lines if line.startswith("Requires-Dist") and "extra ==" not in line}
    assert needed == {"torch>=2.13", "torch-geometric>=2.8"}


def test_the_readmes_lines_and_every_function_run_with_torch_and_pyg_alone(python: Path, tmp_path: Path) -> None:
    policies = ["auto", "edge_blocks(500)", "layers"]
    if any(map(shutil.which, [os.environ.get("CXX", "g++"), "clang++"])):
        policies.append("fused_edge_blocks")
    script = tmp_path / "use.py"
    script.write_text(USE.format(readme=readme_lines(), policies=policies))
    found = run(python, script, TORCH_EXTENSIONS_DIR=str(tmp_path / "kernels"))
    assert found.returncode == 0, found.stderr
    *computed_by, imported = found.stdout.splitlines()[-len(policies) - 1 :]
    # On so small a graph `auto` leaves the layers alone.
    expected = ["none", "edge_blocks", "layers", "fused_edge_blocks"]
    assert [line.split()[0] for line in computed_by] == expected[: len(policies)]
    assert not set(imported.split()) & set(NOT_OF_THE_LIBRARY)


def test_no_package_of_the_pipeline_is_there(python: Path) -> None:
    """Else the test above would find whatever the library imports by mistake."""
    for name in (*NOT_OF_THE_LIBRARY, "safetensors", "pymetis"):
        assert run(python, "-c", f"import {name}").returncode == 1


def test_a_command_that_lacks_the_extra_names_it_in_one_sentence(python: Path) -> None:
    found = run(python, "-m", "gnn_checkpointing", "design", "--study", ROOT / "config.yaml")
    assert found.returncode == 2
    assert len(found.stderr.splitlines()) == 1
    assert found.stderr.startswith("error: design needs ")
    assert "pip install '.[report]' in a clone" in found.stderr


def test_help_and_version_need_no_extra(python: Path) -> None:
    assert run(python, "-m", "gnn_checkpointing", "--help").returncode == 0
    assert run(python, "-m", "gnn_checkpointing", "--version").stdout.strip() == VERSION
