"""Effects along density taken together: simultaneous bands, and the density at which a policy breaks even."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.estimates import Noise, mean_bytes
from gnn_checkpointing.analysis.results import (
    SAVES_BELOW,
    Band,
    BandPoint,
    BreakEven,
    Effects,
    Estimate,
    Quantity,
    Trends,
)
from gnn_checkpointing.analysis.table import Row, comparable, grouped, policy_order
from gnn_checkpointing.analysis.tolerance import CLOSE

Floats = NDArray[np.float64]
Course = Literal["below", "above", "rises", "falls", "crosses"]
Open = Literal["", "sparse", "dense", "both"]

THRESHOLDS: dict[Quantity, float] = {"activation_ratio": SAVES_BELOW, "time_ratio": 1.0}
METHODS: dict[Quantity, str] = {
    "activation_ratio": "exact in every cell; span over draws",
    "time_ratio": "Sidak over the degrees; scatter between draws and from run to run",
}
_OPEN: dict[tuple[bool, bool], Open] = {
    (False, False): "",
    (True, False): "sparse",
    (False, True): "dense",
    (True, True): "both",
}


def trends(rows: Sequence[Row], effects: Effects, noise: Noise) -> Trends:
    """Every policy's bands along the degrees of generated graphs of the headline size, and its break-evens."""
    places = {(e.convolution, e.policy, e.family, e.num_nodes) for e in effects.generated}
    chosen = sorted(
        (
            row
            for row in comparable(rows)
            if row.is_drawn and (row.convolution, row.policy, row.family, row.num_nodes) in places
        ),
        key=lambda row: (row.convolution, policy_order(row.policy), _degree(row)),
    )
    bands = [
        found
        for _, cells in grouped(chosen, lambda row: (row.convolution, row.policy))
        for quantity in THRESHOLDS
        if (found := _band(cells, quantity, noise)) is not None
    ]
    return Trends(
        confidence=effects.confidence,
        bands=bands,
        break_evens=[break_even(found, THRESHOLDS[found.quantity]) for found in bands],
    )


def _degree(row: Row) -> float:
    return row.requested_average_degree or 0.0


def _band(rows: Sequence[Row], quantity: Quantity, noise: Noise) -> Band | None:
    """The band of one convolution and policy; None where no cell has the quantity."""
    having = [row for row in rows if getattr(row, quantity) is not None]
    degrees = grouped(having, lambda row: (_degree(row),))
    if not degrees:
        return None
    together = noise.confidence ** (1 / len(degrees))
    return Band(
        convolution=rows[0].convolution,
        policy=rows[0].policy,
        quantity=quantity,
        method=METHODS[quantity],
        points=[
            BandPoint(
                degree=degree,
                average_degree=sum(row.average_degree for row in cells) / len(cells),
                cells=len(cells),
                ratio=noise.time_ratio(cells, together) if quantity == "time_ratio" else mean_bytes(cells, quantity),
            )
            for (degree,), cells in degrees
        ],
    )


def break_even(band: Band, threshold: float) -> BreakEven:
    """How the ratio goes past `threshold` from the sparsest level to the densest, and where.

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
    """Where the middle passes 0, and the outermost places where an end of the band does."""
    places = np.concatenate([_crossings(degrees, heights) for heights in (low, middle, high)])
    return Estimate(
        estimate=float(_crossings(degrees, middle)[0]),
        low=float(degrees[0] if open_ends in ("sparse", "both") else places.min()),
        high=float(degrees[-1] if open_ends in ("dense", "both") else places.max()),
    )


def _crossings(degrees: Floats, heights: Floats) -> Floats:
    """The degrees at which the line through the levels passes 0, of logarithms on both axes."""
    below = heights < 0
    before = np.flatnonzero(below[1:] != below[:-1])
    share = heights[before] / (heights[before] - heights[before + 1])
    return degrees[before] * (degrees[before + 1] / degrees[before]) ** share
