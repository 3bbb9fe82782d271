"""Throughput on edge density: how nodes and edges per second change as the same number of nodes has more edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnn_checkpointing.analysis.estimates import per_second
from gnn_checkpointing.analysis.fitting import fitted, largest_leverage
from gnn_checkpointing.analysis.results import Density, Throughput, ThroughputLaw
from gnn_checkpointing.analysis.support import LEAST_LEVELS, Floats
from gnn_checkpointing.analysis.table import Row, comparable, grouped
from gnn_checkpointing.analysis.tolerance import CLOSE

LEAST_GRAPHS = 4
"""As many as leave an interval: one more than there are coefficients."""

_DENSITIES: tuple[Density, ...] = ("density", "average_degree")
_THROUGHPUTS: tuple[Throughput, ...] = ("nodes_per_second", "edges_per_second")


def throughput_laws(rows: Sequence[Row], confidence: float) -> tuple[list[ThroughputLaw], list[str]]:
    """Regressions of throughput on density for each convolution x policy, and what has none and why."""
    timed = [row for row in comparable(rows) if row.step_time_seconds]
    # Generated graphs, whose density was chosen; where a study has none, its real graphs and those made of them.
    drawn = [row for row in timed if row.is_drawn] or timed
    found: list[ThroughputLaw] = []
    missing: list[str] = []
    for (convolution, policy), cells in grouped(drawn, lambda row: (row.convolution, row.policy)):
        levels = {round(row.average_degree) for row in cells}
        graphs = {row.graph for row in cells}
        alone = largest_leverage(_columns(cells, "average_degree")) > 1 - CLOSE
        if len(levels) < LEAST_LEVELS or len(graphs) < LEAST_GRAPHS or alone:
            missing.append(
                f"{convolution}, {policy}: throughput is not regressed on density: {len(graphs)} timed graphs at "
                f"{len(levels)} levels, and it wants {LEAST_GRAPHS} at {LEAST_LEVELS}, none of which decides alone."
            )
            continue
        found += [_law(cells, one, other, confidence) for one in _THROUGHPUTS for other in _DENSITIES]
    return found, missing


def _density(cells: Sequence[Row], density: Density) -> Floats:
    nodes = np.array([float(row.num_nodes) for row in cells])
    edges = np.array([float(row.num_edges) for row in cells])
    measured: Floats = edges / (nodes * (nodes - 1)) if density == "density" else edges / nodes
    return measured


def _columns(cells: Sequence[Row], density: Density) -> Floats:
    """One, the logarithm of density, and that of the nodes where they differ."""
    nodes = np.log([float(row.num_nodes) for row in cells])
    columns = [np.ones(len(cells)), np.log(_density(cells, density))]
    return np.column_stack([*columns, nodes] if np.ptp(nodes) > 0 else columns)


def _law(cells: Sequence[Row], response: Throughput, density: Density, confidence: float) -> ThroughputLaw:
    measured, nodes = _density(cells, density), [row.num_nodes for row in cells]
    counts = [row.num_nodes if response == "nodes_per_second" else row.num_edges for row in cells]
    rates = [per_second(count, row.step_time_seconds) for count, row in zip(counts, cells, strict=True)]
    logarithms: Floats = np.log(np.array(rates, dtype=np.float64))
    # A graph that was measured more than once is one draw: its rows move together.
    graphs = [row.graph for row in cells]
    clusters = graphs if len(set(graphs)) < len(graphs) else None
    fit = fitted(_columns(cells, density), logarithms, "equal", confidence, clusters)
    errors = np.abs(np.expm1(fit.fitted - logarithms))
    return ThroughputLaw(
        convolution=cells[0].convolution,
        policy=cells[0].policy,
        response=response,
        density=density,
        cells=len(cells),
        num_nodes=(min(nodes), max(nodes)),
        span=(float(measured.min()), float(measured.max())),
        constant=fit.coefficients[0],
        elasticity=fit.coefficients[1],
        nodes_elasticity=fit.coefficients[2] if len(fit.coefficients) > 2 else None,
        r_squared=1.0 if fit.exact else float(fit.result.rsquared),
        median_relative_error=float(np.median(errors)),
        worst_relative_error=float(errors.max()),
    )
