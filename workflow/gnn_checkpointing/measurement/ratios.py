"""Paired time ratios: both steps of a ratio ran in the same round, so that what slowed the machine slowed both.

The rounds of one process tell how rounds scatter. Another process lays out its memory elsewhere and is off by more
than that, all policies of a cell together, so a cell is timed in several; what they differ by, pooled over the study,
is in every interval.
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
        """Half the interval as a share of the ratio."""
        return (self.high - self.low) / 2 / self.median


class ProcessSpread(NamedTuple):
    """Standard deviation of a log ratio from process to process, beyond what its rounds scatter, and its freedom."""

    deviation: float
    degrees_of_freedom: int

    def half_width(self, processes: int, confidence: float) -> float:
        """Half the interval of the mean of `processes` log ratios that this spread alone would give."""
        if not self.degrees_of_freedom:
            return 0.0
        # A machine that only measures may lack scipy, and asks for no intervals of several processes.
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
    """`seconds / reference_seconds`: the geometric mean of the processes' medians of round by round ratios.

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
    """The spread pooled over cells, each given by its policies' seconds and those of `none`.

    A cell's policies share the process of `none` and so count as one: their mean variance between processes, less what
    the scatter of rounds alone would make of medians, with as many degrees of freedom as a cell has processes but one.
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
    """Each process's median, and those of resamples of its rounds."""
    generator = np.random.Generator(np.random.PCG64(seed))
    found = [resampled_medians(values[np.newaxis], resamples, generator) for values in logarithms]
    return [(float(median.item()), medians[0]) for median, medians in found]


def _variance_between(logarithms: list[NDArray[np.float64]]) -> float:
    """The variance of the processes' medians, less the mean variance that each has by its rounds."""
    found = _medians(logarithms, _SPREAD_RESAMPLES, 0)
    own = fmean(float(medians.var()) for _, medians in found)
    return float(np.var([median for median, _ in found], ddof=1)) - own
