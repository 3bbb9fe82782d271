"""The published default report comes out again from the data beside it, without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import rebuilt
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.inputs import published
from gnn_checkpointing.report.provenance import CODE, CRATE
from gnn_checkpointing.report.texts import TEMPLATES

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


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def different(one: Path, two: Path) -> list[str]:
    """The files of which two folders of the same names hold different bytes.

    Of a crate all but the code that it is of: other code may make the same report.
    """
    assert names(one) == names(two)
    crates = [json.loads((folder / CRATE).read_text())["@graph"] for folder in (one, two)]
    assert [e for e in crates[0] if e["@id"] != CODE] == [e for e in crates[1] if e["@id"] != CODE], ADVICE
    files = [name for name in names(one) if name != CRATE]
    return [name for name in files if (one / name).read_bytes() != (two / name).read_bytes()]


def test_both_faces_come_out_byte_for_byte_from_the_findings_beside_them(tmp_path: Path) -> None:
    frozen = rebuilt.published("default")
    options = ("--run", frozen, "--templates", TEMPLATES, "--output-folder", tmp_path)
    command = [sys.executable, "-c", WITHOUT_TORCH, "report", *map(str, options)]
    made = subprocess.run(command, capture_output=True, text=True, cwd=rebuilt.ROOT)
    assert made.returncode == 0, made.stderr
    assert different(frozen, tmp_path) == [], ADVICE


@pytest.mark.slow
def test_all_of_it_comes_out_byte_for_byte_from_the_measurements() -> None:
    assert different(rebuilt.published("default"), rebuilt.packed("default")) == [], ADVICE


def test_a_folder_that_is_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"no study\.json there; name the folder of a published report"):
        published(tmp_path)
