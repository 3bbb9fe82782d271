"""Peak memory of one training step on CUDA, as wider and wider accounts tell it.

| account | is |
|---|---|
| requested | bytes of live tensors and workspace, to the byte: the same definition as on the CPU |
| allocated | the blocks handed out for them: multiples of 512 bytes, for large ones up to a MiB more |
| reserved | the segments, free parts and all, that the caching allocator holds for its blocks |
| driver | memory of the device in use (`cudaMemGetInfo`): segments, CUDA's context, libraries, other processes |

The first is what a policy costs and does not depend on what ran before; the others say what that takes of a device.
`torch.cuda.memory_stats` has the first three, with their peaks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_checkpointing.measurement.device import finish
from gnn_checkpointing.measurement.readings import DeviceBytes


@dataclass(frozen=True)
class _Account:
    """Bytes now, the whole process, on one device."""

    requested: int
    allocated: int
    reserved: int
    driver: int

    @classmethod
    def of(cls, device: torch.device) -> _Account:
        stats = torch.cuda.memory_stats(device)
        free, total = torch.cuda.mem_get_info(device)
        requested, allocated, reserved = (stats[f"{name}_bytes.all.current"] for name in _COUNTED)
        return cls(requested, allocated, reserved, int(total - free))


_COUNTED = ("requested", "allocated", "reserved")


def device_step_bytes(forward: Callable[[], Tensor], device: torch.device) -> tuple[int, int, DeviceBytes]:
    """Run one step; return the requested bytes saved at the end of forward, those at the peak, and the other accounts.

    All are above what lived before the step. The step must not be a process's first: what libraries take once, such as
    cuBLAS's workspaces, lives on and would count as this step's. Free segments are given back before it, so that what
    is reserved is this step's alone.
    """
    finish(device)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    before = _Account.of(device)
    loss = forward()
    finish(device)
    saved = _Account.of(device).requested - before.requested
    loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    finish(device)
    after = _Account.of(device)
    stats = torch.cuda.memory_stats(device)
    requested, allocated, reserved = (stats[f"{name}_bytes.all.peak"] for name in _COUNTED)
    return (
        saved,
        requested - before.requested,
        DeviceBytes(
            allocated=allocated - before.allocated,
            reserved=reserved - before.allocated,
            driver=after.driver - before.allocated,
            # cudaMalloc takes whole pages of 2 MiB, and so do segments: the two grow alike.
            beside=(after.driver - before.driver) - (after.reserved - before.reserved),
        ),
    )
