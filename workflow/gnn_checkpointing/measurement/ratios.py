"""Paired time ratios: both steps of a ratio ran in the same round, so that a slow machine slowed both.

The rounds of one process show only the scatter of rounds. Another process has another memory layout and differs by
more than that scatter, for all policies of a cell together. So a cell is timed in several processes, and the spread
between processes, pooled over the study, is part of every interval.
"""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.bootstrap import resampled_medians

_SPREAD_RESAMPLES = 500

Rounds = Sequence[Sequence[float]]
"""Seconds of each round, process by process."""


class Ratio(NamedTuple):
    """A time ratio with its interval."""

    median: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the width of the interval, relative to the ratio."""
        return (self.high - self.low) / 2 / self.median


class ProcessSpread(NamedTuple):
    """Standard deviation of a log ratio between processes beyond the scatter of rounds, and its degrees of freedom."""

    deviation: float
    degrees_of_freedom: int

    def half_width(self, processes: int, confidence: float) -> float:
        """Half the width of the interval that this spread alone gives the mean of `processes` log ratios."""
        if not self.degrees_of_freedom:
            return 0.0
        # A machine that only measures may lack scipy, but it needs no intervals over several processes.
        from scipy.special import stdtrit

        quantile = stdtrit(self.degrees_of_freedom, (1 + confidence) / 2)  # Student's t
        return float(quantile * self.deviation / math.sqrt(processes))


def paired_ratio(
    seconds: Rounds,
    reference_seconds: Rounds,
    confidence: float,
    resamples: int,
    seed: int,
    spread: ProcessSpread | None = None,
) -> Ratio:
    """Ratio `seconds / reference_seconds`: geometric mean over processes of the median ratio of a round.

    The interval is a percentile bootstrap of the rounds of each process; `spread` is added in quadrature, in logs.
    """
    found = _medians(_log_ratios(seconds, reference_seconds), resamples, seed)
    middle = fmean(median for median, _ in found)
    drawn = sum(medians for _, medians in found) / len(found)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    between = 0.0 if spread is None else spread.half_width(len(found), confidence)
    below, above = math.hypot(max(0.0, middle - low), between), math.hypot(max(0.0, high - middle), between)
    return Ratio(math.exp(middle), math.exp(middle - below), math.exp(middle + above))


def process_spread(cells: Iterable[Sequence[tuple[Rounds, Rounds]]]) -> ProcessSpread:
    """Spread pooled over cells; each cell is given by pairs of a policy's seconds and those of `none`.

    A cell's policies share the times of `none`, so they count as one: the mean of their variances between processes,
    less the variance that the scatter of rounds alone gives the medians. A cell adds its processes, minus one, to the
    degrees of freedom.
    """
    excess, freedom = [], 0
    for pairs in cells:
        several = [_log_ratios(*pair) for pair in pairs if len(pair[0]) > 1]
        if several:
            excess.append(fmean(_variance_between(logarithms) for logarithms in several))
            freedom += len(several[0]) - 1
    return ProcessSpread(math.sqrt(max(0.0, fmean(excess))), freedom) if excess else ProcessSpread(0.0, 0)


def _log_ratios(seconds: Rounds, reference_seconds: Rounds) -> list[NDArray[np.float64]]:
    return [np.log(np.asarray(own) / np.asarray(other)) for own, other in zip(seconds, reference_seconds, strict=True)]


def _medians(
    logarithms: list[NDArray[np.float64]], resamples: int, seed: int
) -> list[tuple[float, NDArray[np.float64]]]:
    """Median of each process, and the medians of resamples of its rounds."""
    generator = np.random.Generator(np.random.PCG64(seed))
    found = [resampled_medians(values[np.newaxis], resamples, generator) for values in logarithms]
    return [(float(median.item()), medians[0]) for median, medians in found]


def _variance_between(logarithms: list[NDArray[np.float64]]) -> float:
    """Variance of the processes' medians, minus the mean variance of a median due to its rounds."""
    found = _medians(logarithms, _SPREAD_RESAMPLES, 0)
    own = fmean(float(medians.var()) for _, medians in found)
    return float(np.var([median for median, _ in found], ddof=1)) - own
