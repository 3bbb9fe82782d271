"""What nvidia-smi says of the GPUs: their names and drivers, and the processes that compute on them (torch-free)."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_MIB = 2**20
_TIMEOUT_SECONDS = 30
"""A driver that is not kept loaded takes seconds to answer for the first time."""


@dataclass(frozen=True)
class Gpu:
    """One GPU: its name, its memory in bytes (None where it is not told) and the version of its driver."""

    name: str
    memory_bytes: int | None
    driver: str


@dataclass(frozen=True)
class GpuProcess:
    """A process that computes on the GPU `uuid`; `used_bytes` is None where the driver does not say."""

    uuid: str
    pid: int
    name: str
    used_bytes: int | None

    def __str__(self) -> str:
        """Return it for a sentence: number, name, bytes."""
        held = "an unknown number of bytes" if self.used_bytes is None else f"{self.used_bytes:,} bytes"
        return f"process {self.pid} ({self.name}), {held}"


def measured_gpu(asked: Literal["auto", "cpu", "cuda"]) -> Gpu | None:
    """Return the GPU that a study's device leads to here, as far as it can be told without torch; None for the CPU.

    `auto` leads to none where the installed torch was built without CUDA.
    """
    if asked == "cpu" or (asked == "auto" and cuda_of_torch() is None):
        return None
    return first_gpu()


def expected_device(asked: Literal["auto", "cpu", "cuda"]) -> str:
    """The device that a measured process will use, as far as it can be told without torch."""
    return "cuda" if asked == "cuda" or measured_gpu(asked) else "cpu"


def first_gpu() -> Gpu | None:
    """Return the first GPU that a process started here would see, or None."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    first = None if visible is None else visible.split(",")[0].strip()
    if first in ("", "-1"):
        return None
    chosen = [] if first is None else [f"--id={first}"]
    rows = _asked("--query-gpu=memory.total,driver_version,name", *chosen)
    if not rows:
        return None
    memory, driver, name = rows[0]
    return Gpu(name, _bytes(memory), driver)


def gpu_processes() -> list[GpuProcess]:
    """Return the processes that compute on any GPU; in a container the list may be empty though there are some."""
    rows = _asked("--query-compute-apps=gpu_uuid,pid,used_memory,process_name")
    return [GpuProcess(uuid, int(pid), name, _bytes(used)) for uuid, pid, used, name in rows if pid.isdigit()]


def cuda_of_torch() -> str | None:
    """Return the CUDA version that the installed torch was built for, None where it was built without or is missing."""
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return None
    try:
        text = Path(found.origin).with_name("version.py").read_text(encoding="utf-8")
    except OSError:
        return None
    version = re.search(r"^cuda\b[^=\n]*=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    return None if version is None else version[1]


def _asked(query: str, *more: str) -> list[list[str]]:
    """Return the rows of one query, each split into its fields; none where the tool is missing or fails.

    The field asked for last may have commas of its own.
    """
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    fields = query.count(",") + 1
    try:
        answer = subprocess.run(
            [tool, query, "--format=csv,noheader,nounits", *more],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[part.strip() for part in line.split(",", fields - 1)] for line in answer.stdout.splitlines()]
    return [row for row in rows if len(row) == fields]


def _bytes(mebibytes: str) -> int | None:
    """Return a field in MiB as bytes; None for the likes of `[N/A]`."""
    return int(mebibytes) * _MIB if mebibytes.isdigit() else None
