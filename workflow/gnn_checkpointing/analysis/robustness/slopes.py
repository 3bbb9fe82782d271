"""The policy x edges difference of peak bytes with each graph left out: what `interactions` finds without its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from gnn_checkpointing.analysis.fitting import ROUNDING, in_units, largest, largest_leverage
from gnn_checkpointing.analysis.interaction import NONE_EDGES, POLICY_EDGES, interactions, joint_design, side_by_side
from gnn_checkpointing.analysis.results import Estimate, Response
from gnn_checkpointing.analysis.robustness.refits import LIGHT, Floats, Places, Refits
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
    joint = _Joint(none, other)
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

    def __init__(self, none: Sequence[Row], other: Sequence[Row]) -> None:
        columns = joint_design(none, other)
        values = np.concatenate([observed(none, RESPONSE), observed(other, RESPONSE)])
        # As shares of the largest, as `fitted` has them: what is rounding is told by that.
        self._column_scales, self._response_scale = largest(columns), float(values.max())
        self._columns, self._values = columns / self._column_scales, values / self._response_scale
        self._fit = Refits.of(self._columns, self._values, [row.graph for row in (*none, *other)])
        self._coefficients = self._fit.inverse @ (self._fit.basis.T @ self._values)
        self._most_leverage = largest_leverage(design(none))
        self._places = {row.graph: (row.requested_average_degree, row.num_nodes) for row in none}
        self._levels = Counter(level for level, _ in self._places.values())
        self._sizes = Counter(size for _, size in self._places.values())

    def can_spare(self, graph: str) -> bool:
        """Whether the rows without the graph surely carry the model: see `why_not`, which asks more slowly."""
        level, size = self._places[graph]
        group = self._fit.numbers[graph]
        return bool(
            self._fit.shares[group] < LIGHT
            and self._most_leverage < 1 - LIGHT  # without so light a graph, no row's leverage doubles
            and (len(self._values) - len(self._fit.rows(group))) // 2 >= LEAST_CELLS
            and len(self._levels) - (self._levels[level] == 1) >= LEAST_LEVELS
            and len(self._sizes) - (self._sizes[size] == 1) >= LEAST_SIZES
        )

    def without(self, graph: str) -> Estimate | None:
        """Return the difference without the graph; None where none's own bytes then do not grow with the edges."""
        fit, group = self._fit, self._fit.numbers[graph]
        own = fit.rows(group)
        coefficients = self._coefficients + fit.inverse @ fit.moves[group]
        rounding = ROUNDING * _largest_without(self._values, own)
        if abs(coefficients[NONE_EDGES]) * _largest_without(self._columns[:, NONE_EDGES], own) < rounding:
            return None
        middle = float(coefficients[POLICY_EDGES])
        unit = self._response_scale / float(self._column_scales[POLICY_EDGES])
        return in_units((middle, middle, middle), unit)


def _largest_without(values: Floats, own: Places) -> float:
    """Return the largest of the values that are not `own`."""
    largest = values.max()
    return float(largest if values[own].max() < largest else np.delete(values, own).max())
