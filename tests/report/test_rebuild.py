"""The published default report comes out again from the data beside it, without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.inputs import published

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
ADVICE = "`make republish` after a change to what is computed or said"
# A finder that knows no torch: scipy trips over an entry in sys.modules that is None.
WITHOUT_TORCH = """
import sys
class WithoutTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torch_geometric"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, WithoutTorch())
from gnn_checkpointing.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def frozen() -> Path:
    (folder,) = ROOT.glob("report/*/default")
    return folder


def run(*arguments: object) -> None:
    made = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT
    )
    assert made.returncode == 0, made.stderr


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def same(one: Any, two: Any) -> bool:
    """Whether two JSON values are the same up to the last digits: another processor adds up in another order."""
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(same(*pair) for pair in zip(one, two, strict=True))
    if isinstance(one, float) or isinstance(two, float):
        return bool(one == pytest.approx(two, rel=1e-6, abs=1e-9))
    return bool(one == two)


def test_both_faces_come_out_byte_for_byte_from_the_findings_beside_them(frozen: Path, tmp_path: Path) -> None:
    files = published(frozen) | {
        "claims": frozen / "claims.json",
        "audit": frozen / "audit.json",
        "planner_file": frozen / "planner.json",
    }
    options = {name.replace("_", "-"): path for name, path in files.items()} | {
        "analysis": frozen / "analysis",
        "templates": TEMPLATES,
        "output-folder": tmp_path,
    }
    run("report", *(part for name, path in options.items() for part in (f"--{name}", path)))
    assert names(tmp_path) == names(frozen)
    files = [name for name in names(frozen) if name != "manifest.json"]
    different = [name for name in files if (frozen / name).read_bytes() != (tmp_path / name).read_bytes()]
    assert different == [], ADVICE
    # A manifest also says which code it is of, and that may be another that makes the same.
    one, other = (json.loads((folder / "manifest.json").read_text())["files"] for folder in (frozen, tmp_path))
    assert one == other


def test_analysis_claims_and_audit_come_out_again_from_the_measurements(frozen: Path, tmp_path: Path) -> None:
    run("rebuild", "--frozen", frozen, "--templates", TEMPLATES, "--output-folder", tmp_path)
    assert names(tmp_path) == names(frozen)
    # The manifest's checksums know no last digits.
    findings = [name for name in names(frozen) if name.endswith(".json") and name != "manifest.json"]
    different = [
        name
        for name in findings
        if not same(json.loads((frozen / name).read_text()), json.loads((tmp_path / name).read_text()))
    ]
    assert different == [], ADVICE


def test_a_folder_that_is_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"no study\.json there; name the folder of a published report"):
        published(tmp_path)
