"""Medians of bootstrap resamples, without drawing whole resamples (numpy alone)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def resampled_medians(values: Floats, resamples: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Return each row's median and those of resamples of its values, a row each.

    `values` is [num_rows, num_values]; the medians are [num_rows] and [num_rows, resamples].

    A resample's median is the sorted value at the middle one of the places drawn, and that is a rounded order statistic
    of uniform numbers: Beta, and the next above it the least of the rest (David and Nagaraja 2003, "Order Statistics",
    sections 2.1 and 2.5). So a resample takes two random numbers instead of one a value, and no sorting.
    """
    rows, count = values.shape
    ordered = np.sort(values, axis=1)
    lower, upper = (count - 1) // 2, count // 2
    first = generator.beta(lower + 1, count - lower, size=(rows, resamples))
    medians = _at(ordered, first)
    if upper > lower:
        second = 1 - (1 - first) * generator.random((rows, resamples)) ** (1 / (count - upper))
        medians = (medians + _at(ordered, second)) / 2
    return (ordered[:, lower] + ordered[:, upper]) / 2, medians


def _at(ordered: Floats, shares: Floats) -> Floats:
    """Return each row's values at shares of its length, from 0 for the least to 1."""
    rows, count = ordered.shape
    places = np.minimum((shares * count).astype(np.int64), count - 1)
    found: Floats = ordered.ravel()[places + count * np.arange(rows)[:, np.newaxis]]
    return found
