"""Effects along density taken together: simultaneous bands, and the densities at which a policy breaks even."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gnn_checkpointing.analysis.bands import Floats, Level, band
from gnn_checkpointing.analysis.break_even import break_even
from gnn_checkpointing.analysis.results import SAVES_BELOW, Band, BandPoint, Quantity, Trends
from gnn_checkpointing.analysis.table import Row, comparable, grouped, policy_order

THRESHOLDS: dict[Quantity, float] = {"activation_ratio": SAVES_BELOW, "time_ratio": 1.0}
ENDS: dict[Quantity, tuple[str, str]] = {
    "activation_ratio": ("activation_ratio", "activation_ratio"),
    "time_ratio": ("time_ratio_low", "time_ratio_high"),
}


def trends(rows: Sequence[Row], confidence: float, resamples: int, generator: np.random.Generator) -> Trends:
    """Return every policy's bands along the requested degrees of generated graphs, and its break-evens."""
    paired = [row for row in comparable(rows) if row.is_drawn and row.policy != "none" and row.activation_ratio]
    ordered = sorted(paired, key=lambda row: (row.convolution, policy_order(row.policy), _degree(row)))
    bands = [
        found
        for _, cells in grouped(ordered, lambda row: (row.convolution, row.policy))
        for quantity in THRESHOLDS
        if (found := _band(cells, quantity, confidence, resamples, generator)) is not None
    ]
    return Trends(
        confidence=confidence,
        bands=bands,
        break_evens=[break_even(found, THRESHOLDS[found.quantity]) for found in bands],
    )


def _degree(row: Row) -> float:
    return row.requested_average_degree or 0.0


def _band(
    rows: Sequence[Row], quantity: Quantity, confidence: float, resamples: int, generator: np.random.Generator
) -> Band | None:
    """Return the band of one convolution and policy; None where no cell has the quantity."""
    having = [row for row in rows if getattr(row, quantity) is not None]
    levels = [_level(degree, cells, quantity) for (degree,), cells in grouped(having, lambda row: (_degree(row),))]
    if not levels:
        return None
    ratios, method = band(levels, confidence, resamples, generator)
    return Band(
        convolution=rows[0].convolution,
        policy=rows[0].policy,
        quantity=quantity,
        method=method,
        points=[
            BandPoint(
                level=level.name,
                average_degree=level.average_degree,
                cells=len(level.logarithms),
                ratio=ratio,
            )
            for level, ratio in zip(levels, ratios, strict=True)
        ],
    )


def _level(degree: float, cells: Sequence[Row], quantity: Quantity) -> Level:
    """Return one level's cells; bytes are exact in each, a time has its own interval."""
    middle = _logarithms(cells, quantity)
    low, high = (_logarithms(cells, name) for name in ENDS[quantity])
    return Level(
        name=f"{degree:g}",
        average_degree=math.fsum(row.average_degree for row in cells) / len(cells),
        logarithms=middle,
        below=low - middle,
        above=high - middle,
    )


def _logarithms(cells: Sequence[Row], name: str) -> Floats:
    return np.log([float(getattr(row, name)) for row in cells])
