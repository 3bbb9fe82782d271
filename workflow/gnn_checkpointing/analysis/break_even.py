"""Where along density a band passes a threshold: the density at which a policy breaks even."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.results import Band, BreakEven, Estimate
from gnn_checkpointing.analysis.tolerance import CLOSE

Floats = NDArray[np.float64]
Course = Literal["below", "above", "rises", "falls", "crosses"]
Open = Literal["", "sparse", "dense", "both"]

_OPEN: dict[tuple[bool, bool], Open] = {
    (False, False): "",
    (True, False): "sparse",
    (False, True): "dense",
    (True, True): "both",
}


def break_even(band: Band, threshold: float) -> BreakEven:
    """Return how the ratio goes past `threshold` from the sparsest level to the densest, and where.

    Between two levels ratio and degree are joined by a straight line on logarithmic axes: a ratio of two additive
    laws is a smooth step there.
    """
    degrees = np.array([point.average_degree for point in band.points])
    ratios = np.array([[point.ratio.low, point.ratio.estimate, point.ratio.high] for point in band.points])
    heights = np.log(ratios / threshold)
    low, middle, high = np.where(np.abs(heights) < CLOSE, 0.0, heights).T
    course = _course(middle < 0)
    undecided = (low < 0) & (high >= 0)
    crossed = course in ("rises", "falls")
    open_ends: Open = _OPEN[bool(undecided[0]), bool(undecided[-1])] if crossed else ""
    certain = (open_ends == "") if crossed else course != "crosses" and not undecided.any()
    return BreakEven(
        convolution=band.convolution,
        policy=band.policy,
        quantity=band.quantity,
        threshold=threshold,
        course=course,
        average_degree=_where(degrees, low, middle, high, open_ends) if crossed else None,
        open=open_ends,
        certain=certain,
    )


def _course(below: NDArray[np.bool_]) -> Course:
    turns = int((below[1:] != below[:-1]).sum())
    if turns > 1:
        return "crosses"
    if turns == 1:
        return "rises" if below[0] else "falls"
    return "below" if below[0] else "above"


def _where(degrees: Floats, low: Floats, middle: Floats, high: Floats, open_ends: Open) -> Estimate:
    """Return where the middle passes 0, and the outermost places where an end of the band does."""
    places = np.concatenate([_crossings(degrees, heights) for heights in (low, middle, high)])
    return Estimate(
        estimate=float(_crossings(degrees, middle)[0]),
        low=float(degrees[0] if open_ends in ("sparse", "both") else places.min()),
        high=float(degrees[-1] if open_ends in ("dense", "both") else places.max()),
    )


def _crossings(degrees: Floats, heights: Floats) -> Floats:
    """Return the degrees at which the line through the levels passes 0, of logarithms on both axes."""
    below = heights < 0
    before = np.flatnonzero(below[1:] != below[:-1])
    share = heights[before] / (heights[before] - heights[before + 1])
    return degrees[before] * (degrees[before + 1] / degrees[before]) ** share
