"""Compile the C++ kernels at first use, each for one layer shape and this machine's processor, and keep them on disk.

The number of channels is known at compile time, so rows lie in registers; each shape costs about a second, once on a
machine. The compiler is called directly: a C interface needs neither torch's headers nor Python's.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import torch

from gnn_checkpointing.refusal import Unavailable

_SOURCES = Path(__file__).with_name("csrc")

_FLAGS = (
    "-std=c++20",
    "-O2",
    "-march=native",
    "-fPIC",
    # These two let the compiler ignore errno and floating-point traps, which nothing here reads.
    "-fno-math-errno",
    "-fno-trapping-math",
)


@functools.cache
def load(family: str = "attention", **constants: str | int) -> ctypes.CDLL:
    """Load a family's library, compiled with `constants` as macros; raises `Unavailable` if it does not compile."""
    defines = tuple(f"-D{name}={value}" for name, value in sorted((constants or _ANY_SHAPE).items()))
    library = _folder() / f"{family}_{_key(family, defines)}.so"
    if not library.exists():
        _compile(_SOURCES / f"{family}.cpp", defines, library)
    return ctypes.CDLL(str(library))


_ANY_SHAPE: dict[str, str | int] = {"NUMBER": "float", "CHANNELS": 16, "KIND": "kGatv2", "EDGED": "false"}
"""Constants of the kernel that is compiled to find out whether this machine can compile at all."""


@functools.cache
def _compiler() -> str:
    """The path of the C++ compiler: the environment's CXX, else g++ or clang++."""
    for name in filter(None, (os.environ.get("CXX"), "g++", "clang++")):
        if path := shutil.which(name):
            return path
    raise Unavailable(
        "policy fused_edge_blocks needs a C++ compiler (CXX, g++ or clang++): on Debian and Ubuntu: apt-get install "
        "g++; policy edge_blocks needs none"
    )


def _folder() -> Path:
    """Folder for compiled kernels, where torch keeps its own: TORCH_EXTENSIONS_DIR or the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = os.environ.get("TORCH_EXTENSIONS_DIR") or Path(cache) / "torch_extensions"
    return Path(root) / "gnn_checkpointing"


@functools.cache
def _machine() -> bytes:
    """Everything a library depends on besides its source: flags, compiler, torch and the processor's features."""
    version = said_by([_compiler(), "--version"], _POLICY)
    # The kernels run on torch's threads.
    return "\0".join((*_FLAGS, os.environ.get(_EXTRA, ""), version, torch.__version__, *_processor())).encode()


_EXTRA = "GNN_CHECKPOINTING_KERNEL_FLAGS"
"""Environment variable with further compiler flags, such as `-fsanitize=address`."""


def _processor() -> tuple[str, ...]:
    """The processor as `-march=native` sees it: other processors that share the folder need other libraries."""
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.machine(), platform.processor()
    wanted = ("flags", "Features", "model", "cpu family", "CPU part", "vendor_id")
    lines = information.read_text().split("\n\n")[0].splitlines()
    return platform.machine(), *(line for line in lines if line.split("\t")[0].strip() in wanted)


def _key(family: str, defines: tuple[str, ...]) -> str:
    digest = hashlib.sha256(_machine())
    for source in (_SOURCES / f"{family}.cpp", *sorted(_SOURCES.glob("*.h"))):
        digest.update(source.read_bytes() + b"\0")
    digest.update(" ".join(defines).encode())
    return digest.hexdigest()[:16]


def _compile(source: Path, defines: tuple[str, ...], library: Path) -> None:
    """Compile `source` to `library`, which appears under its name only when it is complete."""
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        made = Path(folder) / library.name
        flags = [*_FLAGS, *_openmp(), *os.environ.get(_EXTRA, "").split(), *defines]
        said_by([_compiler(), *flags, "-shared", str(source), "-o", str(made)], _POLICY)
        # Two processes may compile at once: each renames a complete library, and either one is correct.
        made.replace(library)


@functools.cache
def _openmp() -> tuple[str, ...]:
    """The flag for OpenMP if the compiler supports it; without OpenMP the kernels run on one thread."""
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "probe.cpp"
        probe.write_text("#include <omp.h>\nint threads() { return omp_get_max_threads(); }\n")
        command = [_compiler(), "-fopenmp", "-fPIC", "-shared", str(probe), "-o", f"{probe}.so"]
        try:
            said_by(command, _POLICY)
        except Unavailable:
            return ()
        return ("-fopenmp",)


_POLICY = "fused_edge_blocks"
_PATIENCE_SECONDS = 120.0
"""Time limit: kernels compile within seconds, so a slower compiler hangs, as on a network drive or a licence check."""


def said_by(command: list[str], policy: str) -> str:
    """Run a compiler and give its output; raises `Unavailable` with its message if it fails, or if it does not end."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            said, complaint = process.communicate(timeout=_PATIENCE_SECONDS)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)  # also its child processes, which hold its output open
            if isinstance(error, subprocess.TimeoutExpired):
                raise Unavailable(
                    f"policy {policy}: {command[0]} did not end within {_PATIENCE_SECONDS:g} s; run it by hand to see "
                    "why; policy edge_blocks needs no compiler"
                ) from None
            raise
    if process.returncode == 0:
        return said
    lines = complaint.strip().splitlines() or ["no message"]
    first = next((line for line in lines if "error" in line), lines[0]).strip()
    raise Unavailable(f"policy {policy}: {command[0]} fails ({first}); policy edge_blocks needs no compiler")
