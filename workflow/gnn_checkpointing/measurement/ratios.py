"""Paired time ratios: both steps of a ratio ran in the same round, so that what slowed the machine slowed both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ratio:
    """Median of the rounds' ratios with its bootstrap interval."""

    median: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the interval as a share of the median."""
        return (self.high - self.low) / 2 / self.median


def paired_ratio(
    seconds: list[float], reference_seconds: list[float], confidence: float, resamples: int, seed: int
) -> Ratio:
    """Return the median of `seconds / reference_seconds` round by round, with a percentile bootstrap interval."""
    ratios = np.asarray(seconds) / np.asarray(reference_seconds)
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = generator.integers(0, len(ratios), size=(resamples, len(ratios)))
    medians = np.median(ratios[drawn], axis=1)
    low, high = np.quantile(medians, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Ratio(float(np.median(ratios)), float(low), float(high))
