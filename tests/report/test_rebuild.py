"""The published default report comes out again, byte for byte, from the data beside it and without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.inputs import published

ROOT = Path(__file__).resolve().parents[2]


def test_a_published_report_is_made_again_from_its_data(tmp_path: Path) -> None:
    (frozen,) = ROOT.glob("report/*/default")
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['torch_geometric'] = None; "
        "from gnn_checkpointing.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [
        "rebuild",
        "--frozen",
        str(frozen),
        "--templates",
        str(ROOT / "templates"),
        "--output-folder",
        str(tmp_path),
    ]
    made = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    names = sorted(str(path.relative_to(frozen)) for path in frozen.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    different = [name for name in names if (frozen / name).read_bytes() != (tmp_path / name).read_bytes()]
    assert different == [], "`make republish` after a change to what is computed or said"


def test_a_folder_that_is_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"no study\.json there; name the folder of a published report"):
        published(tmp_path)
