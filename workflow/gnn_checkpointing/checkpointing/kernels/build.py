"""The C++ kernels: compiled at first use for this machine's processor, kept in torch's folder of extensions, loaded."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
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
    # Both only let the compiler ignore what nothing here reads: errno, and traps of floating point.
    "-fno-math-errno",
    "-fno-trapping-math",
)


@functools.cache
def load() -> ctypes.CDLL:
    """The library of kernels, compiled where this machine has none yet; raises `Unavailable` where that fails."""
    compiler = _compiler()
    library = _folder() / f"kernels_{_key(compiler)}.so"
    if not library.exists():
        _compile(compiler, library)
    return ctypes.CDLL(str(library))


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
    """Where torch keeps what it compiles: TORCH_EXTENSIONS_DIR or its cache in the home directory."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = os.environ.get("TORCH_EXTENSIONS_DIR") or Path(cache) / "torch_extensions"
    return Path(root) / "gnn_checkpointing"


def _key(compiler: str) -> str:
    """A digest of all that the library depends on: sources, flags, compiler, torch, and the processor's features."""
    digest = hashlib.sha256()
    for source in sorted(_SOURCES.iterdir()):
        digest.update(source.name.encode() + source.read_bytes())
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    for part in (*_FLAGS, os.environ.get(_EXTRA, ""), version, torch.__version__, *_processor()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


_EXTRA = "GNN_CHECKPOINTING_KERNEL_FLAGS"
"""Further flags for the compiler, as `-fsanitize=address`."""


def _processor() -> tuple[str, ...]:
    """The processor as far as `-march=native` reads it, so that a shared home directory gives no illegal instruction."""
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.machine(), platform.processor()
    wanted = ("flags", "Features", "model", "cpu family", "CPU part", "vendor_id")
    lines = information.read_text().split("\n\n")[0].splitlines()
    return platform.machine(), *(line for line in lines if line.split("\t")[0].strip() in wanted)


def _compile(compiler: str, library: Path) -> None:
    """Compile each source beside the others and link them; the finished library appears under its name at once."""
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        flags = [*_FLAGS, *os.environ.get(_EXTRA, "").split(), *_openmp(compiler, Path(folder))]
        objects, running = [], []
        for source in sorted(_SOURCES.glob("*.cpp")):
            objects.append(str(Path(folder) / f"{source.stem}.o"))
            command = [compiler, *flags, "-c", str(source), "-o", objects[-1]]
            running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
        for process in running:
            _, errors = process.communicate()
            _refuse_errors(compiler, process.returncode, errors)
        made = str(Path(folder) / library.name)
        linking = subprocess.run(
            [compiler, *flags, "-shared", *objects, "-o", made], capture_output=True, text=True, check=False
        )
        _refuse_errors(compiler, linking.returncode, linking.stderr)
        # Two processes may both compile: each renames a whole library, and either is right.
        Path(made).replace(library)


def _openmp(compiler: str, folder: Path) -> list[str]:
    """The flag for threads, where the compiler has OpenMP; without it the kernels run on one thread."""
    probe = folder / "probe.cpp"
    probe.write_text("#include <omp.h>\nint threads() { return omp_get_max_threads(); }\n")
    made = subprocess.run(
        [compiler, "-fopenmp", "-fPIC", "-shared", str(probe), "-o", str(folder / "probe.so")],
        capture_output=True,
        check=False,
    )
    return ["-fopenmp"] if made.returncode == 0 else []


def _refuse_errors(compiler: str, status: int, errors: str) -> None:
    if status == 0:
        return
    lines = errors.strip().splitlines() or ["no message"]
    first = next((line for line in lines if "error" in line), lines[0])
    raise Unavailable(
        f"policy fused_edge_blocks: {compiler} cannot compile the kernels ({first.strip()}); policy edge_blocks needs "
        "no compiler"
    )
