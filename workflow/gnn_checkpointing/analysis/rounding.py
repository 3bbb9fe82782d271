"""Numbers rounded to what they mean: the last bits of a fit depend on the processor that computed it."""

from __future__ import annotations

import math
from typing import Any

DIGITS = 8
"""Significant digits of a published number. Between processors, published numbers were seen to differ from the tenth
digit on; the two digits in between make it unlikely that two processors round to different sides."""

SHARE_PLACES = 8
"""Decimal places of a share of one: 0.000001 %, far above the 1e-16 that stands for 0."""

PROBABILITY_PLACES = 5
"""Decimal places of a p-value. Where a fit is almost exact, its scatter is known to seven digits, and so is its p."""

_GUARD = 3


def rounded(value: float, places: int) -> float:
    """The value to so many decimal places; -0.0 becomes 0.0.

    A value that lies half-way but for noise must not go up on one processor and down on another: so it is rounded some
    places further first, which puts it half-way exactly.
    """
    return round(round(float(value), places + _GUARD), places) + 0.0


def significant(value: float, digits: int = DIGITS) -> float:
    """The value to so many significant digits, but never coarser than a whole byte, node or edge."""
    if value == 0:
        return 0.0
    return rounded(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def share(value: float) -> float:
    """A share of one to the decimal places that mean something."""
    return rounded(value, SHARE_PLACES)


def probability(value: float) -> float:
    """A probability to the decimal places that mean something."""
    return rounded(value, PROBABILITY_PLACES)


def places_of(unit: float) -> int:
    """The decimal places that tell multiples of `unit` apart, 0 where that is a whole number."""
    return max(0, -math.floor(math.log10(unit)))


def all_significant(value: Any, digits: int = DIGITS) -> Any:
    """A JSON value with every number in it to so many significant digits; whole numbers stay as they are."""
    if isinstance(value, float):
        return significant(value, digits)
    if isinstance(value, dict):
        return {name: all_significant(each, digits) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [all_significant(each, digits) for each in value]
    return value
