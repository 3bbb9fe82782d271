"""Time of one training step: wall clock, forward apart, CPU time, time in the operating system, faults, switches.

On CUDA also by events on the device, and how often the step asked the driver for memory.
"""

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
    """What one step cost: seconds, minor page faults, and how often the processor was given up or taken away.

    `device_seconds` and `device_allocations` (segments that the caching allocator took from the driver) are of CUDA;
    None on CPU.
    """

    wall_seconds: float
    forward_seconds: float
    cpu_seconds: float
    system_seconds: float
    page_faults: int
    voluntary_switches: int
    involuntary_switches: int
    device_seconds: float | None = None
    device_allocations: int | None = None


def timed(forward: Callable[[], Tensor], device: torch.device) -> StepTime:
    """Run one step, `forward` (which returns the loss) and its backward pass, and return what it cost.

    The device is synchronised before and after. Between the parts it is not: on CUDA that would keep backward from
    being queued while forward computes; events on the device tell the parts apart there.
    """
    marks = _Marks(device) if device.type == "cuda" else None
    finish(device)
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter_ns()
    if marks:
        marks.begin.record()
    loss = forward()
    if marks:
        marks.middle.record()
    middle = time.perf_counter_ns()
    loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    if marks:
        # Backward ran on the stream of forward, and this one is behind its last kernel.
        marks.end.record()
    finish(device)
    end = time.perf_counter_ns()
    after = resource.getrusage(resource.RUSAGE_SELF)
    system = after.ru_stime - before.ru_stime
    return StepTime(
        wall_seconds=(end - start) / 1e9,
        forward_seconds=marks.forward_seconds if marks else (middle - start) / 1e9,
        cpu_seconds=after.ru_utime - before.ru_utime + system,
        system_seconds=system,
        page_faults=after.ru_minflt - before.ru_minflt,
        voluntary_switches=after.ru_nvcsw - before.ru_nvcsw,
        involuntary_switches=after.ru_nivcsw - before.ru_nivcsw,
        device_seconds=marks.seconds if marks else None,
        device_allocations=marks.allocations if marks else None,
    )


class _Marks:
    """Events at the beginning, the middle and the end of a step on the device; and the allocations before it."""

    def __init__(self, device: torch.device) -> None:
        self.begin, self.middle, self.end = _event(), _event(), _event()
        self._device, self._before = device, _allocations(device)

    @property
    def forward_seconds(self) -> float:
        """The device's seconds of forward."""
        return float(self.begin.elapsed_time(self.middle)) / 1e3

    @property
    def seconds(self) -> float:
        """The device's seconds of the whole step."""
        return float(self.begin.elapsed_time(self.end)) / 1e3

    @property
    def allocations(self) -> int:
        """How often the caching allocator asked the driver for memory since."""
        return _allocations(self._device) - self._before


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call] # torch annotates it partly


def _allocations(device: torch.device) -> int:
    return int(torch.cuda.memory_stats(device)["num_device_alloc"])
