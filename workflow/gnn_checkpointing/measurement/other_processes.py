"""Who else holds memory of the GPU: refused before measuring, told in the record when it came later.

nvidia-smi lists processes by the numbers that the host gives them, which in a container are other ones or none at all.
So the list is read before and after this process makes its own CUDA context: what has come in between is itself. Where
it is not in the list, others might not be either, and the driver's account of the device's memory is compared with this
process's own instead.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch

from gnn_checkpointing.measurement.gpu import GpuProcess, gpu_processes
from gnn_checkpointing.refusal import Refusal

CONTEXT_BYTES, CONTEXT_SHARE = 2**30, 0.01
"""Of the device's memory, what this process's context may take before it has a tensor: 0.3 to 0.7 GiB were seen on GPUs
of 16 to 80 GiB, growing with the device."""

GROWTH_BYTES = 512 * 2**20
"""What kernels and handles of libraries may add to the context while a graph is measured."""

_PATIENCE_SECONDS = 10.0
"""A process that has just ended, such as a worker before this one, may stay in the list for a moment."""

_LOOK_SECONDS = 0.5

_REMEDY = "end it, wait for it, or name an idle GPU in CUDA_VISIBLE_DEVICES"

Listed = Callable[[], Sequence[GpuProcess]]


@dataclass(frozen=True)
class Neighbours:
    """What was known of the device's other users when measuring began.

    `own` are the numbers by which the list knows this process, empty where it does not; `outside_bytes` is what the
    driver had given out beside the caching allocator's memory: the context of this process.
    """

    device: torch.device
    own: frozenset[int]
    outside_bytes: int
    listed: Listed = gpu_processes

    def found(self) -> list[str]:
        """Return who holds memory of the device now, this process apart; for a sentence each."""
        others = [str(process) for process in strangers(self.listed(), _uuid(self.device), self.own)]
        grown = outside_bytes(self.device) - self.outside_bytes
        if not self.own and grown > GROWTH_BYTES:
            others.append(f"someone who cannot be seen from here, {grown:,} bytes")
        return others


def alone_on(device: torch.device, listed: Listed = gpu_processes) -> Neighbours:
    """Return what to compare with later, or refuse a device whose memory another process holds.

    To be called before anything is on the device; makes this process's context.
    """
    before = {process.pid for process in listed()}
    outside = outside_bytes(device)
    uuid = _uuid(device)
    own = own_processes(before, strangers(listed(), uuid, ()), os.getpid())
    others = strangers(listed(), uuid, own)
    given_up = time.monotonic() + _PATIENCE_SECONDS
    while others and time.monotonic() < given_up:
        time.sleep(_LOOK_SECONDS)
        others = strangers(listed(), uuid, own)
    name = torch.cuda.get_device_name(device)
    if others:
        told = " and ".join(map(str, others))
        raise Refusal(f"the GPU {name} is in use by {told}: it would be measured along with the study; {_REMEDY}")
    allowed = CONTEXT_BYTES + int(CONTEXT_SHARE * torch.cuda.get_device_properties(device).total_memory)
    if not own and outside > allowed:
        raise Refusal(
            f"the GPU {name} has {outside:,} bytes in use before anything is measured, more than the {allowed:,} that "
            f"a CUDA context takes, by a process that cannot be seen from here; {_REMEDY}"
        )
    return Neighbours(device, own, outside, listed)


def strangers(listed: Sequence[GpuProcess], uuid: str, own: Collection[int]) -> list[GpuProcess]:
    """Return those of the listed processes that compute on the GPU `uuid` and are not this one."""
    return [process for process in listed if uuid in process.uuid and process.pid not in own]


def own_processes(before: Collection[int], after: Sequence[GpuProcess], pid: int) -> frozenset[int]:
    """Return by which numbers the list knows this process: its own `pid`, or what came while it made its context."""
    now = {process.pid for process in after}
    return frozenset({pid} if pid in now else now - set(before))


def outside_bytes(device: torch.device) -> int:
    """Return the device's memory in use that is not the caching allocator's of this process."""
    free, total = torch.cuda.mem_get_info(device)
    return int(total - free - torch.cuda.memory_reserved(device))


def _uuid(device: torch.device) -> str:
    """Return the device's identity, without the prefix that nvidia-smi gives it."""
    return str(getattr(torch.cuda.get_device_properties(device), "uuid", ""))
