"""Killed at twenty random moments, a run keeps what it has finished and ends in the report it would have had anyway."""

import json
import os
import random
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from waiting import wait_for

from .checkout import Checkout, measuring
from .tape import TAPE

pytestmark = pytest.mark.minutes

_KILLS = 20
_REPLAYED = {
    "measurement/worker.py": (
        ("measurement.cell import Bench, ReadHighWater", "measurement.cell import ReadHighWater"),
        ("import torch\n", "import torch\nfrom gnn_checkpointing.measurement.tape import Bench\n"),
    ),
    "training/__init__.py": (
        ("def train(", "def really_train("),
        ("@dataclass", "from gnn_checkpointing.measurement.tape import train\n\n\n@dataclass"),
    ),
    "cli/measuring.py": (
        ("import step_demonstration, with_benchmark", "import step_demonstration"),
        ("\n\n\n", "\nfrom gnn_checkpointing.measurement.tape import with_benchmark\n\n\n"),
    ),
}  # fmt: skip


def replaying(folder: Path, tape: Path) -> Checkout:
    """A checkout that plays back what was measured, and finds no step slow."""
    checkout = Checkout(folder)
    package = folder / "workflow/gnn_checkpointing"
    shutil.copy(Path(__file__).with_name("tape.py"), package / "measurement/tape.py")
    for name, changes in _REPLAYED.items():
        for old, new in changes:
            checkout.edit(f"workflow/gnn_checkpointing/{name}", old, new)
    checkout.environment[TAPE] = str(tape)
    return checkout


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = Checkout(tmp_path_factory.mktemp("measured"))
    checkout.run()
    (results,) = checkout.folder.glob("results/*/smoke")
    return results


@pytest.fixture(scope="module")
def undisturbed(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = replaying(tmp_path_factory.mktemp("undisturbed"), tape)
    checkout.run()
    return checkout


def finished(checkout: Checkout) -> dict[Path, bytes]:
    found = {path: path.read_bytes() for path in checkout.records()}
    return {path: content for path, content in found.items() if json.loads(content)["again"]}


def report(checkout: Checkout) -> dict[str, bytes]:
    (folder,) = checkout.folder.glob("report/*/smoke")
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def complete(folder: Path) -> list[Path]:
    return list(folder.glob("results/*/smoke/measurements/*/*/complete.json"))


def worker_of(folder: Path) -> int | None:
    """A handle of the measured process, where there is one; no other process gets what is sent to it."""
    for process in measuring(folder):
        with suppress(OSError):
            handle = os.pidfd_open(process)
            if Path(f"/proc/{process}/comm").read_text() == "worker\n" and process in measuring(folder):
                return handle
    return None


@pytest.mark.timeout(2400)
def test_twenty_kills(tape: Path, undisturbed: Checkout, tmp_path: Path) -> None:
    """In one run, or in another one after it where a fast machine ends one before."""
    chance, killed, runs = random.Random(8), 0, 0
    while killed < _KILLS:
        checkout = replaying(tmp_path / f"run{runs}", tape)
        kills, kept = disturbed(checkout, chance, _KILLS - killed)
        assert kills > 0
        assert len(checkout.records()) == 16
        assert {path: path.read_bytes() for path in kept} == kept
        one, other = report(checkout), report(undisturbed)
        assert one.keys() == other.keys()
        assert [name for name in one if one[name] != other[name]] == []
        killed, runs = killed + kills, runs + 1


def disturbed(checkout: Checkout, chance: random.Random, most: int) -> tuple[int, dict[Path, bytes]]:
    """Kill a run until it ends, `most` times at most; return how often, and the records that a kill found finished.

    Snakemake without and with a word of warning, and workers, of which each may be killed once: one that dies twice in
    one place has run out of memory, as far as anyone can tell.
    """
    folder = checkout.folder
    kept: dict[Path, bytes] = {}
    process, killed, graphs = checkout.start(), 0, 0
    while killed < most:
        time.sleep(chance.uniform(0.5, 6))
        if process.poll() is not None:
            break
        kept |= finished(checkout)
        if killed % 2 and graphs < 6 and (worker := worker_of(folder)) is not None:
            with suppress(ProcessLookupError):  # it may have ended just now
                signal.pidfd_send_signal(worker, signal.SIGKILL)
            os.close(worker)
            # The next victim measures another graph.
            graphs += 1
            done = len(complete(folder))
            wait_for(lambda done=done: len(complete(folder)) > done, 60)
        else:
            process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
            process.communicate()
            assert wait_for(lambda: not measuring(folder)), "someone goes on measuring"
            process = checkout.start()
        killed += 1
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output[-3000:]
    return killed, kept
