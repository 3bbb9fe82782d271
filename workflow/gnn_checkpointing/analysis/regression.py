"""Laws of bytes and seconds on nodes and edges, and the joint model of none and a policy, whose slopes differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.diagnostic import het_breuschpagan

from gnn_checkpointing.analysis.fitting import (
    ROUNDING,
    SAMPLED,
    WEIGHTS,
    Fit,
    fitted,
    is_nothing,
    p_value,
    predicted,
    told,
)
from gnn_checkpointing.analysis.laws.series import residuals
from gnn_checkpointing.analysis.results import HeldOut, Interaction, Law, Response
from gnn_checkpointing.analysis.rounding import rounded
from gnn_checkpointing.analysis.support import COLUMNS, answering, design, observed, why_no_response, why_not
from gnn_checkpointing.analysis.table import Row, comparable, grouped
from gnn_checkpointing.analysis.tolerance import rank

Floats = NDArray[np.float64]
RESPONSES: tuple[Response, ...] = ("activation_bytes", "step_time_seconds")
NONE_EDGES = COLUMNS.index("edges")
POLICY_EDGES = len(COLUMNS) + NONE_EDGES

_PLACES = 6
"""Decimal places of a residual in standard deviations, which is what is left over of numbers that nearly cancel."""


def laws(rows: Sequence[Row], confidence: float) -> tuple[list[Law], list[str]]:
    """A law for each convolution x policy x response of generated graphs, and what has none and why."""
    drawn = [row for row in comparable(rows) if row.is_drawn]
    if not drawn:
        return [], ["No law is fitted: no comparable cell of a generated graph was measured."]
    found: list[Law] = []
    missing: list[str] = []
    for (convolution, policy), cells in grouped(drawn, lambda row: (row.convolution, row.policy)):
        reason = why_not(cells)
        if reason is not None:
            missing.append(f"{convolution}, {policy}: no law is fitted: {reason}.")
            continue
        for response in WEIGHTS:
            answers = answering(cells, response)
            reason = why_not(answers) or why_no_response(answers, response)
            if reason is not None:
                missing.append(f"{convolution}, {policy}: no law of {response} is fitted: {reason}.")
                continue
            found.append(_law(answers, response, confidence))
        reason = why_not(_without_densest(cells)[0])
        if reason is not None:
            missing.append(f"{convolution}, {policy}: the densest level is not held out: without it, {reason}.")
    return found, missing


def _law(cells: Sequence[Row], response: Response, confidence: float) -> Law:
    values = observed(cells, response)
    fit = fitted(design(cells), values, WEIGHTS[response], confidence)
    relative = (values - fit.fitted) / values
    constant, per_node, per_edge = told(fit, response)
    held_out = _held_out(cells, response, confidence)
    return Law(
        convolution=cells[0].convolution,
        policy=cells[0].policy,
        response=response,
        weights=fit.weights,
        covariance="HC3",
        cells=len(cells),
        constant=constant,
        per_node=per_node,
        per_edge=per_edge,
        r_squared=_r_squared(fit),
        median_relative_residual=float(np.median(np.abs(relative))),
        worst_relative_residual=float(np.abs(relative).max()),
        breusch_pagan_p=_breusch_pagan_p(fit) if response in SAMPLED else None,
        reset_p=_reset_p(fit) if response in SAMPLED else None,
        condition_number=float(np.linalg.cond(fit.result.model.wexog)),
        held_out=held_out,
        held_out_error=None if response in SAMPLED or held_out is None else held_out.worst_relative_error,
        residuals=[
            one.model_copy(update={"standardised": standardised, "normal_quantile": quantile})
            for one, (standardised, quantile) in zip(
                residuals(cells, values, fit.fitted, relative), _against_normal(fit), strict=True
            )
        ],
    )


def _against_normal(fit: Fit) -> list[tuple[float | None, float | None]]:
    """Each weighted residual in standard deviations, and the normal quantile of its rank (Hazen's positions)."""
    residuals = np.asarray(fit.result.wresid, dtype=np.float64)
    if fit.exact:
        return [(None, None)] * len(residuals)
    # Rounded before they are ranked: two draws of one size and density may leave the same but for rounding.
    standardised = [rounded(one, _PLACES) for one in (residuals / math.sqrt(float(fit.result.mse_resid))).tolist()]
    quantiles = norm.ppf((rankdata(standardised) - 0.5) / len(residuals)).tolist()
    return list(zip(standardised, quantiles, strict=True))


def _r_squared(fit: Fit) -> float:
    """The weighted share of variance explained; an exact fit explains all, even where nothing varies."""
    return 1.0 if fit.exact else float(fit.result.rsquared)


def _breusch_pagan_p(fit: Fit) -> float | None:
    """The p-value of equal variance in the weighted residuals; None where they are rounding alone."""
    if fit.exact:
        return None
    p_value = float(het_breuschpagan(fit.result.wresid, fit.result.model.exog)[1])
    return p_value if math.isfinite(p_value) else None


def _reset_p(fit: Fit) -> float | None:
    """The p-value of Ramsey's RESET with the fit's square; None where residuals are rounding alone."""
    if fit.exact:
        return None
    # statsmodels' own `linear_reset` drops the weights.
    model = fit.result.model
    without = WLS(model.endog, model.exog, weights=model.weights).fit()
    columns = np.column_stack([model.exog, without.fittedvalues**2])
    if rank(columns * np.sqrt(model.weights)[:, np.newaxis]) < columns.shape[1]:
        return None  # the square is none that the law has not already
    p_value = float(WLS(model.endog, columns, weights=model.weights).fit().compare_f_test(without)[1])
    return p_value if math.isfinite(p_value) else None


def _without_densest(cells: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    densest = max(row.requested_average_degree or 0.0 for row in cells)
    kept = [row for row in cells if row.requested_average_degree != densest]
    return kept, [row for row in cells if row.requested_average_degree == densest]


def _held_out(cells: Sequence[Row], response: Response, confidence: float) -> HeldOut | None:
    """Predict the densest level by the law of the others; None where they carry no law."""
    kept, densest = _without_densest(cells)
    if why_not(kept) is not None:
        return None
    fit = fitted(design(kept), observed(kept, response), WEIGHTS[response], confidence)
    values, lows, highs = predicted(fit, design(densest), confidence)
    actual = observed(densest, response)
    errors = np.abs(values - actual) / actual
    slack = ROUNDING * actual
    inside = (lows - slack <= actual) & (actual <= highs + slack)
    return HeldOut(
        level=float(densest[0].requested_average_degree or 0.0),
        cells=len(densest),
        median_relative_error=float(np.median(errors)),
        worst_relative_error=float(errors.max()),
        inside_interval=float(inside.mean()),
    )


def interactions(
    rows: Sequence[Row], confidence: float, responses: Sequence[Response] = RESPONSES
) -> tuple[list[Interaction], list[str]]:
    """The policy x edges interaction of each convolution x policy x response, and what has none and why."""
    drawn = grouped([row for row in comparable(rows) if row.is_drawn], lambda row: (row.convolution, row.policy))
    by_name = dict(drawn)
    found: list[Interaction] = []
    missing: list[str] = []
    for (convolution, policy), cells in drawn:
        if policy == "none":
            continue
        none, other = side_by_side(by_name.get((convolution, "none"), []), cells)
        reason = why_not(none)
        if reason is not None:
            missing.append(f"{convolution}, {policy}: no interaction is tested: {reason}.")
            continue
        for response in responses:
            pair = answering(none, response), answering(other, response)
            reason = why_not(pair[0]) or why_no_response([*pair[0], *pair[1]], response)
            answer = reason or _interaction(*pair, response, confidence)
            if isinstance(answer, str):
                missing.append(f"{convolution}, {policy}: no interaction of {response} is tested: {answer}.")
            else:
                found.append(answer)
    return found, missing


def joint_design(none: Sequence[Row], other: Sequence[Row]) -> Floats:
    """The columns [1, nodes, edges] x [1, policy] of none's rows and then the policy's ([num_rows, 6])."""
    columns = np.vstack([design(none), design(other)])
    is_policy = np.repeat([0.0, 1.0], [len(none), len(other)])[:, np.newaxis]
    return np.hstack([columns, columns * is_policy])


def side_by_side(none: Sequence[Row], other: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows of the cells in which both were measured: other cells would bend one slope alone."""
    both = {row.cell for row in none} & {row.cell for row in other}
    return [row for row in none if row.cell in both], [row for row in other if row.cell in both]


def _interaction(none: Sequence[Row], other: Sequence[Row], response: Response, confidence: float) -> Interaction | str:
    """Fit [1, nodes, edges] x [1, policy] to both; the clusters are graphs, each measured under both."""
    values = np.concatenate([observed(none, response), observed(other, response)])
    graphs = [row.graph for row in (*none, *other)]
    fit = fitted(joint_design(none, other), values, WEIGHTS[response], confidence, clusters=graphs)
    if is_nothing(fit, NONE_EDGES):
        return "none's own value does not grow with the edges, so there is nothing to compare"
    none_slope, difference = told(fit, response)[NONE_EDGES], told(fit, response)[POLICY_EDGES]
    slope_ratio = 1 + difference.estimate / none_slope.estimate
    return Interaction(
        convolution=other[0].convolution,
        policy=other[0].policy,
        response=response,
        none_per_edge=none_slope,
        difference_per_edge=difference,
        slope_ratio=0.0 if fit.exact and abs(slope_ratio) < ROUNDING else slope_ratio,
        # Bytes are exact: nothing was sampled that a p-value could speak of.
        p_value=p_value(fit, POLICY_EDGES) if response in SAMPLED else None,
        clusters=len(set(graphs)),
    )
