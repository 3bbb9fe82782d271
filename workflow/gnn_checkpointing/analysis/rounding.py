"""Rounding of numbers, and comparisons that rounding errors cannot flip; last bits depend on the processor."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLOSE = 1e-8
"""Numbers that differ by less than this share count as equal: rounding errors are 1e-16 to 1e-11."""

DIGITS = 8
"""Significant digits of a published number. Numbers were seen to differ between processors from the tenth digit on; the
digits in between make it unlikely that two processors round to different sides."""

_GUARD = 3


def rounded(value: float, places: int) -> float:
    """The value to `places` decimal places; -0.0 becomes 0.0.

    It is first rounded to a few more places. Otherwise a value that is half-way up to noise could be rounded up on one
    processor and down on another; the first rounding makes it exactly half-way.
    """
    return round(round(float(value), places + _GUARD), places) + 0.0


def significant(value: float, digits: int = DIGITS) -> float:
    """The value to `digits` significant digits, but never coarser than a whole byte, node or edge."""
    if value == 0:
        return 0.0
    return rounded(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


share = partial(rounded, places=8)
"""A share of one to 0.000001 %, far above the 1e-16 that means 0."""

probability = partial(rounded, places=5)
"""A p-value. If a fit is almost exact, its scatter and thus its p-value are known to seven digits only."""


def places_of(unit: float) -> int:
    """The decimal places that distinguish multiples of `unit`, 0 where that is a whole number."""
    return max(0, -math.floor(math.log10(unit)))


def all_significant(value: Any, digits: int = DIGITS) -> Any:
    """A JSON value with every float in it rounded to `digits` significant digits; integers stay as they are."""
    if isinstance(value, float):
        return significant(value, digits)
    if isinstance(value, dict):
        return {name: all_significant(each, digits) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [all_significant(each, digits) for each in value]
    return value


def first_least(values: Sequence[float] | Floats, nothing: float = 0.0) -> int:
    """Index of the smallest value, the first among equals; differences up to `nothing` also count as equal."""
    found = np.asarray(values, dtype=np.float64)
    least = found.min()
    return int(np.flatnonzero(found <= least + max(CLOSE * abs(least), nothing))[0])


def first_greatest(values: Sequence[float] | Floats, nothing: float = 0.0) -> int:
    """Index of the greatest value, the first among equals; differences up to `nothing` also count as equal."""
    return first_least(-np.asarray(values, dtype=np.float64), nothing)


def greater(one: Floats, other: Floats) -> NDArray[np.bool_]:
    """Where `one` is greater than `other` by more than rounding errors."""
    return one > other + CLOSE * np.maximum(np.abs(one), np.abs(other))


def rank(columns: Floats, close: float = CLOSE) -> int:
    """The numerical rank of columns (`[num_rows, num_columns]`), whatever units they are in."""
    values = np.linalg.svd(columns / lengths(columns), compute_uv=False)
    return int((values > close * values[0]).sum()) if len(values) else 0


def least_squares(columns: Floats, target: Floats) -> Floats:
    """Coefficients (`[num_columns]`) of the columns that fit `target` best; the shortest vector among equals."""
    scales = lengths(columns)
    found: Floats = np.linalg.lstsq(columns / scales, target, rcond=CLOSE)[0] / scales
    return found


def lengths(columns: Floats) -> Floats:
    """Length of each column (`[num_columns]`); 1 for a column of zeros, so that it can be divided by."""
    found: Floats = np.sqrt((columns**2).sum(axis=0))
    return np.where(found > 0, found, 1.0)
