"""Bytes per edge three ways: measured, by the law, and counted from the tensors that one edge makes."""

from __future__ import annotations

import numpy as np

from gnn_checkpointing.analysis.laws.fit import FittedForm
from gnn_checkpointing.analysis.laws.series import Series
from gnn_checkpointing.analysis.laws.tensor_counts import counted
from gnn_checkpointing.analysis.results import AnalyticCount


def analytic(series: Series, law: FittedForm) -> AnalyticCount | None:
    """Return the three slopes between the two densest levels of the largest graphs; None where there are not two."""
    nodes = int(series.sizes.nodes.max())
    levels = sorted({row.requested_average_degree or 0.0 for row in series.rows if row.num_nodes == nodes})
    if len(levels) < 2:
        return None
    ends = [_at_level(series, nodes, level) for level in levels[-2:]]
    edges = [float(series.sizes.edges[end].mean()) for end in ends]
    measured = [float(series.values[end].mean()) for end in ends]
    by_law = [float(law.at(series.sizes.only(end)).mean()) for end in ends]
    row = series.rows[0]
    count = counted(series.convolution, series.policy, series.response)
    return AnalyticCount(
        convolution=series.convolution,
        policy=series.policy,
        response=series.response,
        num_nodes=nodes,
        measured=float(np.diff(measured)[0] / np.diff(edges)[0]),
        law=float(np.diff(by_law)[0] / np.diff(edges)[0]),
        counted=None if count is None else float(count.bytes(row.num_layers, row.hidden_channels, row.heads)),
        formula="" if count is None else count.words,
    )


def _at_level(series: Series, nodes: int, level: float) -> list[int]:
    return [
        place
        for place, row in enumerate(series.rows)
        if row.num_nodes == nodes and row.requested_average_degree == level
    ]
