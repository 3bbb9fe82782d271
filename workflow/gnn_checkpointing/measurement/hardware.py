"""What this machine is: a short slug for folders, and the facts that the report prints (no torch needed)."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from gnn_checkpointing.measurement.allocator import missing
from gnn_checkpointing.measurement.clock import clock_governor
from gnn_checkpointing.measurement.fingerprint import library_versions
from gnn_checkpointing.study import Study


def hardware_slug(study: Study) -> str:
    """Return the study's own slug, or one made of accelerator or processor, cores and memory.

    Clock frequency and load are left out: the same machine must find its folder again.
    """
    if study.hardware.slug:
        return study.hardware.slug
    name = _gpu_name() if study.measurement.device != "cpu" else None
    words = re.findall(r"[a-z0-9]+", (name or processor_name()).lower())
    words = [word for word in words if word not in {"r", "tm", "cpu", "processor", "core", "with"}]
    return "-".join([*words[:5], f"{core_count()}c", f"{round(memory_bytes() / 2**30)}gib"])


def hardware_label(study: Study) -> str:
    """Return the machine's name for reading."""
    if study.hardware.label:
        return study.hardware.label
    parts = [_gpu_name() if study.measurement.device != "cpu" else None, processor_name()]
    named = " + ".join(part for part in parts if part)
    return f"{named}, {core_count()} cores, {memory_bytes() / 2**30:.0f} GiB"


def hardware_record(study: Study) -> dict[str, Any]:
    """Return slug, label and facts; the content of `hardware.json`."""
    facts = {
        "processor": processor_name(),
        "architecture": platform.machine(),
        "cores": str(core_count()),
        "memory": f"{memory_bytes() / 2**30:.1f} GiB",
        "last-level cache": _cache(),
        "accelerator": _gpu_name() or "none",
        "operating system": _system_name(),
        "kernel": platform.release(),
        "C library": " ".join(platform.libc_ver()) or "unknown",
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


def _gpu_name() -> str | None:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    try:
        answer = subprocess.run(
            [tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip().splitlines()[0].strip() if answer.stdout.strip() else None


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
