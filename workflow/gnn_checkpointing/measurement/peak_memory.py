"""Exact peak memory of one training step, from the allocator's own events.

On CPU every allocation and release of PyTorch's allocator reports its bytes to the profiler. Their running sum, which
starts at zero before the step, has an exact maximum, the same on every run. Workspace that an operator takes from
PyTorch's allocator is included, memory that it takes from C++ is not (`readings.py` has the one case that matters).

On CUDA the caching allocator keeps the same count itself (`torch.cuda.memory_stats`), next to wider counts:

| count | meaning |
|---|---|
| requested | bytes of live tensors and workspace, to the byte: the same definition as on the CPU |
| allocated | the blocks handed out for them: multiples of 512 bytes, for large ones up to a MiB more |
| reserved | the segments that the caching allocator holds for its blocks, including their free parts |
| driver | memory of the device in use (`cudaMemGetInfo`): segments, CUDA's context, libraries, other processes |

The first is the cost of a policy and does not depend on what ran before; the others show its demand on the device.
"""

import gc
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.profiler import profile, record_function

from gnn_checkpointing.measurement.device import finish
from gnn_checkpointing.measurement.readings import DeviceBytes
from gnn_checkpointing.records.traces import ByteTrace

Value = TypeVar("Value")

_MARK = "gnn_checkpointing: a block ends"


@dataclass(frozen=True)
class StepBytes:
    """Bytes above those live before the step: `saved` for backward at the end of forward, and at the `peak`.

    `trace` has all instants; None on CUDA, where there are no events. `device` has CUDA's wider counts; None on CPU.
    """

    saved: int
    peak: int
    trace: ByteTrace | None = field(default=None, compare=False)
    device: DeviceBytes | None = field(default=None, compare=False)


def step_bytes(forward: Callable[[], Tensor], device: torch.device, blocks: Sequence[nn.Module] = ()) -> StepBytes:
    """Run `forward`, which returns the loss, then its backward pass, and count live bytes.

    The loss itself is among the saved bytes; gradients count from the moment backward makes them. The trace records
    where each of `blocks`, which are called one after another, ends in the forward pass.
    """
    if device.type == "cuda":
        with no_garbage():
            return _device_step_bytes(forward, device)
    with no_garbage():
        with _marked(blocks):
            loss, forward_changes, forward_seconds, marks = _with_changes(forward)
        _, backward_changes, _, _ = _with_changes(loss.backward)
    # Two sessions, since one session cannot show where forward ended; memory between them is not part of the step.
    changes = [*forward_changes, *((forward_seconds + seconds, size) for seconds, size in backward_changes)]
    live = np.cumsum(np.array([size for _, size in changes], dtype=np.int64), dtype=np.int64)
    seconds = np.array([second for second, _ in changes])
    trace = ByteTrace(seconds, live, len(forward_changes), forward_seconds, np.array(marks, dtype=np.int64))
    saved = int(live[len(forward_changes) - 1]) if forward_changes else 0
    return StepBytes(saved, max(0, int(live.max(initial=0))), trace)


def _device_step_bytes(forward: Callable[[], Tensor], device: torch.device) -> StepBytes:
    """Count the bytes of one step on CUDA.

    The step must not be the first of its process: memory that libraries take once and keep, such as cuBLAS's
    workspaces, would count as this step's. Free segments are released first, so that only this step's are reserved.
    """

    def accounts(when: str) -> tuple[int, int, int, int]:
        stats = torch.cuda.memory_stats(device)
        free, total = torch.cuda.mem_get_info(device)
        requested, allocated, reserved = (
            stats[f"{one}_bytes.all.{when}"] for one in ("requested", "allocated", "reserved")
        )
        return requested, allocated, reserved, int(total - free)

    finish(device)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    requested_before, allocated_before, reserved_before, driver_before = accounts("current")
    loss = forward()
    finish(device)
    saved = accounts("current")[0] - requested_before
    loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    finish(device)
    _, _, reserved_after, driver = accounts("current")
    requested, allocated, reserved, _ = accounts("peak")
    wider = DeviceBytes(
        allocated=allocated - allocated_before,
        reserved=reserved - allocated_before,
        driver=driver - allocated_before,
        # cudaMalloc and segments both use whole pages of 2 MiB, so the two counts grow alike.
        beside=(driver - driver_before) - (reserved_after - reserved_before),
    )
    return StepBytes(saved, requested - requested_before, device=wider)


@contextmanager
def no_garbage() -> Iterator[None]:
    """Collect garbage before the context and disable collection inside it, as in the timed rounds.

    Otherwise tensors of an earlier step that are collected during this one would count as released by it.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def resident_bytes(tensors: Iterable[Tensor]) -> int:
    """Bytes of the distinct storages behind `tensors`."""
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


@contextmanager
def _marked(blocks: Sequence[nn.Module]) -> Iterator[None]:
    """Mark for the profiler where the first block begins and where each block ends."""

    def mark(*_: Any) -> None:
        with record_function(_MARK):
            pass

    hooks = [block.register_forward_hook(mark) for block in blocks]
    hooks += [block.register_forward_pre_hook(mark) for block in blocks[:1]]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def profiled(action: Callable[[], Value]) -> tuple[Value, list[Any], int, float]:
    """Profile `action`: its return value, the events in order, the session's start in nanoseconds, and the seconds."""
    # Not torch.profiler's, which makes a Python object for each event, and spends most of a session's time on that.
    with profile(profile_memory=True) as session:
        start = time.perf_counter_ns()
        value = action()
        seconds = (time.perf_counter_ns() - start) / 1e9
    results = session.kineto_results
    assert results is not None
    events = sorted(results.events(), key=lambda event: event.start_ns())
    return value, events, results.trace_start_ns(), seconds


def _with_changes(action: Callable[[], Value]) -> tuple[Value, list[tuple[float, int]], float, list[int]]:
    """Run `action`; returns its value, each allocation and release in order (second, signed bytes), and its seconds.

    The last item is the number of these changes before each mark.
    """
    value, found, begin, seconds = profiled(action)
    events = [event for event in found if event.name() == "[memory]"]
    stamps = [event.start_ns() for event in events]
    marks = [bisect_right(stamps, event.start_ns()) for event in found if event.name() == _MARK]
    changes = [(max(0, event.start_ns() - begin) / 1e9, event.nbytes()) for event in events]
    # The session begins a little before the action, and no event may lie after the end.
    return value, changes, max(seconds, changes[-1][0] if changes else 0.0), marks
