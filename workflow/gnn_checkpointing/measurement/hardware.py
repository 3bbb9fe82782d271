"""Description of this machine: slug, facts, clock, and whether it is of the same type as a study's results.

No torch is needed.
"""

import math
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from gnn_checkpointing.artefacts import digest, read_json
from gnn_checkpointing.measurement.allocator import missing
from gnn_checkpointing.measurement.fingerprint import library_versions
from gnn_checkpointing.measurement.gpu import cuda_of_torch, first_gpu, measured_gpu
from gnn_checkpointing.records.cell import Host
from gnn_checkpointing.records.record import machine_of
from gnn_checkpointing.refusal import Refusal, shown
from gnn_checkpointing.study.study import Study

_FREQUENCIES = "/sys/devices/system/cpu/cpu{core}/cpufreq/{name}"

_SAME_MEMORY = 0.05
"""Relative tolerance: systems on machines of one type report slightly different memory."""


def hardware_slug(study: Study) -> str:
    """The study's own slug, or one made from accelerator or processor, cores and memory.

    Clock frequency and load are left out, so that the same machine finds its folder again.
    """
    if study.hardware.slug:
        return study.hardware.slug
    gpu = measured_gpu(study.measurement.device)
    words = re.findall(r"[a-z0-9]+", (gpu.name if gpu else processor_name()).lower())
    words = [word for word in words if word not in {"r", "tm", "cpu", "processor", "core", "with"}]
    return "-".join([*words[:5], f"{len(_cores())}c", f"{round(_memory_bytes() / 2**30)}gib"])


def hardware_record(study: Study) -> dict[str, Any]:
    """Slug, label and facts of this machine: the content of `hardware.json`."""
    gpu, measured = first_gpu(), measured_gpu(study.measurement.device)
    facts = {
        "processor": processor_name(),
        "architecture": platform.machine(),
        "cores": str(len(_cores())),
        "memory": f"{_memory_bytes() / 2**30:.1f} GiB",
        "last-level cache": _cache(),
        "accelerator": gpu.name if gpu else "none",
    }
    if gpu:
        facts |= {
            "accelerator memory": "unknown" if gpu.memory_bytes is None else f"{gpu.memory_bytes // 2**20} MiB",
            "accelerator driver": gpu.driver,
            "CUDA of torch": cuda_of_torch() or "none: built without",
            "measured device": "cuda" if measured else "cpu",
        }
    facts |= {
        "operating system": _system_name(),
        "kernel": platform.release(),
        "C library": " ".join(platform.libc_ver()) or "unknown",
        "compiler": _first_line("c++", "--version"),
        "commit": commit_of(Path(__file__).parents[1]),
        "clock governor": clock_governor() or "not visible",
        "compute threads": str(study.measurement.threads),
        "allocators": ", ".join(
            f"{name} ({reason})" if (reason := missing(name)) else name for name in study.measurement.allocators
        ),
        **library_versions(),
    }
    named = f"{measured.name} + {processor_name()}" if measured else processor_name()
    return {
        "slug": hardware_slug(study),
        "label": study.hardware.label or f"{named}, {len(_cores())} cores, {_memory_bytes() / 2**30:.0f} GiB",
        "facts": [{"name": name, "value": value} for name, value in facts.items()],
    }


def this_host(study: Study) -> Host:
    """Machine that this process runs on; SLURM's node name takes precedence over the system's host name."""
    facts = machine_of(hardware_record(study)).facts
    name = os.environ.get("SLURMD_NODENAME") or platform.node()
    fields = {field: facts[field] for field in ("processor", "cores", "memory", "accelerator")}
    return Host(id=digest(name, 8), **fields)


def differences(host: Host, facts: Mapping[str, str], device: str) -> list[str]:
    """Differences between `host` and the type of machine that `facts` describe; empty if it is of that type.

    The accelerator counts only if the study may measure on one.
    """
    fields = ["processor", "cores", *([] if device == "cpu" else ["accelerator"]), "memory"]
    return [
        f"{field} {own}, not {facts.get(field)}"
        for field in fields
        if (own := getattr(host, field)) != facts.get(field)
        and not (field == "memory" and _same_memory(own, facts.get(field, "")))
    ]


def refuse_another_type(host: Host, hardware_file: Path, device: str) -> None:
    """Refuse to measure on `host` if `hardware_file` describes another type of machine."""
    found = differences(host, machine_of(read_json(hardware_file), hardware_file).facts, device)
    if found:
        raise Refusal(
            f"{hardware_file}: this machine is of another type ({'; '.join(found)}), and one study's results are of "
            "one type: keep measuring jobs on it (`constraint` in profiles/slurm/config.yaml), or give this type "
            "results of its own (hardware.slug in the study)"
        )


def _same_memory(one: str, other: str) -> bool:
    """Whether two sizes such as "23.6 GiB" can be of the same type of machine."""
    try:
        sizes = [float(text.split()[0]) for text in (one, other)]
    except (IndexError, ValueError):
        return False
    return math.isclose(*sizes, rel_tol=_SAME_MEMORY)


def clock_mhz() -> float | None:
    """Mean clock in MHz of the cores that this process may use; None if the system does not report it."""
    now = [text for core in _cores() if (text := _read(_FREQUENCIES.format(core=core, name="scaling_cur_freq")))]
    if now:
        return fmean(int(kilohertz) / 1000 for kilohertz in now)
    found = re.findall(r"^cpu MHz\s*:\s*([0-9.]+)", _read("/proc/cpuinfo") or "", re.MULTILINE)
    return fmean(map(float, found)) if found else None


def clock_governor() -> str | None:
    """Frequency governor of the first core; None if it is not visible."""
    return _read(_FREQUENCIES.format(core=0, name="scaling_governor"))


def processor_name() -> str:
    """The processor's model name."""
    found = re.search(r"^model name[^:]*:(.*)", _read("/proc/cpuinfo") or "", re.MULTILINE | re.IGNORECASE)
    if found:
        return " ".join(found[1].split())
    return platform.processor() or platform.machine() or "unknown processor"


def _cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def commit_of(folder: Path) -> str:
    """Commit that a folder is from, and whether the folder has uncommitted changes."""
    git = ("git", "-C", str(folder))
    commit, changed = _first_line(*git, "rev-parse", "--short=12", "HEAD"), _first_line(*git, "status", "-s", "--", ".")
    return commit if changed == "unknown" else f"{commit} and changes"


def _first_line(*command: str) -> str:
    """First line that a command prints; "unknown" if it fails or prints nothing."""
    try:
        found = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return shown(next(iter(found.stdout.splitlines()), "unknown"))


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
