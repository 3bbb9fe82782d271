"""What this machine is: a short slug for folders, and the facts that the report prints (no torch needed)."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from gnn_checkpointing.measurement.allocator import missing
from gnn_checkpointing.measurement.clock import clock_governor
from gnn_checkpointing.measurement.fingerprint import library_versions
from gnn_checkpointing.measurement.gpu import cuda_of_torch, first_gpu, measured_gpu
from gnn_checkpointing.study.study import Study


def hardware_slug(study: Study) -> str:
    """Return the study's own slug, or one made of accelerator or processor, cores and memory.

    Clock frequency and load are left out: the same machine must find its folder again.
    """
    if study.hardware.slug:
        return study.hardware.slug
    gpu = measured_gpu(study.measurement.device)
    words = re.findall(r"[a-z0-9]+", (gpu.name if gpu else processor_name()).lower())
    words = [word for word in words if word not in {"r", "tm", "cpu", "processor", "core", "with"}]
    return "-".join([*words[:5], f"{core_count()}c", f"{round(memory_bytes() / 2**30)}gib"])


def hardware_label(study: Study) -> str:
    """Return the machine's name for reading."""
    if study.hardware.label:
        return study.hardware.label
    gpu = measured_gpu(study.measurement.device)
    named = f"{gpu.name} + {processor_name()}" if gpu else processor_name()
    return f"{named}, {core_count()} cores, {memory_bytes() / 2**30:.0f} GiB"


def hardware_record(study: Study) -> dict[str, Any]:
    """Return slug, label and facts; the content of `hardware.json`."""
    facts = {
        "processor": processor_name(),
        "architecture": platform.machine(),
        "cores": str(core_count()),
        "memory": f"{memory_bytes() / 2**30:.1f} GiB",
        "last-level cache": _cache(),
        **_accelerator(study),
        "operating system": _system_name(),
        "kernel": platform.release(),
        "C library": " ".join(platform.libc_ver()) or "unknown",
        "compiler": _first_line("c++", "--version"),
        "commit": _first_line("git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"),
        "clock governor": clock_governor() or "not visible",
        "compute threads": str(study.measurement.threads),
        "allocators": ", ".join(
            f"{name} ({reason})" if (reason := missing(name)) else name for name in study.measurement.allocators
        ),
    } | library_versions()
    return {
        "slug": hardware_slug(study),
        "label": hardware_label(study),
        "facts": [{"name": name, "value": value} for name, value in facts.items()],
    }


def processor_name() -> str:
    """Return the processor's model name."""
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        if line.lower().startswith("model name"):
            return " ".join(line.split(":", 1)[1].split())
    return platform.processor() or platform.machine() or "unknown processor"


def core_count() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def memory_bytes() -> int:
    """Return the machine's physical memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _accelerator(study: Study) -> dict[str, str]:
    """Return the facts of the first GPU; only its absence where there is none."""
    gpu = first_gpu()
    if gpu is None:
        return {"accelerator": "none"}
    return {
        "accelerator": gpu.name,
        "accelerator memory": "unknown" if gpu.memory_bytes is None else f"{gpu.memory_bytes // 2**20} MiB",
        "accelerator driver": gpu.driver,
        "CUDA of torch": cuda_of_torch() or "none: built without",
        "measured device": "cuda" if measured_gpu(study.measurement.device) else "cpu",
    }


def _first_line(*command: str) -> str:
    """The first line that a command prints, "unknown" where it cannot run."""
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return next(iter(found.stdout.splitlines()), "unknown")


def _cache() -> str:
    sizes = [_read(str(path)) for path in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"))]
    return next((size for size in reversed(sizes) if size), "not visible")


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.platform(terse=True)


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None
