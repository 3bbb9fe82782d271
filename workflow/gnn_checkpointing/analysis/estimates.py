"""A mean over the cells of one place, and how far another run might move it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from gnn_checkpointing.analysis.results import Estimate, RunToRun
from gnn_checkpointing.analysis.table import Row
from gnn_checkpointing.records.measurements_table import Value

Floats = NDArray[np.float64]

RATIO_FLOOR = 0.092 / norm.ppf(0.95) / math.sqrt(2)
"""Two runs of the default study on one machine, hours apart: 90 % of 216 paired time ratios differed by at most 9.2 %
(half of them by at most 3.1 %). As a normal standard deviation of one run: 4.0 %. Its median alone would give 3.2 %."""

SECONDS_FLOOR = 0.101 / norm.ppf(0.75) / math.sqrt(2)
"""The same two runs: half of the step times differed by more than 10.1 % beside the factor that all of them share."""


@dataclass(frozen=True)
class Noise:
    """What leaves a mean of times open: scatter between draws, pooled over the study, and other runs.

    `ratio_scatter` and `seconds_scatter` are standard deviations of logarithms with their degrees of freedom.
    """

    confidence: float
    run: RunToRun
    ratio_scatter: tuple[float, int] = (0.0, 0)
    seconds_scatter: tuple[float, int] = (0.0, 0)

    def time_ratio(self, cells: Sequence[Row], quantile_of: float | None = None) -> Estimate:
        """The mean time ratio of timed cells; `quantile_of` is another confidence than the study's."""
        middle = logarithms(cells, "time_ratio")
        low, high = logarithms(cells, "time_ratio_low"), logarithms(cells, "time_ratio_high")
        confidence = quantile_of or self.confidence
        stretch = _quantile(confidence, None) / _quantile(self.confidence, None)
        scatter = self._reach(self.ratio_scatter, len(cells), confidence)
        run = self.run.deviation * _quantile(confidence, self.run.degrees_of_freedom)
        below, above = (
            math.hypot(max(stretch * _root(reach), scatter), run) for reach in (middle - low, high - middle)
        )
        return _around(float(middle.mean()), below, above)

    def seconds(self, cells: Sequence[Row]) -> Estimate:
        """The mean step time of timed cells, as the machine was on the day."""
        middle = logarithms(cells, "step_time_seconds")
        run = self.run.seconds_deviation * _quantile(self.confidence, None)
        reach = math.hypot(self._reach(self.seconds_scatter, len(cells), self.confidence), run)
        return _around(float(middle.mean()), reach, reach)

    @staticmethod
    def _reach(scatter: tuple[float, int], count: int, confidence: float) -> float:
        deviation, freedom = scatter
        return deviation / math.sqrt(count) * _quantile(confidence, freedom) if freedom else 0.0


def mean_bytes(cells: Sequence[Row], name: str) -> Estimate:
    """The mean of a ratio of bytes and its span: in each cell it is exact."""
    found = logarithms(cells, name)
    mean, low, high = float(found.mean()), float(found.min()), float(found.max())
    # The mean of equal logarithms may differ from them in the last digit.
    return Estimate(estimate=math.exp(mean), low=math.exp(min(low, mean)), high=math.exp(max(high, mean)))


def noise(
    confidence: float, places: Iterable[Sequence[Row]], repeats: Sequence[Mapping[str, Value]], reference: str
) -> Noise:
    """The noise of a study: `places` are the cells of each place and policy, `repeats` all rows with their visits."""
    timed = [[row for row in cells if row.time_ratio is not None] for cells in places]
    several = [cells for cells in timed if len(cells) > 1]
    return Noise(
        confidence,
        run_to_run(repeats, reference),
        _pooled([logarithms(cells, "time_ratio") for cells in several]),
        _pooled([logarithms(cells, "step_time_seconds") for cells in several]),
    )


def run_to_run(rows: Sequence[Mapping[str, Value]], reference: str) -> RunToRun:
    """How far time ratios of the same cell differ between its visits, and at least between two runs of a study."""
    visits: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        ratio = row["time_ratio"]
        if isinstance(ratio, int | float) and row["policy"] != "none" and row["allocator"] == reference:
            visits.setdefault(str(row["cell"]), {}).setdefault(str(row["policy"]), []).append(math.log(ratio))
    # A cell's policies share the process of none, so they count as one.
    variances = [
        (float(np.mean([np.var(found, ddof=1) for found in several])), len(several[0]) - 1)
        for policies in visits.values()
        if (several := [found for found in policies.values() if len(found) > 1])
    ]
    freedom = sum(degrees for _, degrees in variances)
    measured = math.sqrt(sum(value * degrees for value, degrees in variances) / freedom) if freedom else None
    beyond = measured is not None and measured > RATIO_FLOOR
    return RunToRun(
        deviation=max(measured or 0.0, RATIO_FLOOR),
        seconds_deviation=SECONDS_FLOOR,
        repeated_cells=len(variances),
        measured=measured,
        degrees_of_freedom=freedom if beyond else None,
    )


def logarithms(cells: Sequence[Row], name: str) -> Floats:
    """The logarithms of one field of all cells."""
    return np.log([float(getattr(row, name)) for row in cells])


@cache
def widened_tail(count: int, confidence: float) -> float:
    """The tail of a percentile bootstrap that is as wide as Student's t for `count` values.

    The plain percentile interval is too narrow for few values: Hesterberg (2015), "What teachers should know about
    the bootstrap", section 3.3 (The American Statistician 69:4, expanded percentile interval).
    """
    quantile = student.ppf((1 - confidence) / 2, count - 1)
    return float(norm.cdf(math.sqrt(count / (count - 1)) * quantile))


def _pooled(groups: Sequence[Floats]) -> tuple[float, int]:
    freedom = sum(len(values) - 1 for values in groups)
    squares = math.fsum(float(((values - values.mean()) ** 2).sum()) for values in groups)
    return (math.sqrt(squares / freedom), freedom) if freedom else (0.0, 0)


def _quantile(confidence: float, freedom: int | None) -> float:
    tail = (1 + confidence) / 2
    return float(norm.ppf(tail) if freedom is None else student.ppf(tail, freedom))


def _root(reaches: Floats) -> float:
    """How far the mean reaches by its cells' own intervals."""
    return math.sqrt(float((reaches**2).sum())) / len(reaches)


def _around(logarithm: float, below: float, above: float) -> Estimate:
    return Estimate(estimate=math.exp(logarithm), low=math.exp(logarithm - below), high=math.exp(logarithm + above))
