"""What all tests share: places for those that run side by side, and the CUDA device, or a reason not to run."""

from __future__ import annotations

import gc
import lzma
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

if TYPE_CHECKING:
    import torch

# What is made once for all workers: reports (`rebuilt.py`), and what torch compiles, which it names by its content.
os.environ.setdefault("GNN_CHECKPOINTING_SHARED", tempfile.gettempdir())
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", f"{tempfile.gettempdir()}/gnn-checkpointing-compiled-{os.getuid()}")
# One thread each: small operators of several threads wait for each other where tests share the cores, and take ten
# times as long. Whoever tests threads asks for them.
for library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
worker = os.environ.get("PYTEST_XDIST_WORKER")
if not worker:
    os.environ["GNN_CHECKPOINTING_TESTS"] = tempfile.mkdtemp(prefix="gnn-checkpointing-tests-")
PLACE = Path(os.environ["GNN_CHECKPOINTING_TESTS"], worker or "")
"""Of this worker of this run alone: nothing in it is another run's, or left by one before."""
PLACE.mkdir(exist_ok=True)
# Two that run tests side by side would wait for each other, and say so.
os.environ["GNN_CHECKPOINTING_LOCK"] = str(PLACE / "lock")
if worker:
    os.environ["TMPDIR"] = tempfile.tempdir = str(PLACE)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Search for no garbage while tests are collected: all that is made then stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(autouse=True, scope="module")
def settled() -> None:
    """Leave what was made before this file of tests out of its searches for garbage.

    Every count of bytes begins with one, which among all that was collected and imported takes most of a second.
    """
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Remove the places of all workers, when the last has ended."""
    if not worker:
        shutil.rmtree(PLACE, ignore_errors=True)


@pytest.fixture(autouse=True)
def no_fault(request: pytest.FixtureRequest) -> Iterator[Path]:
    """No command, here or in another process, may fail by a fault of the program; the file that would have it."""
    place = PLACE / "faults"
    os.environ["GNN_CHECKPOINTING_FAULTS"] = str(place)
    yield place
    if place.exists():
        faults = place.read_text()
        place.unlink()
        if "faults_expected" not in request.keywords:
            pytest.fail(f"the guard of the command line fired:\n{faults}")


@pytest.fixture(autouse=True, scope="session")
def lightly_packed() -> Iterator[None]:
    """Archives and PDFs made in this process are larger: packing a publication takes longer than all else of it."""
    with (
        patch("gnn_checkpointing.packed._FILTERS", [{"id": lzma.FILTER_LZMA2, "preset": 0}]),
        patch("gnn_checkpointing.report.pdf._HARDEST", 6),
    ):
        yield


@pytest.fixture(scope="session")
def whole_run() -> str:
    """The test run as a fork server names it: all its workers share one."""
    from gnn_checkpointing.measurement.forked import this_run

    return this_run(os.getppid() if worker else os.getpid())


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch, whole_run: str) -> None:
    """Measured processes are forked by a server that has imported torch, instead of importing it each."""
    monkeypatch.setenv("GNN_CHECKPOINTING_RUN", whole_run)


LONG = ("workflow", "report", "audit", "checkpointing", "measurement", "analysis", "test_cli.py")
"""The rooms and files of tests that take longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start what takes long first, so that all workers end together.

    Before that, tests that measure on an idle device: others leave this process's own context there.
    """
    rooms = {name: place for place, name in enumerate(LONG)}

    def turn(item: pytest.Item) -> tuple[bool, int]:
        place = item.path.relative_to(Path(__file__).parent).parts[0]
        return "idle_cuda" not in getattr(item, "fixturenames", ()), rooms.get(place, len(LONG))

    items.sort(key=turn)


@pytest.fixture
def cuda() -> torch.device:
    """The CUDA device; skip where there is none, or fail where REQUIRE_CUDA=1."""
    import torch

    if not torch.cuda.is_available():
        if os.environ.get("REQUIRE_CUDA") == "1":
            pytest.fail("REQUIRE_CUDA=1, but torch finds no CUDA device here")
        pytest.skip("no CUDA device here")
    return torch.device("cuda", 0)


@pytest.fixture
def idle_cuda(cuda: torch.device) -> torch.device:
    """The CUDA device, on which this process has nothing: a measured process would take it for someone else."""
    import torch

    assert not torch.cuda.is_initialized(), (
        "another test used the device first; run all tests in one order, or this alone"
    )
    return cuda
