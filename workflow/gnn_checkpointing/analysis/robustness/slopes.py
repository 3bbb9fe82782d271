"""The policy x edges difference of peak bytes with each graph left out: what `interactions` finds without its rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student

from gnn_checkpointing.analysis.fitting import ROUNDING, largest_leverage
from gnn_checkpointing.analysis.interaction import NONE_EDGES, POLICY_EDGES, interactions, joint_design, side_by_side
from gnn_checkpointing.analysis.results import Estimate, Response
from gnn_checkpointing.analysis.robustness.refits import LIGHT, Refits, Without
from gnn_checkpointing.analysis.support import LEAST_CELLS, LEAST_LEVELS, LEAST_SIZES, design, observed
from gnn_checkpointing.analysis.table import Row

RESPONSE: Response = "activation_bytes"
"""Bytes weigh alike in their law, so its weights do not move with the graph."""


def differences_without(none: Sequence[Row], other: Sequence[Row], confidence: float) -> dict[str, Estimate]:
    """Return the difference without each graph that none and a policy share, but for those without which there is none.

    A graph on which nothing rests alone is taken out of the fit of all. Without another there may be no fit: then
    `interactions` itself is asked.
    """
    none, other = side_by_side(none, other)
    joint = _Joint(none, other, confidence)
    found: dict[str, Estimate] = {}
    for graph in dict.fromkeys(row.graph for row in none):
        if joint.can_spare(graph):
            estimate = joint.without(graph)
        else:
            kept = [row for row in (*none, *other) if row.graph != graph]
            refits, _ = interactions(kept, confidence, (RESPONSE,))
            estimate = refits[0].difference_per_edge if refits else None
        if estimate is not None:
            found[graph] = estimate
    return found


class _Joint:
    """The joint model of none and a policy in the same cells, fitted once, and what it is without a graph."""

    def __init__(self, none: Sequence[Row], other: Sequence[Row], confidence: float) -> None:
        columns = joint_design(none, other)
        values = np.concatenate([observed(none, RESPONSE), observed(other, RESPONSE)])
        # As shares of the largest, as `fitted` has them: what is rounding is told by that.
        self._column_scales, self._response_scale = np.abs(columns).max(axis=0), float(values.max())
        self._columns, self._values = columns / self._column_scales, values / self._response_scale
        self._fit = Refits.of(self._columns, self._values, [row.graph for row in (*none, *other)])
        self._coefficients = self._fit.inverse @ (self._fit.basis.T @ self._values)
        self._confidence = confidence
        self._most_leverage = largest_leverage(design(none))
        self._places = {row.graph: (row.requested_average_degree, row.num_nodes) for row in none}
        self._levels = Counter(level for level, _ in self._places.values())
        self._sizes = Counter(size for _, size in self._places.values())

    def can_spare(self, graph: str) -> bool:
        """Whether the rows without the graph surely carry the model: see `why_not`, which asks more slowly."""
        level, size = self._places[graph]
        return (
            self._fit.share(graph) < LIGHT
            and self._most_leverage < 1 - LIGHT  # without so light a graph, no row's leverage doubles
            and (len(self._values) - len(self._fit.groups[graph])) // 2 >= LEAST_CELLS
            and len(self._levels) - (self._levels[level] == 1) >= LEAST_LEVELS
            and len(self._sizes) - (self._sizes[size] == 1) >= LEAST_SIZES
        )

    def without(self, graph: str) -> Estimate | None:
        """Return the difference without the graph; None where none's own bytes then do not grow with the edges."""
        fit, own = self._fit, self._fit.groups[graph]
        left = fit.without(graph)
        coefficients = self._coefficients + fit.inverse @ left.move
        values, columns = np.delete(self._values, own), np.delete(self._columns, own, axis=0)
        largest = float(values.max())
        if abs(coefficients[NONE_EDGES]) * columns[:, NONE_EDGES].max() < ROUNDING * largest:
            return None
        error = math.sqrt(self._variance(left, len(values)))
        reach = error * float(student.ppf((1 + self._confidence) / 2, len(fit.groups) - 2))
        middle = float(coefficients[POLICY_EDGES])
        ends = np.array([middle, middle - reach, middle + reach])
        if np.abs(left.residuals).max() < ROUNDING * largest:  # an exact fit leaves 1e-16 where it means 0
            ends[np.abs(ends) * columns[:, POLICY_EDGES].max() < ROUNDING * largest] = 0.0
        estimate, low, high = ends * self._response_scale / self._column_scales[POLICY_EDGES]
        return Estimate(estimate=float(estimate), low=float(low), high=float(high))

    def _variance(self, left: Without, rows: int) -> float:
        """Return the difference's variance by clusters, with statsmodels' correction for few of them."""
        clusters, parameters = len(self._fit.groups) - 1, len(left.move)
        correction = clusters / (clusters - 1) * (rows - 1) / (rows - parameters)
        weights = left.bread @ self._fit.inverse[POLICY_EDGES]
        return correction * float(((self._fit.scores(left.residuals) @ weights) ** 2).sum())
