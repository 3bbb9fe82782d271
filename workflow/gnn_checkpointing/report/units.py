"""The only module that formats numbers, such as "12.3 MiB" or "1.34 (1.31-1.38)".

A number that carries an address keeps it in the text (`sourced.py`).
"""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.sourced import mark, mark_between
from gnn_checkpointing.sourced import plain as without_source

MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"  # a unit never starts a line
NOTHING = "\N{EN DASH}"
KIB, MIB, GIB = 2.0**10, 2.0**20, 2.0**30
NANOSECOND, MICROSECOND, MILLISECOND = 1e-9, 1e-6, 1e-3

Value = TypeVar("Value", float, Estimate)
More = ParamSpec("More")


def _marked(words: Callable[Concatenate[Value, More], str]) -> Callable[Concatenate[Value, More], str]:
    """Wrap a formatter: it gets the number or estimate without its address, which is then put into the text."""

    @wraps(words)
    def marked(value: Value, /, *more: More.args, **named: More.kwargs) -> str:
        if not isinstance(value, Estimate):
            return mark(words(without_source(value), *more, **named), value)
        ends = {name: without_source(getattr(value, name)) for name in ("estimate", "low", "high")}
        bare: Any = Estimate.model_construct(**ends)
        return mark_between(words(bare, *more, **named), value)

    return marked


@_marked
def significant(value: float, digits: int = 3) -> str:
    """`value` to that many significant digits, never in scientific notation, with commas between thousands."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else NOTHING
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    rounded = round(value, decimals if decimals else digits - 1 - math.floor(math.log10(abs(value))))
    return fixed(rounded, min(decimals, 12))


@_marked
def plain(value: float) -> str:
    """`value` to at most three significant digits, without trailing zeros, such as "4" or "3.9"."""
    return without_idle_zeros(significant(value))


@_marked
def fixed(value: float, decimals: int) -> str:
    """`value` with that many decimals; a value that rounds to zero carries no sign."""
    text = f"{abs(value):,.{decimals}f}"
    return MINUS + text if value < 0 and any(digit in text for digit in "123456789") else text


@_marked
def count(value: float) -> str:
    """A whole number with commas between thousands."""
    return fixed(value, 0)


@_marked
def count_below(value: float) -> str:
    """A whole number rounded down to three significant digits, for a prediction of what still fits."""
    step = 10 ** max(0, len(str(int(value))) - 3)
    return count(int(value) // step * step)


@_marked
def digits(value: float) -> str:
    """A number without commas, as written in a file: for settings and seeds."""
    return f"{value:g}" if abs(value) < 1e6 and value != int(value) else str(int(value))


@_marked
def size(num_bytes: float) -> str:
    """Bytes in the largest binary unit in which the number is at least 1."""
    for factor, unit in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if abs(num_bytes) >= factor:
            return f"{significant(num_bytes / factor)}{SPACE}{unit}"
    return f"{significant(num_bytes)}{SPACE}B"


@_marked
def duration(seconds: float) -> str:
    """Seconds in the largest unit, ns to h, in which the number is at least 1 (at least 2 for minutes and hours)."""
    for factor, unit in ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (MILLISECOND, "ms"), (MICROSECOND, "µs")):
        if abs(seconds) >= factor * (2 if factor >= 60 else 1):
            return f"{significant(seconds / factor)}{SPACE}{unit}"
    return f"{significant(seconds / NANOSECOND)}{SPACE}ns"


@_marked
def ratio(value: float) -> str:
    """A ratio with two decimals; from 10 on with three significant digits, and below 0.1 with two."""
    if abs(value) > 0 and round(abs(value), 3) < 0.1:
        return significant(value, 2)
    return fixed(value, 2) if round(abs(value), 2) < 10 else significant(round(value, 2))


@_marked
def percent(share: float) -> str:
    """A share as a percentage: whole from 10 % on, two significant digits below, one below 0.1 %."""
    value = 100 * share
    if 0 < abs(value) < 0.1:
        return f"{significant(value, 1) if abs(value) >= 0.01 else '< 0.01'}{SPACE}%"
    decimals = 0 if round(abs(value), 1) >= 10 or value == 0 else 2 if 0.1 <= round(value, 2) < 1 else 1
    return f"{fixed(value, decimals)}{SPACE}%"


@_marked
def accuracy(share: float) -> str:
    """An accuracy as a percentage with one decimal."""
    return f"{fixed(100 * share, 1)}{SPACE}%"


def interval(low: str, high: str) -> str:
    """Interval between two formatted numbers; "to" replaces the dash if either number has a minus sign."""
    return f"{low} to {high}" if MINUS in low + high else f"{low}\N{EN DASH}{high}"


@_marked
def ratio_estimate(estimate: Estimate) -> str:
    """A ratio and its interval, such as "1.34 (1.31-1.38)"; the ratio alone if the ends read the same."""
    middle, low, high = (ratio(value) for value in (estimate.estimate, estimate.low, estimate.high))
    return middle if low == middle == high else f"{middle} ({interval(low, high)})"


@_marked
def share_estimate(estimate: Estimate) -> str:
    """A share and its interval as percentages, such as "1.2 % (0.4 % to 2.0 %)"."""
    return f"{percent(estimate.estimate)} ({percent(estimate.low)} to {percent(estimate.high)})"


@_marked
def percent_estimate(estimate: Estimate) -> str:
    """A ratio and its interval as percentages, such as "91 % (82-102 %)"; the ratio alone if the ends read the same."""
    middle, low, high = (percent(value) for value in (estimate.estimate, estimate.low, estimate.high))
    return middle if low == middle == high else f"{middle} ({interval(low.removesuffix(f'{SPACE}%'), high)})"


def estimate_of(middle: float, low: float, high: float) -> Estimate:
    """An estimate whose numbers keep their addresses; pydantic's validation would drop them."""
    return Estimate.model_construct(estimate=middle, low=low, high=high)


@_marked
def scaled_estimate(estimate: Estimate, factor: float = 1.0) -> str:
    """An estimate in units of `factor`, to three digits of its largest number, and its interval if it has one."""
    values = [number / factor for number in (estimate.estimate, estimate.low, estimate.high)]
    largest = max(abs(value) for value in values)
    decimals = 0 if largest == 0 else min(6, max(0, 2 - math.floor(math.log10(largest))))
    middle, low, high = (fixed(value, decimals) for value in values)
    return middle if estimate.low == estimate.high else f"{middle} ({interval(low, high)})"


@_marked
def share(value: float) -> str:
    """A share as a percentage with at most three significant digits; "< 0.01 %" for values that may be rounding."""
    number = "< 0.01" if 0 < value < 1e-4 else without_idle_zeros(significant(100 * value))
    return f"{number}{SPACE}%"


@_marked
def probability(value: float) -> str:
    """A p-value with three decimals, or "< 0.001"."""
    return "< 0.001" if value < 0.001 else fixed(value, 3)


@_marked
def error(value: float) -> str:
    """A relative error of any size, such as "0" or "3.1e-7"."""
    if value == 0:
        return "0"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{power[0].replace('-', MINUS).replace('+', '')}{abs(int(power))}"


@_marked
def confidence(level: float) -> str:
    """A confidence level, such as "95 %"."""
    return f"{100 * level:g}{SPACE}%"


@_marked
def general_estimate(estimate: Estimate) -> str:
    """An estimate of any size with its interval, each to at most three significant digits."""
    return f"{plain(estimate.estimate)} ({interval(plain(estimate.low), plain(estimate.high))})"


@_marked
def exact_or_general(estimate: Estimate) -> str:
    """Like `general_estimate`, but without the interval if its ends read the same as the estimate."""
    middle = plain(estimate.estimate)
    return middle if plain(estimate.low) == middle == plain(estimate.high) else general_estimate(estimate)


def without_idle_zeros(text: str) -> str:
    """A formatted number, with or without a unit, without trailing zeros in its decimals."""
    number, space, unit = text.partition(SPACE)
    return (number.rstrip("0").rstrip(".") if "." in number else number) + space + unit
