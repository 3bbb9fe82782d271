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

from report.test_rebuild import ROOT, TEMPLATES, WITHOUT_TORCH, different

KERNELS = """
import numpy, scipy.linalg, threadpoolctl
print(*{one["architecture"] for one in threadpoolctl.threadpool_info() if one["internal_api"] == "openblas"})
"""
# Kernel, threads, and what numpy's own loops may not use; any x86-64 processor can do them, and the last is its own.
MACHINES = [
    ("Prescott", 1, "X86_V3 X86_V4 AVX512_ICL"),
    ("Nehalem", 2, "X86_V4 AVX512_ICL"),
    ("", 2, ""),
]
PYTHONS = [sys.executable, *filter(None, os.environ.get("OTHER_PYTHONS", "").split(":"))]


def environment(kernel: str, threads: int, without: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "NPY_"))}
    named = {"OPENBLAS_CORETYPE": kernel, "NPY_DISABLE_CPU_FEATURES": without}
    count = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), str(threads))
    return kept | {name: value for name, value in named.items() if value} | count


def output(python: str, machine: tuple[str, int, str], program: str, *arguments: str) -> str:
    made = subprocess.run(
        [python, "-c", program, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(*machine) | {"PYTHONPATH": str(ROOT / "workflow")},
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


@pytest.fixture(scope="module")
def frozen() -> str:
    (folder,) = ROOT.glob("report/*/default")
    return str(folder)


@pytest.fixture(scope="module")
def first(frozen: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rebuilt(sys.executable, MACHINES[0], frozen, tmp_path_factory.mktemp("first"))


def rebuilt(python: str, machine: tuple[str, int, str], frozen: str, folder: Path) -> Path:
    options = ("--frozen", frozen, "--templates", str(TEMPLATES), "--output-folder", str(folder))
    output(python, machine, WITHOUT_TORCH, "rebuild", *options)
    return folder


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="kernels of x86-64 processors are named here"),
]


def test_the_kernels_are_different_ones() -> None:
    found = [output(sys.executable, machine, KERNELS).split() for machine in MACHINES]
    assert all(len(kernels) == 1 for kernels in found), "numpy and scipy bring an OpenBLAS each"
    assert len({kernels[0] for kernels in found}) == len(MACHINES)


@pytest.mark.parametrize("machine", MACHINES[1:], ids=lambda machine: f"{machine[0] or 'own'}, {machine[1]}")
def test_the_report_is_the_same_on_every_processor(
    machine: tuple[str, int, str], frozen: str, first: Path, tmp_path: Path
) -> None:
    assert different(first, rebuilt(sys.executable, machine, frozen, tmp_path)) == []


@pytest.mark.parametrize("python", PYTHONS[1:])
def test_the_report_is_the_same_in_every_python(python: str, frozen: str, first: Path, tmp_path: Path) -> None:
    assert different(first, rebuilt(python, MACHINES[-1], frozen, tmp_path)) == []
