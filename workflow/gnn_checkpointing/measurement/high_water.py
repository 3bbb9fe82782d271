"""The activation peak from a process's resident high-water mark, read in a separate process.

Unlike the timed process, this one must return freed memory to the system at once. A new process would spend seconds on
imports, so the worker forks a server after its imports and before it computes anything: no thread pool, no fragmented
heap, no CUDA. The server in turn forks one process per cell, and another one if that dies, so that a policy that kills
the process loses only its own reading. A process that read several cells would fragment its heap: the small objects of
a step would then touch more and more pages, up to 24 MiB that no tensor holds (seen in study `depth`).
"""

import ctypes
import gc
import os
import platform
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from gnn_checkpointing.graphs.storage import load_graph
from gnn_checkpointing.measurement.device import spread_net
from gnn_checkpointing.measurement.exclusive import die_with_parent
from gnn_checkpointing.measurement.workload import Subject, cell_task, subject_of
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.policy_names import COMPILED, EDGES_PER_NODE, parse_policy
from gnn_checkpointing.study.study import Study

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h
_MAPPED_FROM = 64 * 2**10
_PR_SET_THP_DISABLE = 41
_TICK_SECONDS = 1.0
_START_SECONDS = 60.0
_LARGE_BYTES = 128 * 2**20
"""The tolerance, 2 % of it, exceeds the most memory that a policy's first step was seen to leave behind (2 MiB).

The first step of a process leaves more: the operators' code (10 MiB) and, for a Vision GNN, the code that its
convolutions generate (26 MiB). All policies share it, and that step is never the one that is read.
"""

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class HighWater:
    """Bytes above those the process held before the step, or None and the reason; and the seconds of that step."""

    bytes: int | None
    note: str = ""
    seconds: float = 0.0


def no_high_water(device: torch.device) -> str | None:
    """Why no reading is possible here, or None if it is."""
    if device.type != "cpu":
        return "no high-water reading: the mark is the process's, and CUDA memory is not in it"
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return "no high-water reading: it needs Linux and glibc"
    if "jemalloc" in os.environ.get("LD_PRELOAD", ""):
        return "no high-water reading: it needs glibc's allocator, which can be told to give memory back at once"
    return None


def reset_high_water() -> int:
    """Give free memory back to the system and reset the high-water mark to the resident bytes, which are returned."""
    give_garbage_back()
    Path("/proc/self/clear_refs").write_text("5")
    return status_bytes("VmRSS")


def give_garbage_back() -> None:
    """Collect garbage and return the free memory of the heap to the system: another process may need it."""
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def status_bytes(name: str) -> int:
    """`VmRSS` or `VmHWM` of this process in bytes."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def give_freed_memory_back() -> None:
    """Make glibc map every larger block separately and trim its heap at once; disable huge pages.

    Same effect as setting MALLOC_MMAP_THRESHOLD_, MALLOC_TRIM_THRESHOLD_ and MALLOC_TOP_PAD_ before the start.
    """
    library = ctypes.CDLL(None)
    library.mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM)
    library.mallopt(_M_TRIM_THRESHOLD, _MAPPED_FROM)
    library.mallopt(_M_TOP_PAD, 0)
    library.prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
    library.malloc_trim(0)


class HighWaterReader:
    """Client of the reading process, which ends when the worker dies."""

    def __init__(self, study: Study, graph_file: Path, cells: dict[str, Cell]) -> None:
        self._connection, theirs = Pipe()
        self._patience = study.measurement.timeout_seconds

        def serve() -> None:
            # Other files that the worker has open (its events!) must close when the worker ends: close them here.
            os.closerange(3, theirs.fileno())
            os.closerange(theirs.fileno() + 1, 2**16)
            give_freed_memory_back()
            while True:
                reader = _forked(lambda: _read_cell(theirs, study, graph_file, cells))
                _, status = os.waitpid(reader, 0)
                theirs.send(("ended", os.waitstatus_to_exitcode(status)))

        self._process = _forked(serve)
        theirs.close()

    def readings(self, cell: str, policies: dict[str, int], alive: Callable[[], None]) -> dict[str, HighWater]:
        """Read each policy; `alive` is called about once a second meanwhile.

        `policies` gives the activation peaks in bytes from another instrument. If a peak is large, the memory that the
        first step leaves behind is negligible, and one step is enough, unless it is the first of a process.
        """
        found: dict[str, HighWater] = {}
        while waiting := [policy for policy in policies if policy not in found]:
            warmed = [policy for policy in waiting if policies[policy] < _LARGE_BYTES or policy == waiting[0]]
            how = self._one_round((cell, waiting, warmed), found, alive)
            missing = [policy for policy in waiting if policy not in found]
            if missing:
                found[missing[0]] = HighWater(None, f"no high-water reading: its process {how}")
        return found

    def _one_round(self, request: Any, found: dict[str, HighWater], alive: Callable[[], None]) -> str:
        """Have the policies of `request` read until all are done or the reader ends; returns how it ended."""
        reader, killed = None, False
        silent, allowed = 0.0, _START_SECONDS + self._patience  # counted in polls, as in the supervising process
        try:
            self._connection.send(request)
            while True:
                alive()
                if not self._connection.poll(_TICK_SECONDS):
                    silent += _TICK_SECONDS
                    if silent > allowed and reader is not None and not killed:
                        os.kill(reader, signal.SIGKILL)
                        killed = True
                    continue
                silent, allowed = 0.0, self._patience
                kind, value = self._connection.recv()
                if kind == "reader":
                    reader = value
                elif kind == "read":
                    found[value[0]] = value[1]
                elif kind == "done":
                    return "done"
                elif reader is not None:  # otherwise the last cell's process has ended: the next takes this request
                    how = signal.Signals(-value).name if value < 0 else f"exit code {value}"
                    return "took too long" if killed else f"ended early ({how})"
        except (EOFError, OSError):
            return "is gone"


def _forked(work: Callable[[], None]) -> int:
    """Fork a process that ends with this one or when its work fails; returns its id."""
    process = os.fork()
    if process == 0:
        try:
            die_with_parent()
            work()
        finally:
            os._exit(1)
    return process


def _read_cell(worker: Connection, study: Study, graph_file: Path, cells: dict[str, Cell]) -> None:
    """Wait for a request and read the policies of its cell."""
    cell, policies, warmed = worker.recv()
    worker.send(("reader", os.getpid()))
    torch.set_num_threads(study.measurement.threads)
    task = cell_task(load_graph(graph_file), cells[cell], _CPU)
    spread_net(_CPU)
    # The first checkpoint makes PyTorch import modules (4 MiB), which must not count as part of a step.
    value = torch.ones(1, requires_grad=True)
    checkpoint(torch.exp, value, use_reentrant=False).backward()
    gc.disable()  # as in the timed rounds; `reset_high_water` collects before each reading
    for policy in policies:
        try:
            found = _read(subject_of(cells[cell], task, policy), policy in warmed)
        except Exception as error:
            reason = (str(error).strip().splitlines() or ["no message"])[0][:200]
            found = HighWater(None, f"no high-water reading: {type(error).__name__}: {reason}")
        worker.send(("read", (policy, found)))
    worker.send(("done", None))


def _read(subject: Subject, warmed: bool) -> HighWater:
    """Read one step; if `warmed`, the second one, since the first maps code and makes the policy's tables.

    Policies that compile or cut are always warmed: their first step also tries each layer.
    """
    if warmed or parse_policy(subject.policy).kind in {*COMPILED, *EDGES_PER_NODE}:
        subject.step()
        subject.drop_gradients()
    before = reset_high_water()
    start = time.perf_counter()
    subject.step()
    seconds = time.perf_counter() - start
    return HighWater(status_bytes("VmHWM") - before, seconds=seconds)
