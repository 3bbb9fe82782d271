"""The memory allocator as a factor: environment settings that must stand before the measured process starts.

glibc's defaults give every large block back to the system after each step; page faults then cost more than the
computation. `retaining` keeps freed memory, as CUDA's caching allocator does.
"""

from __future__ import annotations

from gnn_checkpointing.study import Allocator

_SETTINGS: dict[Allocator, dict[str, str]] = {
    "retaining": {
        "MALLOC_MMAP_THRESHOLD_": str(16 * 2**30),
        "MALLOC_TRIM_THRESHOLD_": str(16 * 2**30),
        "MALLOC_TOP_PAD_": str(256 * 2**20),
    },
    "default": {},
    "jemalloc": {},
}
_NAMES = {name for settings in _SETTINGS.values() for name in settings} | {"MALLOC_ARENA_MAX", "LD_PRELOAD"}


def worker_environment(inherited: dict[str, str], allocator: Allocator, threads: int) -> dict[str, str]:
    """Return the environment of a measured process: allocator and threads fixed, never inherited."""
    environment = {name: value for name, value in inherited.items() if name not in _NAMES}
    environment |= _SETTINGS[allocator]
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment[name] = str(threads)
    environment["KINETO_LOG_LEVEL"] = "99"  # the profiler reports its own start and stop otherwise
    return environment
