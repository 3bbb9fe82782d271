"""The joint model of none and a policy, whose policy x edges coefficient answers the research question."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.fitting import ROUNDING, SAMPLED, WEIGHTS, fitted, is_nothing, p_value, told
from gnn_checkpointing.analysis.results import Interaction, Response
from gnn_checkpointing.analysis.support import COLUMNS, answering, design, observed, why_no_response, why_not
from gnn_checkpointing.analysis.table import Row, comparable, grouped

Floats = NDArray[np.float64]
RESPONSES: tuple[Response, ...] = ("activation_bytes", "step_time_seconds")
NONE_EDGES = COLUMNS.index("edges")
POLICY_EDGES = len(COLUMNS) + NONE_EDGES


def interactions(
    rows: Sequence[Row], confidence: float, responses: Sequence[Response] = RESPONSES
) -> tuple[list[Interaction], list[str]]:
    """Return the policy x edges interaction of each convolution x policy x response, and what has none and why."""
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
    """Return the columns [1, nodes, edges] x [1, policy] of none's rows and then the policy's ([num_rows, 6])."""
    columns = np.vstack([design(none), design(other)])
    is_policy = np.repeat([0.0, 1.0], [len(none), len(other)])[:, np.newaxis]
    return np.hstack([columns, columns * is_policy])


def side_by_side(none: Sequence[Row], other: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows of the cells in which both were measured: other cells would bend one slope alone."""
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
