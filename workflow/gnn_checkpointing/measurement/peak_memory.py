"""Exact peak memory of one training step, from the allocator's own events.

On CPU every allocation and release of PyTorch's allocator reports its bytes to the profiler; their running sum above
what lived before the step has an exact maximum, the same on every run. Workspace that an operator takes from PyTorch's
allocator is included, what it takes from C++ is not (`readings.py` has the one case that matters). On CUDA the caching
allocator keeps the same count itself (`device_memory.py`).
"""

from __future__ import annotations

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
from torch.profiler import ProfilerActivity, profile, record_function

from gnn_checkpointing.measurement.byte_trace import ByteTrace
from gnn_checkpointing.measurement.device_memory import device_step_bytes
from gnn_checkpointing.measurement.readings import DeviceBytes

Value = TypeVar("Value")

_MARK = "gnn_checkpointing: a block ends"


@dataclass(frozen=True)
class StepBytes:
    """Bytes above what lived before the step: held for backward when forward ended, and at the highest instant.

    `trace` has all instants; None on CUDA, where there are no events. `device` has CUDA's wider accounts; None on CPU.
    """

    saved: int
    peak: int
    trace: ByteTrace | None = field(default=None, compare=False)
    device: DeviceBytes | None = field(default=None, compare=False)


def step_bytes(forward: Callable[[], Tensor], device: torch.device, blocks: Sequence[nn.Module] = ()) -> StepBytes:
    """Run `forward`, which returns the loss, then its backward pass, and count live bytes.

    The loss itself is among the saved bytes; gradients count from the moment backward makes them. The trace tells where
    each of `blocks`, called one after another, ends in the forward pass.
    """
    if device.type == "cuda":
        with no_garbage():
            saved, peak, wider = device_step_bytes(forward, device)
        return StepBytes(saved, peak, device=wider)
    with no_garbage():
        with _marked(blocks):
            loss, forward_changes, forward_seconds, marks = _with_changes(forward)
        _, backward_changes, _, _ = _with_changes(loss.backward)
    # Two sessions, since a session cannot say where in it forward ended; what lies between them is not the step's.
    changes = [*forward_changes, *((forward_seconds + seconds, size) for seconds, size in backward_changes)]
    live = np.cumsum(np.array([size for _, size in changes], dtype=np.int64), dtype=np.int64)
    seconds = np.array([second for second, _ in changes])
    trace = ByteTrace(seconds, live, len(forward_changes), forward_seconds, np.array(marks, dtype=np.int64))
    saved = int(live[len(forward_changes) - 1]) if forward_changes else 0
    return StepBytes(saved, max(0, int(live.max(initial=0))), trace)


@contextmanager
def no_garbage() -> Iterator[None]:
    """Collect garbage before the context and none inside it, as in the timed rounds.

    Tensors of an earlier step that the collector found in the middle of this one would count as released by it.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def resident_bytes(tensors: Iterable[Tensor]) -> int:
    """Return the bytes of the distinct storages behind `tensors`."""
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


@contextmanager
def _marked(blocks: Sequence[nn.Module]) -> Iterator[None]:
    """Leave a mark for the profiler where the first block begins and where each one ends."""

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


def _with_changes(action: Callable[[], Value]) -> tuple[Value, list[tuple[float, int]], float, list[int]]:
    """Return what `action` returns, each allocation and release in order (second, signed bytes), and its seconds.

    Last, before how many of these each mark stands.
    """
    # One cycle, whose events are all kept: without being told so, PyTorch warns that it forgets those of cycles before.
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as session:
        start = time.perf_counter_ns()
        value = action()
        seconds = (time.perf_counter_ns() - start) / 1e9
    assert session.profiler is not None
    results = session.profiler.kineto_results
    assert results is not None
    found = sorted(results.events(), key=lambda event: event.start_ns())
    events = [event for event in found if event.name() == "[memory]"]
    stamps = [event.start_ns() for event in events]
    marks = [bisect_right(stamps, event.start_ns()) for event in found if event.name() == _MARK]
    begin = results.trace_start_ns()
    changes = [(max(0, event.start_ns() - begin) / 1e9, event.nbytes()) for event in events]
    # The session begins a little before the action: no event may lie after the end.
    return value, changes, max(seconds, changes[-1][0] if changes else 0.0), marks
