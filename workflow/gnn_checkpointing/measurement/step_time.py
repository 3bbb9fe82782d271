"""Time of one training step: wall clock, forward apart, CPU time, time in the operating system, faults, switches."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_checkpointing.measurement.device import finish


@dataclass(frozen=True)
class StepTime:
    """What one step cost: seconds, minor page faults, and how often the processor was given up or taken away."""

    wall_seconds: float
    forward_seconds: float
    cpu_seconds: float
    system_seconds: float
    page_faults: int
    voluntary_switches: int
    involuntary_switches: int


def timed(forward: Callable[[], Tensor], device: torch.device) -> StepTime:
    """Run one step, `forward` (which returns the loss) and its backward pass, and return what it cost.

    The device is synchronised before and after. Between the parts it is not: on CUDA that would keep backward from
    being queued while forward computes; events on the device tell the parts apart there.
    """
    marks = [_mark(), _mark()] if device.type == "cuda" else []
    finish(device)
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter_ns()
    if marks:
        marks[0].record()
    loss = forward()
    if marks:
        marks[1].record()
    middle = time.perf_counter_ns()
    loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    finish(device)
    end = time.perf_counter_ns()
    after = resource.getrusage(resource.RUSAGE_SELF)
    system = after.ru_stime - before.ru_stime
    return StepTime(
        wall_seconds=(end - start) / 1e9,
        forward_seconds=marks[0].elapsed_time(marks[1]) / 1e3 if marks else (middle - start) / 1e9,
        cpu_seconds=after.ru_utime - before.ru_utime + system,
        system_seconds=system,
        page_faults=after.ru_minflt - before.ru_minflt,
        voluntary_switches=after.ru_nvcsw - before.ru_nvcsw,
        involuntary_switches=after.ru_nivcsw - before.ru_nivcsw,
    )


def _mark() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call] # torch annotates it partly
