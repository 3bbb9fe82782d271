"""The published default report can be rebuilt from the data beside it, without torch and on any processor.

OpenBLAS has kernels for many processors, and numpy has loops; each sums in a different order. The tests select them by
name, as another machine would choose them. `OTHER_PYTHONS`, paths joined by `:`, names further interpreters that have
the packages of the analysis.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report import inputs
from gnn_checkpointing.report.provenance import CODE, CRATE
from gnn_checkpointing.report.texts import TEMPLATES
from lightly import LIGHTLY
from rebuilt import ROOT, packed, published

ADVICE = "`make republish` after a change to what is computed or said"
# A finder that knows no torch: scipy trips over an entry in sys.modules that is None.
FINDER = """
import sys
class WithoutTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torch_geometric"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, WithoutTorch())
"""
MAIN = """
import sys
from gnn_checkpointing.cli import main
sys.exit(main(sys.argv[1:]))
"""
WITHOUT_STATISTICS = """
from gnn_checkpointing.cli import main
found = main(sys.argv[1:])
sys.exit(found or " ".join({'torch', 'torch_geometric', 'statsmodels', 'pandas', 'snakemake'} & set(sys.modules)) or 0)
"""
WITHOUT_TORCH, LIGHTLY_WITHOUT_TORCH = FINDER + MAIN, FINDER + LIGHTLY + MAIN


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def different(one: Path, two: Path) -> list[str]:
    """Files that differ between two folders with the same file names.

    The digest of the code in a crate is ignored: other code may make the same report.
    """
    assert names(one) == names(two)
    crates = [json.loads((folder / CRATE).read_text())["@graph"] for folder in (one, two)]
    assert [e for e in crates[0] if e["@id"] != CODE] == [e for e in crates[1] if e["@id"] != CODE], ADVICE
    files = [name for name in names(one) if name != CRATE]
    return [name for name in files if (one / name).read_bytes() != (two / name).read_bytes()]


@pytest.mark.parametrize(
    ("study", "program", "expected"),
    [
        ("real", FINDER + WITHOUT_STATISTICS, published),
        pytest.param("default", LIGHTLY_WITHOUT_TORCH, packed, marks=pytest.mark.slow),
    ],
    ids=["real", "default"],
)
def test_both_faces_come_out_byte_for_byte_from_the_findings_beside_them_without_statistics(
    study: str, program: str, expected: Callable[[str], Path], tmp_path: Path
) -> None:
    """Where they are packed lightly, they are compared with a report of the same measurements packed like them."""
    options = ("--run", published(study), "--templates", TEMPLATES, "--output-folder", tmp_path)
    command = [sys.executable, "-c", program, "report", *map(str, options)]
    made = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert made.returncode == 0, made.stderr
    assert different(expected(study), tmp_path) == [], ADVICE


@pytest.mark.slow
def test_all_of_it_comes_out_byte_for_byte_from_the_measurements() -> None:
    assert different(published("default"), packed("default", as_published=True)) == [], ADVICE


def test_a_folder_that_is_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"no study\.json there; name the folder of a published report"):
        inputs.published(tmp_path)


KERNELS = """
import numpy, scipy.linalg, threadpoolctl
print(*{one["architecture"] for one in threadpoolctl.threadpool_info() if one["internal_api"] == "openblas"})
"""
# Kernel, threads, and features that numpy's loops may not use; any x86-64 processor supports these cases.
OWN = ("", 2, "")
MACHINES = [("Prescott", 1, "X86_V3 X86_V4 AVX512_ICL"), ("Nehalem", 2, "X86_V4 AVX512_ICL")]
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="kernels of x86-64 processors are named here")
PYTHONS = list(filter(None, os.environ.get("OTHER_PYTHONS", "").split(":")))


def output(python: str, machine: tuple[str, int, str], program: str, *arguments: str) -> str:
    kernel, threads, without = machine
    named = {"OPENBLAS_CORETYPE": kernel, "NPY_DISABLE_CPU_FEATURES": without, "PYTHONPATH": str(ROOT / "workflow")}
    named |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), str(threads))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "NPY_"))}
    made = subprocess.run(
        [python, "-c", program, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=kept | {name: value for name, value in named.items() if value},
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


@pytest.mark.slow
@on_x86
def test_the_kernels_are_different_ones() -> None:
    found = [output(sys.executable, machine, KERNELS).split() for machine in (*MACHINES, OWN)]
    assert all(len(kernels) == 1 for kernels in found), "numpy and scipy bring an OpenBLAS each"
    assert len({kernels[0] for kernels in found}) == len(MACHINES) + 1


@pytest.mark.slow
@on_x86
@pytest.mark.parametrize(
    ("python", "machine"), [*((sys.executable, machine) for machine in MACHINES), *((one, OWN) for one in PYTHONS)]
)
def test_the_report_is_the_same_on_every_processor_and_in_every_python(
    python: str, machine: tuple[str, int, str], tmp_path: Path
) -> None:
    """The expected report was made by another test, in this Python on this processor; neither is packed in full."""
    options = ("--frozen", published("default"), "--templates", TEMPLATES, "--output-folder", tmp_path)
    output(python, machine, LIGHTLY_WITHOUT_TORCH, "rebuild", *map(str, options))
    assert different(packed("default"), tmp_path) == []
