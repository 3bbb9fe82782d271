"""Measured by hand as the documentation says, where there is little more than torch and PyG; analysed elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LACKING = ("snakemake", "statsmodels", "pandas", "scipy", "matplotlib", "typst", "PIL", "pymetis", "safetensors", "ogb")
"""What is installed here and need not be where measuring is done; PyG itself brings jinja2, torch networkx."""

# In every Python that is started; a finder that finds nothing leaves libraries that only ask to go without.
WITHOUT = f"""
import sys
class Without:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        lacking = name.partition(".")[0] in {LACKING!r}
        return None if lacking else self.finder.find_spec(name, path, target)
sys.meta_path[:] = map(Without, sys.meta_path)
"""
STUDY = """
name: by-hand
title: By hand
seed: 7
graphs:
  generated:
    - {family: sbm, num_nodes: [60], average_degrees: [4, 8]}
architecture: {convolutions: [GCN], num_layers: 2, hidden_channels: 8}
policies: [none, layers]
measurement: {device: cpu, processes: 1, rounds: {at_least: 3, at_most: 3}, fake_tensor_reading: false}
"""


def commands(marker: str) -> str:
    """The block of the page on new hardware that follows a line with `marker`."""
    page = (ROOT / "docs/how-to/new-hardware.md").read_text()
    return page.split(marker, 1)[1].split("```text\n", 1)[1].split("```", 1)[0]


def run(script: str, folder: Path, path: str) -> None:
    binaries = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": path,
        "GNN_CHECKPOINTING_LOCK": str(folder / ".lock"),
    }
    made = subprocess.run(
        ["sh", "-euc", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    assert made.returncode == 0, made.stderr[-4000:]


def test_the_commands_of_the_page_measure_with_torch_and_pyg_and_are_analysed_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text(WITHOUT)
    (tmp_path / "study.yaml").write_text(STUDY)
    workflow = str(ROOT / "workflow")
    there = commands("On the machine that measures")
    assert "S=workflow/studies/smoke.yaml" in there
    there = there.replace("S=workflow/studies/smoke.yaml", "S=study.yaml")
    there = "\n".join(line for line in there.splitlines() if "pip install" not in line and "export" not in line)
    run(f"{there}\n! python -c 'import scipy'", tmp_path, f"{tmp_path}/without{os.pathsep}{workflow}")
    here = commands("Elsewhere")
    assert "make report-from FROZEN=$R/frozen" in here
    here = here.replace("S=workflow/studies/smoke.yaml", "S=study.yaml").split("make report-from")[0]
    rebuild = f"python -m gnn_checkpointing rebuild --templates {ROOT}/templates --output-folder report --frozen"
    run(f"{here}\n{rebuild} $R/frozen", tmp_path, workflow)
    assert (tmp_path / "report" / "report.html").stat().st_size > 50_000
    assert "as four instruments report it" in (tmp_path / "report" / "appendix.html").read_text()
