"""Shared by all tests: folders for tests that run side by side, and the CUDA device or a reason to skip."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lightly import LIGHTLY

if TYPE_CHECKING:
    import torch

# Made once for all workers: reports (`rebuilt.py`), and torch's compiled code, which it names by content.
os.environ.setdefault("GNN_CHECKPOINTING_SHARED", tempfile.gettempdir())
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", f"{tempfile.gettempdir()}/gnn-checkpointing-compiled-{os.getuid()}")
# One thread each: where tests share the cores, the threads of small operators wait for each other and take ten times
# as long. Tests of threads ask for more.
for library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
worker = os.environ.get("PYTEST_XDIST_WORKER")
if not worker:
    os.environ["GNN_CHECKPOINTING_TESTS"] = tempfile.mkdtemp(prefix="gnn-checkpointing-tests-")
PLACE = Path(os.environ["GNN_CHECKPOINTING_TESTS"], worker or "")
"""Folder of this worker of this run only; no other or earlier run writes there."""
PLACE.mkdir(exist_ok=True)
# With one lock, tests running side by side would wait for each other and print that they wait.
os.environ["GNN_CHECKPOINTING_LOCK"] = str(PLACE / "lock")
if worker:
    os.environ["TMPDIR"] = tempfile.tempdir = str(PLACE)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Disable garbage collection while tests are collected: everything made then stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(autouse=True, scope="module")
def settled() -> None:
    """Exclude objects made before this test file from its garbage collections.

    Every count of bytes begins with a collection, which would take most of a second over all that was imported.
    """
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Remove the folders of all workers at the end of the run."""
    if not worker:
        shutil.rmtree(PLACE, ignore_errors=True)


@pytest.fixture(autouse=True)
def no_fault(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Fail a test if a command, here or in another process, hits a fault of the program; yields the file of faults."""
    place = PLACE / "faults"
    os.environ["GNN_CHECKPOINTING_FAULTS"] = str(place)
    yield place
    if place.exists():
        faults = place.read_text()
        place.unlink()
        if "faults_expected" not in request.keywords:
            pytest.fail(f"the guard of the command line fired:\n{faults}")


@pytest.fixture(autouse=True, scope="session")
def lightly_packed() -> None:
    exec(LIGHTLY, {})


@pytest.fixture(scope="session")
def whole_run() -> str:
    """Name of the test run for a fork server, which all workers share."""
    from gnn_checkpointing.measurement.forked import this_run

    return this_run(os.getppid() if worker else os.getpid())


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch, whole_run: str) -> None:
    """Fork measured processes from a server that has imported torch, so that they need not import it."""
    monkeypatch.setenv("GNN_CHECKPOINTING_RUN", whole_run)


LONG = (
    *("report/test_answers.py", "workflow", "checkpointing", "audit", "measurement", "faults", "report", "library"),
    *("docs", "analysis", "study", "explaining", "test_cli.py"),
)
"""Test folders and files that take longest; the first makes all reports, which others would wait for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run long tests first, so that all workers end together.

    Tests that measure on an idle device come before all others, which leave this process's CUDA context there.
    """

    def turn(item: pytest.Item) -> tuple[bool, int]:
        place = item.path.relative_to(Path(__file__).parent).as_posix()
        turn = next((turn for turn, name in enumerate(LONG) if place.startswith(name)), len(LONG))
        return "idle_cuda" not in getattr(item, "fixturenames", ()), turn

    items.sort(key=turn)


@pytest.fixture
def cuda() -> torch.device:
    """The CUDA device; without one, skip the test, or fail it if REQUIRE_CUDA=1."""
    import torch

    if not torch.cuda.is_available():
        if os.environ.get("REQUIRE_CUDA") == "1":
            pytest.fail("REQUIRE_CUDA=1, but torch finds no CUDA device here")
        pytest.skip("no CUDA device here")
    return torch.device("cuda", 0)


@pytest.fixture
def idle_cuda(cuda: torch.device) -> torch.device:
    """The CUDA device, without a context of this process, which a measured process would take for another user."""
    import torch

    assert not torch.cuda.is_initialized(), (
        "another test used the device first; run all tests in one order, or this alone"
    )
    return cuda
