"""Throughput on edge density: how nodes and edges per second change as the same number of nodes has more edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnn_checkpointing.analysis.fitting import fitted
from gnn_checkpointing.analysis.results import Density, Throughput, ThroughputLaw
from gnn_checkpointing.analysis.support import LEAST_CELLS, LEAST_LEVELS, Floats
from gnn_checkpointing.analysis.table import Row, comparable, grouped
from gnn_checkpointing.analysis.throughput import per_second

_DENSITIES: tuple[Density, ...] = ("density", "average_degree")
_THROUGHPUTS: tuple[Throughput, ...] = ("nodes_per_second", "edges_per_second")


def throughput_laws(rows: Sequence[Row], confidence: float) -> tuple[list[ThroughputLaw], list[str]]:
    """Regressions of throughput on density for each convolution x policy, and what has none and why."""
    drawn = [row for row in comparable(rows) if row.is_drawn and row.step_time_seconds]
    found: list[ThroughputLaw] = []
    missing: list[str] = []
    for (convolution, policy), cells in grouped(drawn, lambda row: (row.convolution, row.policy)):
        levels = {row.requested_average_degree for row in cells}
        sizes = {row.num_nodes for row in cells}
        if len(levels) < LEAST_LEVELS or len(cells) < max(LEAST_CELLS, 2 * _columns(sizes)):
            missing.append(
                f"{convolution}, {policy}: throughput is not regressed on density: {len(cells)} timed cells at "
                f"{len(levels)} levels, and it wants {LEAST_CELLS} at {LEAST_LEVELS}."
            )
            continue
        found += [_law(cells, one, other, confidence) for one in _THROUGHPUTS for other in _DENSITIES]
    return found, missing


def _columns(sizes: set[int]) -> int:
    return 3 if len(sizes) > 1 else 2


def _law(cells: Sequence[Row], response: Throughput, density: Density, confidence: float) -> ThroughputLaw:
    nodes = np.array([float(row.num_nodes) for row in cells])
    edges = np.array([float(row.num_edges) for row in cells])
    measured = edges / (nodes * (nodes - 1)) if density == "density" else edges / nodes
    counts = [row.num_nodes if response == "nodes_per_second" else row.num_edges for row in cells]
    rates = [per_second(count, row.step_time_seconds) for count, row in zip(counts, cells, strict=True)]
    logarithms: Floats = np.log(np.array(rates, dtype=np.float64))
    columns = [np.ones(len(cells)), np.log(measured)]
    if len(set(nodes.tolist())) > 1:
        columns.append(np.log(nodes))
    # A graph that was measured more than once is one draw: its rows move together.
    graphs = [row.graph for row in cells]
    clusters = graphs if len(set(graphs)) < len(graphs) else None
    fit = fitted(np.column_stack(columns), logarithms, "equal", confidence, clusters)
    errors = np.abs(np.expm1(fit.fitted - logarithms))
    return ThroughputLaw(
        convolution=cells[0].convolution,
        policy=cells[0].policy,
        response=response,
        density=density,
        cells=len(cells),
        num_nodes=(int(nodes.min()), int(nodes.max())),
        span=(float(measured.min()), float(measured.max())),
        constant=fit.coefficients[0],
        elasticity=fit.coefficients[1],
        nodes_elasticity=fit.coefficients[2] if len(columns) > 2 else None,
        r_squared=1.0 if fit.exact else float(fit.result.rsquared),
        median_relative_error=float(np.median(errors)),
        worst_relative_error=float(errors.max()),
    )
