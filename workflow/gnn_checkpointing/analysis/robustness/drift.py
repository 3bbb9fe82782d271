"""Did steps become slower or faster as the run went on?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student

from gnn_checkpointing.analysis.checks import moment
from gnn_checkpointing.analysis.fitting import ROUNDING, fitted, largest
from gnn_checkpointing.analysis.results import Estimate, Response, RunDrift
from gnn_checkpointing.analysis.support import Floats, answering, answers, design, observed, why_not
from gnn_checkpointing.analysis.table import Row, by_series, grouped

RESPONSE: Response = "step_time_seconds"
"""Bytes know no hour."""
LEAST_FREEDOM = 8
"""Draws that are more than their places by less than this leave no interval worth the name."""


def drift(rows: Sequence[Row], everything: Sequence[Row], confidence: float) -> tuple[list[RunDrift], list[str]]:
    """The change of each convolution's and policy's step time over the run, and what has none and why.

    `rows` are generated graphs, `everything` all that was measured, which tells how long the run was.
    """
    places = order(everything)
    return answers(
        (
            f"{convolution}, {policy}: drift of {RESPONSE} is not tried",
            _drift(answering(cells, RESPONSE), places, confidence),
        )
        for (convolution, policy), cells in by_series(rows)
    )


def order(rows: Sequence[Row]) -> dict[str, float]:
    """Each cell's place in the order of measurement, from -1/2 for the first to 1/2 for the last."""
    started = {row.cell: moment(row.started, "started", row.cell) for row in rows}
    cells = sorted(started, key=lambda cell: (started[cell], cell))
    return {cell: place / max(1, len(cells) - 1) - 0.5 for place, cell in enumerate(cells)}


def _drift(cells: Sequence[Row], places: dict[str, float], confidence: float) -> RunDrift | str:
    """Fit the order beside what explains the time, so that dense graphs that came late are no drift.

    The response is the time as a share of what is expected, so the order's coefficient is the change over the run as
    a share. The order is random, so the scatter does not go with it, and plain least squares has the right interval:
    robust ones are twice too wide where a mean has two draws.
    """
    explained = _beside_draws(cells) or _beside_law(cells, confidence)
    if explained is None:
        return "these cells carry no additive law, and too few of them are draws of one size and density"
    kept, shares, columns = explained
    basis = np.linalg.qr(columns / largest(columns))[0]
    late = np.array([places[row.cell] for row in kept])
    late, shares = (values - basis @ (basis.T @ values) for values in (late, shares))
    if np.abs(late).max() < ROUNDING:
        return "the order of measurement cannot be told from size and density"
    freedom = len(kept) - columns.shape[1] - 1
    slope = float(late @ shares / (late @ late))
    error = math.sqrt(float(((shares - slope * late) ** 2).sum() / freedom / (late @ late)))
    if error < ROUNDING:  # without noise nothing is left but rounding
        slope, error = (0.0 if abs(slope) < ROUNDING else slope), 0.0
    reach = error * float(student.ppf((1 + confidence) / 2, freedom))
    return RunDrift(
        convolution=cells[0].convolution,
        policy=cells[0].policy,
        response=RESPONSE,
        change=Estimate(estimate=slope, low=slope - reach, high=slope + reach),
        p_value=float(2 * student.sf(abs(slope) / error, freedom)) if error else float(slope == 0),
    )


def _beside_draws(cells: Sequence[Row]) -> tuple[Sequence[Row], Floats, Floats] | None:
    """Each cell's time / the mean of the draws of its size, density and family, and a column for each such.

    What nodes and edges do is in the mean, whatever it is; None where too few were drawn again.
    """
    groups = grouped(cells, lambda row: (row.family, row.num_nodes, row.requested_average_degree))
    drawn_again = [part for _, part in groups if len(part) > 1]
    if sum(len(part) - 1 for part in drawn_again) < LEAST_FREEDOM:
        return None
    kept = [row for part in drawn_again for row in part]
    means = [observed(part, RESPONSE).mean() for part in drawn_again for _ in part]
    columns = np.repeat(np.eye(len(drawn_again)), [len(part) for part in drawn_again], axis=0)
    return kept, observed(kept, RESPONSE) / np.array(means), columns


def _beside_law(cells: Sequence[Row], confidence: float) -> tuple[Sequence[Row], Floats, Floats] | None:
    """Each cell's time / its additive law, and the law's columns / that; None where there is no law."""
    if why_not(cells, RESPONSE):
        return None
    expected = fitted(design(cells), observed(cells, RESPONSE), "relative", confidence).fitted
    if (expected <= 0).any():
        return None
    return cells, observed(cells, RESPONSE) / expected, design(cells) / expected[:, np.newaxis]
