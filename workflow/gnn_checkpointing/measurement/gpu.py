"""The GPUs according to nvidia-smi: names, drivers, and other processes that hold memory of the measured GPU.

If another process is there before measuring, the job is refused; one that comes later is noted in the record.
nvidia-smi lists processes by the host's process ids, which differ inside a container or are missing there. So the list
is read before and after this process makes its CUDA context: the new entry is this process. If this process is not
listed, others might not be either, and the device memory in use according to the driver is compared with this
process's own instead.

Torch is imported only where a device is inspected.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gnn_checkpointing.refusal import Refusal

if TYPE_CHECKING:
    import torch

_TIMEOUT_SECONDS = 30
"""A driver that is not kept loaded takes seconds for its first answer."""

CONTEXT_BYTES, CONTEXT_SHARE = 2**30, 0.01
"""Memory that this process's context may take before there is a tensor: bytes, plus a share of the device's memory.
0.3 to 0.7 GiB were seen on GPUs of 16 to 80 GiB, growing with the device."""

GROWTH_BYTES = 512 * 2**20
"""Memory that kernels and library handles may add to the context while a graph is measured."""

_PATIENCE_SECONDS, _LOOK_SECONDS = 10.0, 0.5
"""A process that has just ended, such as the previous worker, may stay in the list for a moment."""

_REMEDY = "end it, wait for it, or name an idle GPU in CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Gpu:
    """One GPU: its name, its memory in bytes (None where it is not known) and the version of its driver."""

    name: str
    memory_bytes: int | None
    driver: str


@dataclass(frozen=True)
class GpuProcess:
    """A process that computes on the GPU `uuid`; `used_bytes` is None if the driver does not report it."""

    uuid: str
    pid: int
    name: str
    used_bytes: int | None

    def __str__(self) -> str:
        """Process id, name and bytes, as part of a sentence."""
        held = "an unknown number of bytes" if self.used_bytes is None else f"{self.used_bytes:,} bytes"
        return f"process {self.pid} ({self.name}), {held}"


def measured_gpu(asked: Literal["auto", "cpu", "cuda"]) -> Gpu | None:
    """GPU that the device setting of a study selects here, as far as this is known without torch; None for the CPU.

    `auto` selects none if the installed torch was built without CUDA.
    """
    return None if asked == "cpu" or (asked == "auto" and cuda_of_torch() is None) else first_gpu()


def expected_device(asked: Literal["auto", "cpu", "cuda"]) -> str:
    """Device that a measured process will use, as far as this is known without torch."""
    return "cuda" if asked == "cuda" or measured_gpu(asked) else "cpu"


def first_gpu() -> Gpu | None:
    """First GPU that a process started here would see, or None."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    first = None if visible is None else visible.split(",")[0].strip()
    if first in ("", "-1"):
        return None
    rows = _asked("--query-gpu=memory.total,driver_version,name", *([] if first is None else [f"--id={first}"]))
    return Gpu(rows[0][2], _bytes(rows[0][0]), rows[0][1]) if rows else None


def gpu_processes() -> list[GpuProcess]:
    """Processes that compute on any GPU; in a container the list may be empty even if there are some."""
    rows = _asked("--query-compute-apps=gpu_uuid,pid,used_memory,process_name")
    return [GpuProcess(uuid, int(pid), name, _bytes(used)) for uuid, pid, used, name in rows if pid.isdigit()]


def cuda_of_torch() -> str | None:
    """CUDA version of the installed torch; None if torch was built without CUDA or is missing."""
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
    """Rows of one nvidia-smi query, each split into its fields; empty if the tool is missing or fails.

    The last field may contain commas.
    """
    fields = query.count(",") + 1
    command = [shutil.which("nvidia-smi") or "", query, "--format=csv,noheader,nounits", *more]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[part.strip() for part in line.split(",", fields - 1)] for line in answer.stdout.splitlines()]
    return [row for row in rows if len(row) == fields]


def _bytes(mebibytes: str) -> int | None:
    """Convert a field in MiB to bytes; None for values such as `[N/A]`."""
    return int(mebibytes) * 2**20 if mebibytes.isdigit() else None


@dataclass(frozen=True)
class Neighbours:
    """Other users of the device, compared with the state when measuring began.

    `own` holds the process ids under which nvidia-smi lists this process, empty if it does not; `outside_bytes` is the
    memory in use at the start outside the caching allocator: the context of this process.
    """

    device: torch.device
    own: frozenset[int]
    outside_bytes: int

    def found(self) -> list[str]:
        """Other holders of the device's memory now, each described as part of a sentence."""
        others = [str(process) for process in _strangers(self.device, self.own)]
        grown = _outside_bytes(self.device) - self.outside_bytes
        if not self.own and grown > GROWTH_BYTES:
            others.append(f"someone who cannot be seen from here, {grown:,} bytes")
        return others


def alone_on(device: torch.device) -> Neighbours:
    """Take the state to compare with later; refuse a device whose memory another process holds.

    Call it before anything is on the device; it makes this process's context.
    """
    import torch

    before = {process.pid for process in gpu_processes()}
    outside = _outside_bytes(device)
    now = {process.pid for process in _strangers(device, ())}
    own = frozenset({os.getpid()} if os.getpid() in now else now - before)
    others = _strangers(device, own)
    given_up = time.monotonic() + _PATIENCE_SECONDS
    while others and time.monotonic() < given_up:
        time.sleep(_LOOK_SECONDS)
        others = _strangers(device, own)
    name = torch.cuda.get_device_name(device)
    if others:
        who = " and ".join(map(str, others))
        raise Refusal(f"the GPU {name} is in use by {who}: it would be measured along with the study; {_REMEDY}")
    allowed = CONTEXT_BYTES + int(CONTEXT_SHARE * torch.cuda.get_device_properties(device).total_memory)
    if not own and outside > allowed:
        raise Refusal(
            f"the GPU {name} has {outside:,} bytes in use before anything is measured, more than the {allowed:,} that "
            f"a CUDA context takes, by a process that cannot be seen from here; {_REMEDY}"
        )
    return Neighbours(device, own, outside)


def _strangers(device: torch.device, own: Collection[int]) -> list[GpuProcess]:
    """Processes other than this one that compute on the device."""
    import torch

    # Torch's uuid lacks the prefix that nvidia-smi shows.
    uuid = str(getattr(torch.cuda.get_device_properties(device), "uuid", ""))
    return [process for process in gpu_processes() if uuid in process.uuid and process.pid not in own]


def _outside_bytes(device: torch.device) -> int:
    """Bytes of the device's memory in use outside this process's caching allocator."""
    import torch

    free, total = torch.cuda.mem_get_info(device)
    return int(total - free - torch.cuda.memory_reserved(device))
