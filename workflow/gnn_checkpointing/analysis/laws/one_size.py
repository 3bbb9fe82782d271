"""Laws along the edges of graphs of one size, for planning: what all graphs share is charged to the nodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls

from gnn_checkpointing.analysis.laws.series import Floats, Series, residuals, series_of
from gnn_checkpointing.analysis.results import PredictiveLaw, ResidentLaw, Response
from gnn_checkpointing.analysis.support import answering
from gnn_checkpointing.analysis.table import Row, comparable, grouped
from gnn_checkpointing.analysis.tolerance import first_least

_LEAST_LEVELS = 4
_EQUAL = 1e-6
_RESPONSES: tuple[Response, ...] = ("activation_bytes", "saved_activation_bytes", "step_time_seconds")


def one_size_laws(measured: Sequence[Row]) -> tuple[list[PredictiveLaw], list[ResidentLaw]]:
    """Laws of every convolution x policy whose graphs all have one number of nodes, which no law of both can have.

    An interval reaches as far as the worst error on a level that was held out.
    """
    laws: list[PredictiveLaw] = []
    resident: list[ResidentLaw] = []
    drawn = [row for row in comparable(measured) if row.is_drawn]
    for (convolution, policy), cells in grouped(drawn, lambda row: (row.convolution, row.policy)):
        if len({(row.num_nodes, row.num_features) for row in cells}) > 1:
            continue
        found = [_law(series_of(rows, one)) for one in _RESPONSES if _levels(rows := answering(cells, one))]
        laws += found
        if found:
            before = np.array([float(row.resident_bytes) for row in cells])
            nodes, edges = _terms(_columns(series_of(cells, "activation_bytes"), "edges"), before)
            resident.append(
                ResidentLaw(convolution=convolution, policy=policy, constant=0.0, per_node=nodes, per_edge=edges)
            )
    return laws, resident


def _levels(rows: Sequence[Row]) -> bool:
    return len({row.num_edges for row in rows}) >= _LEAST_LEVELS


def _columns(series: Series, column: str) -> Floats:
    worked = series.sizes.edges if column == "edges" or series.sizes.at_once is None else series.sizes.at_once
    return np.column_stack([series.sizes.nodes, worked])


def _terms(columns: Floats, values: Floats) -> list[float]:
    """Non-negative terms of the least relative error."""
    scales = columns.max(axis=0)
    found: list[float] = (nnls(columns / scales / values[:, np.newaxis], np.ones(len(values)))[0] / scales).tolist()
    return found


def _held_out(columns: Floats, values: Floats, edges: Floats) -> float:
    """The worst error on a level that a fit has not seen."""
    worst = 0.0
    for level in np.unique(edges):
        held = edges == level
        told = columns[held] @ np.array(_terms(columns[~held], values[~held]))
        worst = max(worst, float(np.abs(told / values[held] - 1).max()))
    return worst


def _law(series: Series) -> PredictiveLaw:
    forms = ("edges", "edges_at_once") if series.sizes.at_once is not None else ("edges",)
    errors = [_held_out(_columns(series, form), series.values, series.sizes.edges) for form in forms]
    best = first_least(errors, nothing=_EQUAL)
    columns = _columns(series, forms[best])
    nodes, edges = _terms(columns, series.values)
    told = columns @ np.array([nodes, edges])
    relative = (series.values - told) / told
    row = series.rows[0]
    return PredictiveLaw(
        convolution=series.convolution,
        policy=series.policy,
        response=series.response,
        form="blocks" if best else "additive",
        pieces=[{"nodes": nodes, forms[best]: edges}],
        knee=None,
        cells=len(series.rows),
        num_nodes=(row.num_nodes, row.num_nodes),
        num_edges=(int(series.sizes.edges.min()), int(series.sizes.edges.max())),
        num_features=row.num_features,
        half_width=errors[best],
        held_out_error=None if series.response == "step_time_seconds" else errors[best],
        median_relative_residual=float(np.median(np.abs(relative))),
        worst_relative_residual=float(np.abs(relative).max()),
        residuals=residuals(series.rows, series.values, told, relative),
    )
