"""Means over the cells of one place, and how far another run might move them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import norm

from gnn_checkpointing.analysis.results import Estimate, RunToRun, quantile
from gnn_checkpointing.analysis.rounding import Floats
from gnn_checkpointing.analysis.table import Row
from gnn_checkpointing.records.measurements_table import Value

RATIO_KNOWN = 0.114 / norm.ppf(0.95) / math.sqrt(2)
"""From four runs of the default study on one type of machine within a day, compared in pairs: 90 % of 1,350 pairs of
time ratios differed by at most 11.4 % (half by at most 4.4 %). As a normal standard deviation of one run: 4.9 %."""

SECONDS_KNOWN = 0.101 / norm.ppf(0.75) / math.sqrt(2)
"""From such runs: half of the step times differed by more than 10.1 %, apart from a factor common to all of them."""


@dataclass(frozen=True)
class Noise:
    """Uncertainty of a mean of times: scatter between draws, pooled over the study, and differences between runs.

    `ratio_scatter` and `seconds_scatter` are standard deviations of logarithms with their degrees of freedom.
    """

    confidence: float
    run: RunToRun
    ratio_scatter: tuple[float, int] = (0.0, 0)
    seconds_scatter: tuple[float, int] = (0.0, 0)

    def time_ratio(self, cells: Sequence[Row], quantile_of: float | None = None) -> Estimate:
        """The mean time ratio of timed cells; `quantile_of` replaces the study's confidence level."""
        middle = logarithms(cells, "time_ratio")
        low, high = logarithms(cells, "time_ratio_low"), logarithms(cells, "time_ratio_high")
        confidence = quantile_of or self.confidence
        stretch = quantile(confidence) / quantile(self.confidence)
        scatter = _reach(self.ratio_scatter, len(cells), confidence)
        run = self.run.reach(confidence)
        # Half-widths of the mean due to the intervals of its cells.
        own = [stretch * math.sqrt(float((each**2).sum())) / len(cells) for each in (middle - low, high - middle)]
        return _around(float(middle.mean()), *(math.hypot(max(each, scatter), run) for each in own))

    def seconds(self, cells: Sequence[Row]) -> Estimate:
        """The mean step time of timed cells, at the machine's speed on that day."""
        deviation = self.run.seconds_deviation if self.run.level_deviation is None else self.run.level_deviation
        run = deviation * quantile(self.confidence, self.run.level_degrees_of_freedom)
        reach = math.hypot(_reach(self.seconds_scatter, len(cells), self.confidence), run)
        return _around(float(logarithms(cells, "step_time_seconds").mean()), reach, reach)


def mean_bytes(cells: Sequence[Row], name: str) -> Estimate:
    """The geometric mean of a ratio of bytes and its span over the cells; each cell's ratio is exact."""
    found = logarithms(cells, name)
    mean, low, high = float(found.mean()), float(found.min()), float(found.max())
    # The mean of equal logarithms may differ from them in the last digit.
    return Estimate(estimate=math.exp(mean), low=math.exp(min(low, mean)), high=math.exp(max(high, mean)))


def noise(
    confidence: float,
    places: Iterable[Sequence[Row]],
    repeats: Sequence[Mapping[str, Value]],
    reference: str,
    *,
    in_sentinels: bool = False,
) -> Noise:
    """The noise of a study: `places` are the cells of each place and policy, `repeats` all rows with their visits."""
    timed = [[row for row in cells if row.time_ratio is not None] for cells in places]
    scatter = (
        _pooled((float(np.var(logarithms(cells, name), ddof=1)), len(cells) - 1) for cells in timed if len(cells) > 1)
        for name in ("time_ratio", "step_time_seconds")
    )
    return Noise(confidence, run_to_run(repeats, reference, in_sentinels=in_sentinels), *scatter)


def run_to_run(rows: Sequence[Mapping[str, Value]], reference: str, *, in_sentinels: bool = False) -> RunToRun:
    """How far time ratios and step times of a cell differ from one visit to another.

    The larger of two deviations: between this run's visits, and the one known from runs at other hours. The visits of
    one run say nothing about another day, so they may widen an interval but never narrow it.
    """
    ours = [row for row in rows if row["allocator"] == reference]
    measured, freedom = _pooled(_between_visits([row for row in ours if row["policy"] != "none"], "time_ratio"))
    deviation, degrees = (measured, freedom) if measured > RATIO_KNOWN else (RATIO_KNOWN, None)
    level, level_freedom = _pooled(_between_visits(ours, "step_time_seconds"))
    in_unit, _ = _pooled(_between_visits(ours, "step_time_seconds", "sentinel_seconds" if in_sentinels else ""))
    return RunToRun(
        deviation=deviation,
        seconds_deviation=max(in_unit, SECONDS_KNOWN),
        measured=measured if freedom else None,
        degrees_of_freedom=degrees,
        level_deviation=max(level, SECONDS_KNOWN) if level_freedom else None,
        level_degrees_of_freedom=level_freedom if level > SECONDS_KNOWN else None,
    )


def _between_visits(rows: Sequence[Mapping[str, Value]], column: str, unit: str = "") -> list[tuple[float, int]]:
    """Variance of logarithms between the visits of each revisited cell, and its degrees of freedom."""
    # Imported here because it takes a second, and whoever compares reports has no table.
    import pandas as pd

    table = pd.DataFrame([(row["cell"], row["policy"], row[column], row.get(unit, 1.0)) for row in rows])
    if table.empty:
        return []
    logs = (table[2].astype(float) / table[3].astype(float)).map(math.log)
    policies = logs.groupby([table[0], table[1]]).agg(["var", "count"])
    # The policies of a cell share none's process, so they count as one.
    cells = policies[policies["count"] > 1].groupby(level=0).agg({"var": "mean", "count": "min"})
    return [(float(variance), int(count) - 1) for variance, count in cells.itertuples(index=False)]


def _pooled(variances: Iterable[tuple[float, int]]) -> tuple[float, int]:
    """Pooled standard deviation of all groups and its degrees of freedom; both 0 if there are none."""
    groups = list(variances)
    freedom = sum(degrees for _, degrees in groups)
    return math.sqrt(math.fsum(value * degrees for value, degrees in groups) / freedom) if freedom else 0.0, freedom


def logarithms(cells: Sequence[Row], name: str) -> Floats:
    """The logarithms of one field of all cells."""
    return np.log([float(getattr(row, name)) for row in cells])


@cache
def widened_tail(count: int, confidence: float) -> float:
    """Tail probability that makes a percentile bootstrap interval as wide as Student's t for `count` values.

    The plain percentile interval is too narrow for few values: Hesterberg (2015), "What teachers should know about
    the bootstrap", section 3.3 (The American Statistician 69:4, expanded percentile interval).
    """
    return float(norm.cdf(-math.sqrt(count / (count - 1)) * quantile(confidence, count - 1)))


def _reach(scatter: tuple[float, int], count: int, confidence: float) -> float:
    deviation, freedom = scatter
    return deviation / math.sqrt(count) * quantile(confidence, freedom) if freedom else 0.0


def _around(logarithm: float, below: float, above: float) -> Estimate:
    return Estimate(estimate=math.exp(logarithm), low=math.exp(logarithm - below), high=math.exp(logarithm + above))


def throughput(count: float, step_time_seconds: Estimate) -> Estimate:
    """Counts per second with an interval; the longest step gives the lowest throughput."""
    time = step_time_seconds
    return Estimate(estimate=count / time.estimate, low=count / time.high, high=count / time.low)
