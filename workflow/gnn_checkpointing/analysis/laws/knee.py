"""Does an edge cost more time from some number of edges on? A breakpoint test with a bootstrap of its own."""

from __future__ import annotations

import numpy as np

from gnn_checkpointing.analysis.laws.fit import knees
from gnn_checkpointing.analysis.laws.forms import FORMS, Floats, matrix
from gnn_checkpointing.analysis.laws.series import Series
from gnn_checkpointing.analysis.results import Knee
from gnn_checkpointing.analysis.tolerance import CLOSE, first_greatest, least_squares
from gnn_checkpointing.analysis.tolerance import lengths as lengths_of

_ADDITIVE = FORMS["additive"]
_WITH_KNEE = FORMS["knee"]


def knee(series: Series, resamples: int, generator: np.random.Generator) -> Knee | None:
    """Return where the time per edge changes most, and how likely so much change is by chance; None for too few cells.

    The largest F over all knees has no F distribution (Andrews 1993, "Tests for parameter instability and structural
    change with unknown change point"), and times scatter in proportion to themselves: so its distribution is drawn, by
    a wild bootstrap of the law without a knee (Rademacher signs; Davidson and Flachaire 2008, "The wild bootstrap,
    tamed at last").
    """
    rows, parameters = len(series.values), len(_WITH_KNEE.columns)
    if rows < 2 * (parameters + 1):
        return None
    weights = 1 / series.values
    straight = _basis(matrix(_ADDITIVE, series.sizes) * weights[:, np.newaxis])
    places = knees(series.sizes.edges)
    bends = np.column_stack([np.maximum(series.sizes.edges - place, 0.0) * weights for place in places])
    target = np.ones(rows)  # relative to itself, each response is one
    explained = straight @ (straight.T @ target)
    residuals = target - explained
    signs = np.column_stack([np.ones(rows), generator.choice([-1.0, 1.0], size=(rows, resamples))])
    scores = _f_ratios(residuals, signs, straight, bends, rows - parameters)
    place = float(places[first_greatest(scores[:, 0])])
    drawn = scores.max(axis=0)
    terms = least_squares(matrix(_WITH_KNEE, series.sizes, place) * weights[:, np.newaxis], target)
    before = float(terms[_WITH_KNEE.columns.index("edges")])
    return Knee(
        convolution=series.convolution,
        policy=series.policy,
        num_edges=place,
        per_edge_before=before,
        per_edge_after=before + float(terms[_WITH_KNEE.columns.index("edges_over_knee")]),
        # A draw of the observed signs, or of all of them turned, has the observed F but for rounding.
        p_value=float((1 + (drawn[1:] >= drawn[0] * (1 - CLOSE)).sum()) / (1 + resamples)),
    )


def _basis(columns: Floats) -> Floats:
    """Return an orthonormal basis of the columns' span, `[num_rows, rank]`: a projection is two products."""
    left, values, _ = np.linalg.svd(columns / lengths_of(columns), full_matrices=False)
    kept: Floats = left[:, values > CLOSE * values[0]]
    return kept


def _f_ratios(residuals: Floats, signs: Floats, straight: Floats, bends: Floats, freedom: int) -> Floats:
    """Return the F of every knee in every draw, `[num_knees, num_draws]`.

    A draw is the straight law and its residuals under other signs. A knee adds one column to the straight law: what it
    explains is the square of what is left of the draw along what is left of that column. What is left of the draw is
    not needed itself: residuals of any signs have one length, and of that the straight law explains its share.
    """
    along = bends / lengths_of(bends)
    along -= straight @ (straight.T @ along)
    lengths = np.sqrt((along**2).sum(axis=0))
    along /= np.where(lengths > CLOSE, lengths, np.inf)  # a knee that bends nothing explains nothing
    without = float(residuals @ residuals) - (((straight * residuals[:, np.newaxis]).T @ signs) ** 2).sum(axis=0)
    explained = ((along * residuals[:, np.newaxis]).T @ signs) ** 2
    ratios: Floats = explained / np.maximum((without - explained) / freedom, 1e-30)
    return ratios
