"""Decisions about computed numbers that no rounding can turn: what is equal, what is least, what has full rank."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLOSE = 1e-8
"""Numbers that differ by less than this share of themselves are equal: rounding leaves 1e-16 to 1e-11."""


def first_least(values: Sequence[float] | Floats, nothing: float = 0.0) -> int:
    """The place of the least value, of equal ones the first; differences up to `nothing` count as none, too."""
    found = np.asarray(values, dtype=np.float64)
    least = found.min()
    return int(np.flatnonzero(found <= least + max(CLOSE * abs(least), nothing))[0])


def first_greatest(values: Sequence[float] | Floats, nothing: float = 0.0) -> int:
    """The place of the greatest value, of equal ones the first; differences up to `nothing` count as none, too."""
    return first_least(-np.asarray(values, dtype=np.float64), nothing)


def greater(one: Floats, other: Floats) -> NDArray[np.bool_]:
    """Where `one` is greater than `other` by more than rounding."""
    return one > other + CLOSE * np.maximum(np.abs(one), np.abs(other))


def rank(columns: Floats, close: float = CLOSE) -> int:
    """The numerical rank of columns (`[num_rows, num_columns]`), whatever units they are in."""
    values = np.linalg.svd(columns / lengths(columns), compute_uv=False)
    return int((values > close * values[0]).sum()) if len(values) else 0


def least_squares(columns: Floats, target: Floats) -> Floats:
    """The terms (`[num_columns]`) whose sum of columns is closest to `target`, the shortest such where several are."""
    scales = lengths(columns)
    found: Floats = np.linalg.lstsq(columns / scales, target, rcond=CLOSE)[0] / scales
    return found


def lengths(columns: Floats) -> Floats:
    """The length of each column (`[num_columns]`), 1 of a column of zeros, so that one may divide by it."""
    found: Floats = np.sqrt((columns**2).sum(axis=0))
    return np.where(found > 0, found, 1.0)
