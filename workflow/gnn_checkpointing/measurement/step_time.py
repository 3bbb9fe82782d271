"""Time of one training step: wall clock, CPU time, time in the operating system, page faults."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from gnn_checkpointing.measurement.device import finish


@dataclass(frozen=True)
class StepTime:
    """What one step cost, in seconds and faults."""

    wall_seconds: float
    cpu_seconds: float
    system_seconds: float
    page_faults: int


def timed(step: Callable[[], None], device: torch.device) -> StepTime:
    """Run `step` once and return what it cost, the device synchronised on both sides."""
    finish(device)
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter_ns()
    step()
    finish(device)
    wall = time.perf_counter_ns() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    system = after.ru_stime - before.ru_stime
    return StepTime(
        wall_seconds=wall / 1e9,
        cpu_seconds=after.ru_utime - before.ru_utime + system,
        system_seconds=system,
        page_faults=after.ru_minflt - before.ru_minflt,
    )
