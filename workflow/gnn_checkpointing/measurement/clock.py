"""The processor's clock and its governor, read and never set (torch-free)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from statistics import fmean

_FREQUENCIES = "/sys/devices/system/cpu/cpu{core}/cpufreq/{name}"


def clock_mhz() -> float | None:
    """Return the mean clock of the cores that this process may use, in MHz; None where the system does not say."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    now = [text for core in cores if (text := _read(_FREQUENCIES.format(core=core, name="scaling_cur_freq")))]
    if now:
        return fmean(int(kilohertz) / 1000 for kilohertz in now)
    told = re.findall(r"^cpu MHz\s*:\s*([0-9.]+)", _read("/proc/cpuinfo") or "", re.MULTILINE)
    return fmean(map(float, told)) if told else None


def clock_governor() -> str | None:
    """Return the frequency governor of the first core; None where it is not visible."""
    return _read(_FREQUENCIES.format(core=0, name="scaling_governor"))


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None
