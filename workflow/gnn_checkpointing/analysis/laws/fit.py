"""Fit of one law by least squares of the relative error with non-negative terms, and a test for a knee."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import lsq_linear, nnls

from gnn_checkpointing.analysis import rounding
from gnn_checkpointing.analysis.fitting import REWEIGHTINGS, ROUNDING, largest
from gnn_checkpointing.analysis.laws.series import FORMS, Series, Sizes, matrix
from gnn_checkpointing.analysis.results import Knee, PredictiveLaw
from gnn_checkpointing.analysis.rounding import Floats, least_squares, rank

APART = 1e-3  # blocks of eight edges per node differ from eight times the nodes by less
_MOST_ASSIGNMENTS = 30
_KNEES = np.linspace(0.15, 0.85, 10)
_SPLITS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class FittedForm:
    """A form with its terms, `[num_pieces, num_columns]`, its knee, and the most nodes and edges it was fitted to.

    A curved form holds up to `most`; beyond, it grows in proportion to its graph and no faster.
    """

    form: str
    pieces: Floats
    knee: float | None = None
    most: tuple[float, float] | None = None

    @classmethod
    def of(cls, law: PredictiveLaw) -> Self:
        """The form that computes a published law."""
        columns = FORMS[law.form].columns
        pieces = np.array([[piece.get(column, 0.0) for column in columns] for piece in law.pieces])
        return cls(law.form, pieces, law.knee, (law.num_nodes[1], law.num_edges[1]))

    def at(self, sizes: Sizes) -> Floats:
        """The law's values, `[num_rows]`."""
        form, grown = FORMS[self.form], np.ones(1)
        if self.most is not None and form.is_curved:
            nodes, edges = np.minimum(sizes.nodes, self.most[0]), np.minimum(sizes.edges, self.most[1])
            grown = np.maximum(sizes.nodes / nodes, sizes.edges / edges)
            sizes = Sizes(nodes, edges, sizes.at_once)
        found: Floats = (matrix(form, sizes, self.knee) @ self.pieces.T).max(axis=1)
        return (np.exp(found) if form.logarithmic else found) * grown


def why_not_form(name: str, sizes: Sizes) -> str | None:
    """Why a form cannot be fitted to these graphs, or None if it can."""
    form = FORMS[name]
    if "edges_at_once" in form.columns and sizes.at_once is None:
        return "the records do not tell how large the policy's blocks were"
    if len(sizes.nodes) < 2 * form.parameters:
        return f"{len(sizes.nodes)} cells for {form.parameters} parameters, and it wants two cells each"
    if rank(matrix(form, sizes, float(np.median(sizes.edges))), APART) < len(form.columns):
        return "its columns cannot be told apart on these graphs"
    return None


def fit_form(name: str, sizes: Sizes, values: Floats) -> FittedForm:
    """Fit the form to `values` (`[num_rows]`, positive); its terms are rounded to their significant digits."""
    form = FORMS[name]
    if form.logarithmic:
        # A power law with a free constant and non-negative exponents, so that it rises.
        columns, lowest = matrix(form, sizes), [-np.inf if column == "constant" else 0.0 for column in form.columns]
        terms = lsq_linear(columns, np.log(values), bounds=(lowest, np.inf), method="bvls", tol=1e-14).x
        fits = [FittedForm(name, terms[np.newaxis])]
    elif form.has_knee:
        fits = [_additive(name, sizes, values, knee) for knee in knees(sizes.edges)]
    else:
        fits = [_additive(name, sizes, values)] if form.pieces == 1 else _largest_of_two(name, sizes, values)
    # The smallest relative error, the first among equals; all exact fits count as equal.
    errors = [float((((fit.at(sizes) - values) / values) ** 2).sum()) for fit in fits]
    fit = fits[rounding.first_least(errors, nothing=len(values) * ROUNDING**2)]
    # Drop the digits of a term whose contribution is below the rounding error of the largest response.
    response = 1.0 if form.logarithmic else float(values.max())
    reach = np.maximum(largest(matrix(form, sizes, fit.knee)), np.finfo(np.float64).tiny)
    places = [rounding.places_of(ROUNDING * response / each) for each in reach.tolist()]
    pieces = [
        [rounding.rounded(term, place) for term, place in zip(piece, places, strict=True)] for piece in fit.pieces
    ]
    return FittedForm(name, np.array(pieces), fit.knee, (float(sizes.nodes.max()), float(sizes.edges.max())))


def knees(edges: Floats) -> Floats:
    """Candidate positions of a knee, within the range of edges and never at its ends."""
    found: Floats = np.unique(np.quantile(np.unique(edges), _KNEES))
    return found


def _additive(name: str, sizes: Sizes, values: Floats, knee: float | None = None) -> FittedForm:
    columns = matrix(FORMS[name], sizes, knee)
    terms = relative_terms(columns, values, values)
    for _ in range(REWEIGHTINGS):
        expected = columns @ terms
        terms = relative_terms(columns, values, np.where(expected > 0, expected, values))
    return FittedForm(name, terms[np.newaxis], knee)


def relative_terms(columns: Floats, values: Floats, measure: Floats) -> Floats:
    """Non-negative terms that fit `values` best, with errors as shares of `measure` (`[num_rows]`).

    Errors as shares of the observations alone would bias the fit towards rows with low values.
    """
    scales = largest(columns)
    scales[scales == 0] = 1.0
    found: Floats = nnls(columns / scales / measure[:, np.newaxis], values / measure)[0]
    # Terms whose largest contribution is below the rounding error of the largest response are set to 0.
    terms: Floats = np.where(found < ROUNDING * values.max(), 0.0, found) / scales
    return terms


def _largest_of_two(name: str, sizes: Sizes, values: Floats) -> list[FittedForm]:
    """Candidate fits of the maximum of two additive laws, alternating between assigning rows to laws and fitting both.

    The algorithm of Magnani and Boyd (2009), "Convex piecewise-linear fitting", started from several splits of the rows
    by edges, nodes, or degree; another candidate is a single law, with a second one that is nowhere larger.
    """
    columns = matrix(FORMS[name], sizes)
    found = [np.vstack([relative_terms(columns, values, values), np.zeros(columns.shape[1])])]
    quantities = (sizes.edges, sizes.nodes, sizes.edges / sizes.nodes)
    for second in (quantity > np.quantile(quantity, split) for quantity in quantities for split in _SPLITS):
        for _ in range(_MOST_ASSIGNMENTS):
            parts = ~second, second
            if any(part.sum() < columns.shape[1] or rank(columns[part]) < columns.shape[1] for part in parts):
                break
            pieces = np.vstack([relative_terms(columns[part], values[part], values[part]) for part in parts])
            both = columns @ pieces.T
            moved = rounding.greater(both[:, 1], both[:, 0])  # a row on which both agree belongs to the first law
            if (moved == second).all():
                found.append(pieces)
                break
            second = moved
        else:
            found.append(pieces)
    return [FittedForm(name, pieces) for pieces in found]


_ADDITIVE = FORMS["additive"]
_WITH_KNEE = FORMS["knee"]


def knee(series: Series, resamples: int, generator: np.random.Generator) -> Knee | None:
    """Where the time per edge changes most, and the p-value of this change; None for too few cells.

    The largest F over all knees does not follow an F distribution (Andrews 1993, "Tests for parameter instability and
    structural change with unknown change point"), and the scatter of times is proportional to the times. So its
    distribution is simulated by a wild bootstrap of the law without a knee (Rademacher signs; Davidson and Flachaire
    2008, "The wild bootstrap, tamed at last").
    """
    rows, parameters = len(series.values), len(_WITH_KNEE.columns)
    if rows < 2 * (parameters + 1):
        return None
    weights = 1 / series.values[:, np.newaxis]  # weighted like this, each response is 1
    target, places = np.ones(rows), knees(series.sizes.edges)
    straight = matrix(_ADDITIVE, series.sizes) * weights
    bent = [matrix(_WITH_KNEE, series.sizes, place) * weights for place in places]
    signs = np.column_stack([np.ones(rows), generator.choice([-1.0, 1.0], size=(rows, resamples))])
    # A law with a knee also explains whatever the law without one explains, so only the latter's residuals matter.
    draws = (target - straight @ least_squares(straight, target))[:, np.newaxis] * signs
    left, lefts = _left_over(straight, draws), np.array([_left_over(columns, draws) for columns in bent])
    scores = (left - lefts) / np.maximum(lefts / (rows - parameters), 1e-30)
    best, largest_of_all = rounding.first_greatest(scores[:, 0]), scores.max(axis=0)
    terms = least_squares(bent[best], target)
    before, more = (float(terms[_WITH_KNEE.columns.index(column)]) for column in ("edges", "edges_over_knee"))
    return Knee(
        convolution=series.rows[0].convolution,
        policy=series.rows[0].policy,
        num_edges=float(places[best]),
        per_edge_before=before,
        per_edge_after=before + more,
        # A draw that keeps all signs, or flips all of them, has the observed F up to rounding.
        p_value=float((1 + (largest_of_all[1:] >= largest_of_all[0] * (1 - rounding.CLOSE)).sum()) / (1 + resamples)),
    )


def _left_over(columns: Floats, draws: Floats) -> Floats:
    """Residual sum of squares of each draw (`[num_rows, num_draws]`) after least squares on the columns."""
    left, values, _ = np.linalg.svd(columns / rounding.lengths(columns), full_matrices=False)
    basis = left[:, values > rounding.CLOSE * values[0]]  # orthonormal, so a projection is two products
    found: Floats = (draws**2).sum(axis=0) - ((basis.T @ draws) ** 2).sum(axis=0)
    return found
