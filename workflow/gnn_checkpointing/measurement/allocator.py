"""The memory allocator as a factor: environment settings that must be in place before the measured process starts.

With glibc's defaults every large block goes back to the system after each step; page faults then cost more than the
computation. `retaining` keeps freed memory, as CUDA's caching allocator does. `jemalloc` runs with its own defaults:
it also keeps freed memory, but returns it gradually once it has been unused for ten seconds.
"""

import ctypes.util
from pathlib import Path

from gnn_checkpointing.study.vocabulary import Allocator

_RETAINING = {
    "MALLOC_MMAP_THRESHOLD_": str(16 * 2**30),
    "MALLOC_TRIM_THRESHOLD_": str(16 * 2**30),
    "MALLOC_TOP_PAD_": str(256 * 2**20),
}
_NEVER_INHERITED = (
    # How memory is allocated, and whether warnings are errors, which would make a policy fail.
    *(
        "MALLOC_",
        "GLIBC_TUNABLES",
        "LD_PRELOAD",
        "PYTHONMALLOC",
        "PYTHONTRACEMALLOC",
        "PYTHONDEVMODE",
        "PYTHONWARNINGS",
    ),
    # Threads and instructions.
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "ONEDNN_", "DNNL_", "ATEN_CPU_CAPABILITY"),
    # Whether code is compiled, and how.
    *("TORCH_COMPILE_", "TORCHDYNAMO_", "TORCHINDUCTOR_", "PYTORCH_JIT"),
    # On CUDA: how memory is allocated, whether kernels are queued, and how matrix products round.
    *("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF", "PYTORCH_NO_CUDA_MEMORY_CACHING"),
    *("CUDA_LAUNCH_BLOCKING", "CUBLAS_", "CUBLASLT_", "NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_"),
)
"""Prefixes of environment variables that would change what is measured."""

_DEBIAN_PATHS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/local/lib", "/usr/lib64", "/usr/lib")


def worker_environment(inherited: dict[str, str], allocator: Allocator, threads: int) -> dict[str, str]:
    """Environment of a measured process: settings for allocators, threads and compilation are never inherited."""
    environment = {
        name: value
        for name, value in inherited.items()
        if name == "TORCHINDUCTOR_CACHE_DIR" or not name.startswith(_NEVER_INHERITED)
    }
    if allocator == "retaining":
        environment |= _RETAINING
    if allocator == "jemalloc" and (library := jemalloc()):
        environment["LD_PRELOAD"] = library
    # PyTorch's default, made explicit: each large tensor gets its own segment, and `reserved` counts segments.
    environment["PYTORCH_ALLOC_CONF"] = "expandable_segments:False"
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment[name] = str(threads)
    environment["KINETO_LOG_LEVEL"] = "99"  # otherwise the profiler reports its own start and stop
    return environment


def missing(allocator: Allocator) -> str | None:
    """Requirement of `allocator` that this machine lacks, or None."""
    if allocator == "jemalloc" and jemalloc() is None:
        return "needs libjemalloc: apt-get install libjemalloc2"
    return None


def refused_on_cuda(allocator: Allocator) -> str | None:
    """Why `allocator` cannot be measured on CUDA, or None if it can."""
    if allocator == "retaining":
        return None
    return "on CUDA the caching allocator hands out memory, and keeps it; measured under retaining alone"


def jemalloc() -> str | None:
    """Path or name of the jemalloc library for LD_PRELOAD, or None if it is not installed."""
    paths = (path for folder in _DEBIAN_PATHS for path in sorted(Path(folder).glob("libjemalloc.so*")))
    return next(map(str, paths), None) or ctypes.util.find_library("jemalloc")
