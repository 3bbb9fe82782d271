"""Medians of bootstrap resamples without drawing whole resamples, and when timing checks them (needs numpy only)."""

import math
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOOK_EVERY = 10
"""Rounds of a process between checks of the intervals: fewer cannot distinguish a narrow interval from a lucky one."""

LOOK_CONFIDENCE = 0.999
"""Confidence level of the intervals that are checked. Stopping as soon as an interval of the published level is narrow
would favour lucky intervals; the analysis simulates the rule on known ratios (`analysis/stopping.py`)."""

LOOK_RESAMPLES = 2000


class Share(NamedTuple):
    """One process's share of a cell's rounds, and the half-width at which it stops."""

    at_least: int
    at_most: int
    half_width: float

    @classmethod
    def of(cls, rounds: tuple[int, int], processes: int, half_width: float) -> Self:
        """The share of each process; averaging over processes narrows an interval by the root of their number."""
        fewest, most = (math.ceil(number / processes) for number in rounds)
        return cls(fewest, most, half_width * math.sqrt(processes))

    def looks(self, rounds: int) -> bool:
        """Whether a process checks after this number of rounds if it may stop."""
        return rounds >= self.at_least and rounds % LOOK_EVERY == 0


def resampled_medians(values: Floats, resamples: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Median of each row, and medians of bootstrap resamples of its values.

    `values` is [num_rows, num_values]; the medians are [num_rows] and [num_rows, resamples].

    A resample's median is the sorted value at the middle of the drawn positions. That position is a rounded order
    statistic of uniform numbers, which is Beta-distributed; the next one above it is the minimum of the rest (David and
    Nagaraja 2003, "Order Statistics", sections 2.1 and 2.5). A resample thus needs two random numbers and no sorting.
    """
    rows, count = values.shape
    ordered = np.sort(values, axis=1)
    lower, upper = (count - 1) // 2, count // 2

    def at(shares: Floats) -> Floats:
        found: Floats = np.take_along_axis(ordered, np.minimum((shares * count).astype(np.int64), count - 1), axis=1)
        return found

    first = generator.beta(lower + 1, count - lower, size=(rows, resamples))
    medians = at(first)
    if upper > lower:
        second = 1 - (1 - first) * generator.random((rows, resamples)) ** (1 / (count - upper))
        medians = (medians + at(second)) / 2
    return (ordered[:, lower] + ordered[:, upper]) / 2, medians
