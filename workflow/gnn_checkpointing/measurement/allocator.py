"""The memory allocator as a factor: environment settings that must be there before the measured process starts.

glibc's defaults give every large block back to the system after each step; page faults then cost more than the
computation. `retaining` keeps freed memory, as CUDA's caching allocator does. `jemalloc` runs with its own defaults:
it keeps freed memory too, but gives it back gradually when it has lain unused for ten seconds.
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
    # How memory is handed out; and whether warnings are errors, of which a policy would fail.
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
    # On CUDA, how memory is handed out, whether steps are queued, and how products round.
    *("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF", "PYTORCH_NO_CUDA_MEMORY_CACHING"),
    *("CUDA_LAUNCH_BLOCKING", "CUBLAS_", "CUBLASLT_", "NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_"),
)
"""Beginnings of the names of variables that would change what is measured."""

_DEBIAN_PATHS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/local/lib", "/usr/lib64", "/usr/lib")


def worker_environment(inherited: dict[str, str], allocator: Allocator, threads: int) -> dict[str, str]:
    """The environment of a measured process: allocators, threads and compilation are fixed, never inherited."""
    environment = {
        name: value
        for name, value in inherited.items()
        if name == "TORCHINDUCTOR_CACHE_DIR" or not name.startswith(_NEVER_INHERITED)
    }
    if allocator == "retaining":
        environment |= _RETAINING
    if allocator == "jemalloc" and (library := jemalloc()):
        environment["LD_PRELOAD"] = library
    # PyTorch's default, made explicit: segments of their own for large tensors, which are what `reserved` counts.
    environment["PYTORCH_ALLOC_CONF"] = "expandable_segments:False"
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment[name] = str(threads)
    environment["KINETO_LOG_LEVEL"] = "99"  # the profiler reports its own start and stop otherwise
    return environment


def missing(allocator: Allocator) -> str | None:
    """What `allocator` needs that this machine lacks, or None."""
    if allocator == "jemalloc" and jemalloc() is None:
        return "needs libjemalloc: apt-get install libjemalloc2"
    return None


def refused_on_cuda(allocator: Allocator) -> str | None:
    """Why `allocator` is no level of the factor on CUDA, or None."""
    if allocator == "retaining":
        return None
    return "on CUDA the caching allocator hands out memory, and keeps it; measured under retaining alone"


def jemalloc() -> str | None:
    """What LD_PRELOAD loads jemalloc by, or None where it is not installed."""
    paths = (path for folder in _DEBIAN_PATHS for path in sorted(Path(folder).glob("libjemalloc.so*")))
    return next(map(str, paths), None) or ctypes.util.find_library("jemalloc")
