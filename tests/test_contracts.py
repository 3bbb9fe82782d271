"""The house's own rules: imports go down only, and what need not wait for torch does not."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_imports_keep_to_the_layers() -> None:
    found = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    "modules",
    [
        "gnn_checkpointing.cli, gnn_checkpointing.study.design, gnn_checkpointing.measurement.supervise",
        "gnn_checkpointing.collecting.rows, gnn_checkpointing.collecting.collect",
        "gnn_checkpointing.measurement.hardware",
        "gnn_checkpointing.analysis.analyse, gnn_checkpointing.claims.judge, gnn_checkpointing.report.render",
        "gnn_checkpointing.audit.rubric",
        "gnn_checkpointing.graphs.make, gnn_checkpointing.graphs.storage",
    ],
)
def test_all_but_measuring_and_training_works_without_torch(modules: str) -> None:
    code = f"import sys; sys.modules['torch'] = None; sys.modules['torch_geometric'] = None; import {modules}"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
