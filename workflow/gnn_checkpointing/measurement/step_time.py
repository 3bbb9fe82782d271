"""Time of one training step: wall clock, forward apart, CPU time, time in the operating system, faults, switches.

On CUDA also by events on the device, and how often the step asked the driver for memory. The sentinel is one fixed
small step, the same in every cell and round, that shows when the machine changes.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gnn_checkpointing.measurement.device import finish


class StepTime(NamedTuple):
    """Seconds of one step, minor page faults, and how often the processor was given up or taken away.

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
    """The cost of one step: `forward`, which returns the loss, and its backward pass.

    The device is synchronised before and after. Between the parts it is not: on CUDA that would keep backward from
    being queued while forward computes; events on the device tell the parts apart there.
    """
    on_cuda = device.type == "cuda"
    # torch annotates events partly.
    events: list[Any] = [torch.cuda.Event(enable_timing=True) for _ in range(3 * on_cuda)]  # type: ignore[no-untyped-call]
    allocations = _allocations(device) if on_cuda else 0
    finish(device)
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter_ns()
    if on_cuda:
        events[0].record()
    loss = forward()
    if on_cuda:
        events[1].record()
    middle = time.perf_counter_ns()
    loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    if on_cuda:
        events[2].record()  # backward ran on the stream of forward, and this is behind its last kernel
    finish(device)
    end = time.perf_counter_ns()
    after = resource.getrusage(resource.RUSAGE_SELF)
    system = after.ru_stime - before.ru_stime
    return StepTime(
        wall_seconds=(end - start) / 1e9,
        forward_seconds=events[0].elapsed_time(events[1]) / 1e3 if on_cuda else (middle - start) / 1e9,
        cpu_seconds=after.ru_utime - before.ru_utime + system,
        system_seconds=system,
        page_faults=after.ru_minflt - before.ru_minflt,
        voluntary_switches=after.ru_nvcsw - before.ru_nvcsw,
        involuntary_switches=after.ru_nivcsw - before.ru_nivcsw,
        device_seconds=events[0].elapsed_time(events[2]) / 1e3 if on_cuda else None,
        device_allocations=_allocations(device) - allocations if on_cuda else None,
    )


def _allocations(device: torch.device) -> int:
    return int(torch.cuda.memory_stats(device)["num_device_alloc"])


_WORK = {
    # Nodes, edges, channels, and how many times over.
    "cpu": (4_000, 64_000, 32, 1),
    # Large and often enough to be the device's time and not that of starting kernels: 0.5 GB are moved a time.
    "cuda": (20_000, 500_000, 64, 8),
}


class Sentinel:
    """A layer of attention: matrix product, gather, softmax over each node's edges, scatter; about two milliseconds.

    Its tensors are made once and its results written over the last ones: it allocates nothing, and so measures the
    machine and not the allocator.
    """

    def __init__(self, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(20261124)
        nodes, edges, channels, self._times = _WORK[device.type]
        self._device = device
        self._features = torch.randn(nodes, channels, generator=generator).to(device)
        self._weights = (torch.randn(channels, channels, generator=generator) / channels).to(device)
        self._source, self._target = (torch.randint(nodes, (edges,), generator=generator).to(device) for _ in range(2))
        self._scores = torch.randn(edges, generator=generator).to(device)
        self._projected, self._sums = torch.empty_like(self._features), torch.empty_like(self._features)
        self._shares, self._divisors = torch.empty_like(self._scores), torch.empty_like(self._scores)
        self._messages = torch.empty(edges, channels, device=device)
        self._totals = torch.empty(nodes, device=device)
        self.seconds: list[float] = []
        self._run()

    def time(self) -> None:
        """Run once and append the wall time to `seconds`."""
        finish(self._device)
        start = time.perf_counter_ns()
        self._run()
        finish(self._device)
        self.seconds.append((time.perf_counter_ns() - start) / 1e9)

    def _run(self) -> None:
        for _ in range(self._times):
            torch.mm(self._features, self._weights, out=self._projected)
            torch.index_select(self._projected, 0, self._source, out=self._messages)
            torch.exp(self._scores, out=self._shares)
            self._totals.zero_().index_add_(0, self._target, self._shares)
            torch.index_select(self._totals, 0, self._target, out=self._divisors)
            self._shares.div_(self._divisors)
            self._messages.mul_(self._shares.unsqueeze(1))
            self._sums.zero_().index_add_(0, self._target, self._messages)
