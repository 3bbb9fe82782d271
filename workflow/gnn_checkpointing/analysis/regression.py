"""Laws of bytes and seconds in nodes and edges, and the joint model of none and a policy with separate slopes."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import norm, rankdata
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.diagnostic import het_breuschpagan

from gnn_checkpointing.analysis import fitting
from gnn_checkpointing.analysis.fitting import EDGES, ROUNDING, SAMPLED, WEIGHTS, Fit, answering, fitted, why_not
from gnn_checkpointing.analysis.laws.series import Series
from gnn_checkpointing.analysis.results import HeldOut, Interaction, Law, Response
from gnn_checkpointing.analysis.rounding import rank, rounded
from gnn_checkpointing.analysis.table import Row, by_series, drawn

RESPONSES: tuple[Response, ...] = ("activation_bytes", "step_time_seconds")
POLICY_EDGES = len(fitting.COLUMNS) + EDGES

_PLACES = 6
"""Decimal places of a residual in standard deviations; residuals are differences of nearly equal numbers."""


@fitting.answers
def laws(rows: Sequence[Row], confidence: float) -> Iterator[tuple[str, Law | str]]:
    """A law for each convolution x policy x response of generated graphs, or the reason why there is none."""
    own_series = by_series(drawn(rows))
    if not own_series:
        yield "No law is fitted", "no comparable cell of a generated graph was measured"
    for (convolution, policy), cells in own_series:
        name = f"{convolution}, {policy}"
        if reason := why_not(cells):
            yield f"{name}: no law is fitted", reason
            continue
        for response in WEIGHTS:
            own = answering(cells, response)
            answer = why_not(own, response) or _law(Series(own, response), confidence)
            yield f"{name}: no law of {response} is fitted", answer
        if reason := why_not(_without_densest(cells)[0]):
            yield f"{name}: the densest level is not held out", f"without it, {reason}"


def _law(series: Series, confidence: float) -> Law:
    values = series.values
    fit = fitted(fitting.design(series.rows), values, WEIGHTS[series.response], confidence)
    relative = (values - fit.fitted) / values
    constant, per_node, per_edge = fitting.coefficients(fit, series.response)
    held_out, sampled = _held_out(series, confidence), series.response in SAMPLED
    tested = sampled and not fit.exact  # otherwise residuals are rounding errors, or the law's own error
    residuals = zip(series.residuals(fit.fitted, relative), *_against_normal(fit), strict=True)
    law = {
        "weights": fit.weights,
        "covariance": "HC3",
        "cells": len(values),
        "constant": constant,
        "per_node": per_node,
        "per_edge": per_edge,
        "r_squared": fit.r_squared,
        "median_relative_residual": float(np.median(np.abs(relative))),
        "worst_relative_residual": float(np.abs(relative).max()),
        "breusch_pagan_p": _finite(het_breuschpagan(fit.result.wresid, fit.result.model.exog)[1]) if tested else None,
        "reset_p": _reset_p(fit) if tested else None,
        "condition_number": float(np.linalg.cond(fit.result.model.wexog)),
        "held_out": held_out,
        "held_out_error": None if sampled or held_out is None else held_out.worst_relative_error,
        "residuals": [
            one.model_copy(update={"standardised": standardised, "normal_quantile": quantile})
            for one, standardised, quantile in residuals
        ],
    }
    return Law.model_validate({**series.about, **law})


def _against_normal(fit: Fit) -> tuple[Sequence[float | None], Sequence[float | None]]:
    """The weighted residuals in standard deviations, and the normal quantiles of their ranks (Hazen's positions)."""
    residuals = np.asarray(fit.result.wresid, dtype=np.float64)
    if fit.exact:
        return [None] * len(residuals), [None] * len(residuals)
    # Rounded before ranking: residuals of two draws of one size and density may differ by rounding errors alone.
    standardised = [rounded(one, _PLACES) for one in (residuals / math.sqrt(float(fit.result.mse_resid))).tolist()]
    return standardised, norm.ppf((rankdata(standardised) - 0.5) / len(residuals)).tolist()


def _reset_p(fit: Fit) -> float | None:
    """The p-value of Ramsey's RESET with the fit's square."""
    # statsmodels' own `linear_reset` drops the weights.
    model = fit.result.model
    without = WLS(model.endog, model.exog, weights=model.weights).fit()
    columns = np.column_stack([model.exog, without.fittedvalues**2])
    if rank(columns * np.sqrt(model.weights)[:, np.newaxis]) < columns.shape[1]:
        return None  # the square lies in the span of the law's columns
    return _finite(WLS(model.endog, columns, weights=model.weights).fit().compare_f_test(without)[1])


def _finite(p_value: float) -> float | None:
    return float(p_value) if math.isfinite(p_value) else None


def _without_densest(cells: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    densest = max(row.degree for row in cells)
    return [row for row in cells if row.degree != densest], [row for row in cells if row.degree == densest]


def _held_out(series: Series, confidence: float) -> HeldOut | None:
    """Predict the densest level by the law of the other levels; None if these do not suffice for a law."""
    kept, densest = _without_densest(series.rows)
    if why_not(kept) is not None:
        return None
    seen, unseen = ((fitting.design(rows), fitting.observed(rows, series.response)) for rows in (kept, densest))
    errors, inside, _ = fitting.held_out(seen, unseen, WEIGHTS[series.response], confidence)
    return HeldOut(
        level=densest[0].degree,
        cells=len(densest),
        median_relative_error=float(np.median(errors)),
        worst_relative_error=float(errors.max()),
        inside_interval=float(inside.mean()),
    )


@fitting.answers
def interactions(
    rows: Sequence[Row], confidence: float, responses: Sequence[Response] = RESPONSES
) -> Iterator[tuple[str, Interaction | str]]:
    """The policy x edges interaction of each convolution x policy x response, or the reason why there is none."""
    cells_of = dict(by_series(drawn(rows)))
    for (convolution, policy), cells in cells_of.items():
        if policy == "none":
            continue
        # Cells in which only one of the two was measured would affect only one of the slopes.
        others = cells_of.get((convolution, "none"), [])
        both = {row.cell for row in cells} & {row.cell for row in others}
        none, other = ([row for row in each if row.cell in both] for each in (others, cells))
        if reason := why_not(none):
            yield f"{convolution}, {policy}: no interaction is tested", reason
            continue
        for response in responses:
            pair = answering(none, response), answering(other, response)
            reason = why_not(pair[0], response) or why_not(pair[1], response)
            answer = reason or _interaction(*pair, response, confidence)
            yield f"{convolution}, {policy}: no interaction of {response} is tested", answer


def _interaction(none: Sequence[Row], other: Sequence[Row], response: Response, confidence: float) -> Interaction | str:
    """Fit [1, nodes, edges] x [1, policy] to both policies; clusters are graphs, each measured under both."""
    rows = [*none, *other]
    columns, is_policy = fitting.design(rows), np.repeat([0.0, 1.0], [len(none), len(other)])[:, np.newaxis]
    joint = np.hstack([columns, columns * is_policy])
    graphs = [row.graph for row in rows]
    fit = fitted(joint, fitting.observed(rows, response), WEIGHTS[response], confidence, clusters=graphs)
    if fitting.is_nothing(fit, EDGES):
        return "none's own value does not grow with the edges, so there is nothing to compare"
    none_slope, difference = (fitting.coefficients(fit, response)[column] for column in (EDGES, POLICY_EDGES))
    slope_ratio = 1 + difference.estimate / none_slope.estimate
    return Interaction(
        convolution=other[0].convolution,
        policy=other[0].policy,
        response=response,
        none_per_edge=none_slope,
        difference_per_edge=difference,
        slope_ratio=0.0 if fit.exact and abs(slope_ratio) < ROUNDING else slope_ratio,
        # Bytes are exact, without sampling, so a p-value has no meaning.
        p_value=fitting.p_value(fit, POLICY_EDGES) if response in SAMPLED else None,
        clusters=len(set(graphs)),
    )
