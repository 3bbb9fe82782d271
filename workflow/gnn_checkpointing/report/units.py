"""The one place where a number becomes a string such as "12.3 MiB" or "1.34 (1.31-1.38)"."""

from __future__ import annotations

import math

from gnn_checkpointing.analysis.results import Estimate

MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"  # a unit never starts a line
NOTHING = "\N{EN DASH}"
KIB, MIB, GIB = 2.0**10, 2.0**20, 2.0**30
NANOSECOND, MICROSECOND, MILLISECOND = 1e-9, 1e-6, 1e-3


def significant(value: float, digits: int = 3) -> str:
    """Return `value` to that many significant digits, never in powers of ten, with thousands parted by commas."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else NOTHING
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    rounded = round(value, decimals if decimals else digits - 1 - math.floor(math.log10(abs(value))))
    return fixed(rounded, min(decimals, 12))


def plain(value: float) -> str:
    """Return `value` to three significant digits at most, without idle zeros, such as "4" or "3.9"."""
    return _without_idle_zeros(significant(value))


def fixed(value: float, decimals: int) -> str:
    """Return `value` with that many decimals; a value that rounds to zero carries no sign."""
    text = f"{abs(value):,.{decimals}f}"
    return MINUS + text if value < 0 and any(digit in text for digit in "123456789") else text


def count(value: float) -> str:
    """Return a whole number with thousands parted by commas."""
    return fixed(value, 0)


def size(num_bytes: float) -> str:
    """Return bytes in the largest binary unit that leaves a number of at least 1."""
    for factor, unit in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if abs(num_bytes) >= factor:
            return f"{significant(num_bytes / factor)}{SPACE}{unit}"
    return f"{significant(num_bytes)}{SPACE}B"


def round_size(num_bytes: float) -> str:
    """Return bytes as `size` does, without idle zeros: for ticks of an axis."""
    number, unit = size(num_bytes).split(SPACE)
    return f"{_without_idle_zeros(number)}{SPACE}{unit}"


def round_duration(seconds: float) -> str:
    """Return seconds as `duration` does, without idle zeros: for ticks of an axis."""
    number, unit = duration(seconds).split(SPACE)
    return f"{_without_idle_zeros(number)}{SPACE}{unit}"


def duration(seconds: float) -> str:
    """Return seconds in the unit that leaves a number of at least 1, from ns to hours."""
    for factor, unit in ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (MILLISECOND, "ms"), (MICROSECOND, "µs")):
        if abs(seconds) >= factor * (2 if factor >= 60 else 1):
            return f"{significant(seconds / factor)}{SPACE}{unit}"
    return f"{significant(seconds / NANOSECOND)}{SPACE}ns"


def ratio(value: float) -> str:
    """Return a ratio with at least two decimals and at least two significant digits."""
    return significant(value, 2) if 0 < abs(value) < 0.1 else fixed(value, 2)


def percent(share: float) -> str:
    """Return a share as a percentage, with one decimal below ten per cent."""
    value = 100 * share
    return f"{fixed(value, 0 if abs(value) >= 10 or value == 0 else 1)}{SPACE}%"


def accuracy(share: float) -> str:
    """Return an accuracy as a percentage with one decimal."""
    return f"{fixed(100 * share, 1)}{SPACE}%"


def interval(low: str, high: str) -> str:
    """Return the span between two formatted numbers; the word stands where a dash would read as a minus."""
    return f"{low} to {high}" if MINUS in low + high else f"{low}\N{EN DASH}{high}"


def ratio_estimate(estimate: Estimate) -> str:
    """Return a ratio and its interval, such as "1.34 (1.31-1.38)"; an exact one has none."""
    if estimate.low == estimate.high:
        return ratio(estimate.estimate)
    return f"{ratio(estimate.estimate)} ({interval(ratio(estimate.low), ratio(estimate.high))})"


def share_estimate(estimate: Estimate) -> str:
    """Return a share and its interval as percentages, such as "1.2 % (0.4 % to 2.0 %)"."""
    return f"{percent(estimate.estimate)} ({percent(estimate.low)} to {percent(estimate.high)})"


def scaled_estimate(estimate: Estimate, factor: float = 1.0) -> str:
    """Return an estimate and its interval in units of `factor`, with the decimals that three digits need."""
    values = [number / factor for number in (estimate.estimate, estimate.low, estimate.high)]
    largest = max(abs(value) for value in values)
    decimals = 0 if largest == 0 else min(6, max(0, 2 - math.floor(math.log10(largest))))
    middle, low, high = (fixed(value, decimals) for value in values)
    return f"{middle} ({interval(low, high)})"


def probability(value: float) -> str:
    """Return a p-value; below 0.001 only that it is."""
    return "< 0.001" if value < 0.001 else fixed(value, 3)


def error(value: float) -> str:
    """Return a relative error of any size, such as "0" or "3.1e-7"."""
    if value == 0:
        return "0"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{power[0].replace('-', MINUS).replace('+', '')}{abs(int(power))}"


def confidence(level: float) -> str:
    """Return a confidence level, such as "95 %"."""
    return f"{100 * level:g}{SPACE}%"


def general_estimate(estimate: Estimate) -> str:
    """Return an estimate of any size with its interval, each to three significant digits at most."""
    return f"{plain(estimate.estimate)} ({interval(plain(estimate.low), plain(estimate.high))})"


def _without_idle_zeros(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
