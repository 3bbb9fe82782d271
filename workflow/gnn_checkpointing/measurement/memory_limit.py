"""The memory that a measured process may take, so that running out is an exception, the same every time."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import torch

_DEFAULT_SHARE = 0.9


def limit_memory(device: torch.device, limit_gib: float | None) -> int:
    """Let this process grow by at most `limit_gib` (default: 90 % of the device's memory); return it in bytes.

    On CPU the address space is limited, over what the idle process already has; on CUDA, which reserves address space
    far beyond what it uses, the caching allocator.
    """
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        limit = _bytes(limit_gib, total)
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total), device)
        return limit
    limit = _bytes(limit_gib, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        ceiling = pages * resource.getpagesize() + limit
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    return limit


def _bytes(limit_gib: float | None, total: int) -> int:
    return int(_DEFAULT_SHARE * total if limit_gib is None else limit_gib * 2**30)
