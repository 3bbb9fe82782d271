"""Exact peak memory of one training step, from the allocator's own events.

On CPU every allocation and release reports its bytes to the profiler; their running sum above what lived before the
step has an exact maximum, the same on every run, workspace inside operators included. On CUDA the caching allocator
keeps the same count itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from gnn_checkpointing.measurement.device import finish

Value = TypeVar("Value")


@dataclass(frozen=True)
class StepBytes:
    """Bytes above what lived before the step: held for backward when forward ended, and at the highest instant."""

    saved: int
    peak: int


def step_bytes(forward: Callable[[], Tensor], device: torch.device) -> StepBytes:
    """Run `forward`, which returns the loss, then its backward pass, and count live bytes.

    The loss itself is among the saved bytes; gradients count from the moment backward makes them.
    """
    if device.type == "cuda":
        return _cuda_bytes(forward, device)
    loss, forward_changes = _with_changes(forward)
    _, backward_changes = _with_changes(loss.backward)
    saved = sum(forward_changes)
    return StepBytes(saved, max(_highest(forward_changes), saved + _highest(backward_changes)))


def resident_bytes(tensors: Iterable[Tensor]) -> int:
    """Return the bytes of the distinct storages behind `tensors`."""
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


def _with_changes(action: Callable[[], Value]) -> tuple[Value, list[int]]:
    """Return what `action` returns, and the signed bytes of every allocation and release in order of time."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as session:
        value = action()
    assert session.profiler is not None
    results = session.profiler.kineto_results
    assert results is not None
    events = [event for event in results.events() if event.name() == "[memory]"]
    return value, [event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())]


def _highest(changes: list[int]) -> int:
    total = highest = 0
    for change in changes:
        total += change
        highest = max(highest, total)
    return highest


def _cuda_bytes(forward: Callable[[], Tensor], device: torch.device) -> StepBytes:
    finish(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    loss = forward()
    finish(device)
    saved = torch.cuda.memory_allocated(device) - before
    loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    finish(device)
    return StepBytes(saved, torch.cuda.max_memory_allocated(device) - before)
