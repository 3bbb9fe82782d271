"""The default report comes out the same, byte for byte, whatever processor computes it and with how many threads.

OpenBLAS has kernels for many processors, and numpy loops; each adds up in another order. Here they are named by hand,
as another machine would choose them. `OTHER_PYTHONS`, paths joined by `:`, names further interpreters that have the
packages of the analysis.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from rebuilt import ROOT, packed, published
from report.test_rebuild import TEMPLATES, WITHOUT_TORCH, different

KERNELS = """
import numpy, scipy.linalg, threadpoolctl
print(*{one["architecture"] for one in threadpoolctl.threadpool_info() if one["internal_api"] == "openblas"})
"""
# Kernel, threads, and what numpy's own loops may not use; any x86-64 processor can do them.
OWN = ("", 2, "")
MACHINES = [("Prescott", 1, "X86_V3 X86_V4 AVX512_ICL"), ("Nehalem", 2, "X86_V4 AVX512_ICL")]
PYTHONS = list(filter(None, os.environ.get("OTHER_PYTHONS", "").split(":")))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="kernels of x86-64 processors are named here"),
]


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


def test_the_kernels_are_different_ones() -> None:
    found = [output(sys.executable, machine, KERNELS).split() for machine in (*MACHINES, OWN)]
    assert all(len(kernels) == 1 for kernels in found), "numpy and scipy bring an OpenBLAS each"
    assert len({kernels[0] for kernels in found}) == len(MACHINES) + 1


@pytest.mark.parametrize(
    ("python", "machine"), [*((sys.executable, machine) for machine in MACHINES), *((one, OWN) for one in PYTHONS)]
)
def test_the_report_is_the_same_on_every_processor_and_in_every_python(
    python: str, machine: tuple[str, int, str], tmp_path: Path
) -> None:
    """As in this Python on this processor, where another test made it."""
    options = ("--frozen", published("default"), "--templates", TEMPLATES, "--output-folder", tmp_path)
    output(python, machine, WITHOUT_TORCH, "rebuild", *map(str, options))
    assert different(packed("default"), tmp_path) == []
