"""Timed rounds: each round runs every policy once in shuffled order, until the ratios are known or the time is spent.

Each process has its share of the rounds and of the time, and stops by itself. Measured for each step: wall time, also
of the forward pass alone, CPU time, time in the operating system, page faults, context switches; on CUDA also the time
by events on the device, and how often the step asked the driver for memory. The sentinel is one fixed small step, the
same in every cell and round, that shows when the machine changes.
"""

import gc
import random
import resource
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gnn_checkpointing.analysis.bootstrap import LOOK_CONFIDENCE, LOOK_RESAMPLES, Share
from gnn_checkpointing.measurement.device import finish
from gnn_checkpointing.measurement.probe import Announce
from gnn_checkpointing.measurement.ratios import paired_ratio
from gnn_checkpointing.measurement.workload import Subject
from gnn_checkpointing.records.policy import Steps
from gnn_checkpointing.study.design import Cell
from gnn_checkpointing.study.graph_design import derived_seed
from gnn_checkpointing.study.study import Study


class StepTime(NamedTuple):
    """Seconds of one step, minor page faults, and voluntary and involuntary context switches.

    `device_seconds` and `device_allocations` (segments that the caching allocator took from the driver) exist on CUDA
    only; None on CPU.
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
    """Time one step: `forward`, which returns the loss, and its backward pass.

    The device is synchronised before and after, but not between the two parts: on CUDA that would keep backward from
    being queued while forward computes, so events on the device separate the parts there.
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
        events[2].record()  # backward used the stream of forward, so this comes after its last kernel
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
    # Nodes, edges, channels, repetitions.
    "cpu": (4_000, 64_000, 32, 1),
    # Large enough, and repeated often enough, to take the device's time and not that of kernel launches: each
    # repetition moves 0.5 GB.
    "cuda": (20_000, 500_000, 64, 8),
}


class Sentinel:
    """A layer of attention: matrix product, gather, softmax over each node's edges, scatter; about two milliseconds.

    Its tensors are made once and each run overwrites the last results: it allocates nothing, and so measures the
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


def timed_rounds(
    study: Study,
    cell: Cell,
    process: int,
    subjects: dict[str, Subject],
    device: torch.device,
    sentinel: Sentinel,
    announce: Announce,
) -> tuple[list[list[str]], dict[str, Steps]]:
    """Time rounds of all policies until the ratios are known well enough; returns the orders and the policies' steps.

    After this process's share of `at_least` rounds, timing stops when every ratio's interval is narrow enough or the
    budget is spent. `process` counts from 0; each has its own orders. The sentinel is timed once a round.
    """
    if not subjects or not cell.timed:
        return [], {}
    asked = study.measurement
    rounds = cell.rounds or (asked.rounds.at_least, asked.rounds.at_most)
    share = Share.of(rounds, asked.processes, asked.ratio_half_width)
    times: dict[str, list[StepTime]] = {policy: [] for policy in subjects}
    shuffler = random.Random(derived_seed(cell.seed, f"rounds {process}"))  # noqa: S311 - order of rounds, no secret
    orders: list[list[str]] = []
    spent = 0.0
    if device.type == "cuda":
        # Counting bytes released every free segment, and segments left by another policy may not fit: without an
        # untimed step of each policy, the first timed steps would wait for the driver to allocate memory.
        for policy, subject in subjects.items():
            announce(policy, "untimed step")
            subject.step()
            subject.drop_gradients()
    gc.collect()
    gc.disable()
    try:
        while len(orders) < share.at_most:
            order = list(subjects)
            shuffler.shuffle(order)
            sentinel.time()
            for policy in order:
                announce(policy, f"round {len(orders) + 1} of process {process + 1}")
                times[policy].append(timed(subjects[policy].forward, device))
                subjects[policy].drop_gradients()
                spent += times[policy][-1].wall_seconds
            orders.append(order)
            if len(orders) >= share.at_least and (
                spent >= asked.seconds_per_cell / asked.processes
                or (share.looks(len(orders)) and _narrow(times, share.half_width, cell))
            ):
                break
    finally:
        gc.enable()
    return orders, {policy: _steps(found) for policy, found in times.items()}


def _narrow(times: dict[str, list[StepTime]], half_width: float, cell: Cell) -> bool:
    """Whether every ratio is known to `half_width`; False if `none` or every other policy is missing."""
    seconds = {policy: [time.wall_seconds for time in found] for policy, found in times.items()}
    reference = seconds.pop("none", [])
    return bool(seconds and reference) and all(
        paired_ratio([own], [reference], LOOK_CONFIDENCE, LOOK_RESAMPLES, cell.seed).half_width <= half_width
        for own in seconds.values()
    )


def _steps(times: list[StepTime]) -> Steps:
    """One list per field of the steps; None for fields that only a CUDA device fills."""
    columns = zip(StepTime._fields, map(list, zip(*times, strict=True)), strict=True)
    return Steps.model_validate({name: None if None in values else values for name, values in columns})
