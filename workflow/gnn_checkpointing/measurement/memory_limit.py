"""The memory that a cell may take: a limit on exact bytes, and under it a net that spares the machine.

The limit is compared with the peak that was counted, so that a policy runs out of it at the same byte every time. What
the process takes from the system is no measure of that: a heap that keeps freed memory has holes.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import torch

_DEFAULT_SHARE = 0.9


def memory_limit(device: torch.device, limit_gib: float | None) -> int:
    """Return the limit in bytes: `limit_gib`, or 90 % of the device's memory."""
    return int(_DEFAULT_SHARE * _total(device) if limit_gib is None else limit_gib * 2**30)


def over_limit(peak_bytes: int, limit_bytes: int) -> str:
    """Return one sentence where a counted peak is over the limit, else nothing."""
    if peak_bytes <= limit_bytes:
        return ""
    return f"peak memory of {peak_bytes:,} bytes is over the limit of {limit_bytes:,} bytes"


def spread_net(device: torch.device) -> None:
    """Let this process grow by at most 90 % of the device's memory, so that running out is an exception here.

    On CPU the address space is limited, over what the idle process already has; on CUDA, which reserves address space
    far beyond what it uses, the caching allocator. A lower limit that the process was started under stays.
    """
    if device.type == "cuda":
        torch.cuda.set_per_process_memory_fraction(_DEFAULT_SHARE, device)
    elif sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        ceiling = pages * resource.getpagesize() + int(_DEFAULT_SHARE * _total(device))
        given = [limit for limit in resource.getrlimit(resource.RLIMIT_AS) if limit != resource.RLIM_INFINITY]
        ceiling = min([ceiling, *given])
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))


def _total(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
