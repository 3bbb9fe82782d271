"""Whether rows can carry a law in nodes and edges; if not, the reason as a clause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.fitting import largest_leverage
from gnn_checkpointing.analysis.results import Response
from gnn_checkpointing.analysis.table import Row
from gnn_checkpointing.analysis.tolerance import CLOSE, rank

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

COLUMNS = ("constant", "nodes", "edges")
LEAST_LEVELS = 3
LEAST_SIZES = 2
LEAST_CELLS = 2 * len(COLUMNS)


@dataclass(frozen=True)
class Graphs:
    """What a law wants to know of the graphs of rows, `[num_rows]` each."""

    levels: Floats
    nodes: Integers
    edges: Integers
    features: Integers

    def only(self, rows: Mask) -> Graphs:
        """Those of some of the rows."""
        return Graphs(self.levels[rows], self.nodes[rows], self.edges[rows], self.features[rows])

    @property
    def design(self) -> Floats:
        """The columns one, num_nodes, num_edges ([num_rows, 3])."""
        return np.column_stack([np.ones(len(self.nodes)), self.nodes.astype(float), self.edges.astype(float)])


def graphs_of(rows: Sequence[Row]) -> Graphs:
    """The graphs of the rows; the level of one that was not generated is 0."""
    return Graphs(
        levels=np.array([row.requested_average_degree or 0.0 for row in rows], dtype=np.float64),
        nodes=np.array([row.num_nodes for row in rows], dtype=np.int64),
        edges=np.array([row.num_edges for row in rows], dtype=np.int64),
        features=np.array([row.num_features for row in rows], dtype=np.int64),
    )


def design(rows: Sequence[Row]) -> Floats:
    """The columns one, num_nodes, num_edges of the rows ([num_rows, 3])."""
    return graphs_of(rows).design


def answering(rows: Sequence[Row], response: Response) -> list[Row]:
    """The rows that have the response: a cell that was not timed has no step time."""
    return [row for row in rows if getattr(row, response) is not None]


def observed(rows: Sequence[Row], response: Response) -> Floats:
    """The response of the rows ([num_rows])."""
    return np.array([float(getattr(row, response)) for row in rows])


def why_not(rows: Sequence[Row]) -> str | None:
    """Why no law can be fitted to these rows of generated graphs, or None if one can."""
    return why_not_on(graphs_of(rows))


def why_not_on(graphs: Graphs) -> str | None:
    """Why no law can be fitted to a row on each of these generated graphs, or None if one can."""
    rows = len(graphs.nodes)
    levels, sizes = np.unique(graphs.levels), np.unique(graphs.nodes)
    if len(np.unique(graphs.features)) > 1:
        return "the graphs differ in their number of input features, which the law does not know"
    if rows < LEAST_CELLS:
        return f"{_counted(rows, 'comparable cell')} of generated graphs, and a law wants {LEAST_CELLS}"
    if len(levels) < LEAST_LEVELS:
        return f"{_counted(len(levels), 'level')} of average degree, and a law wants {LEAST_LEVELS}"
    if len(sizes) < LEAST_SIZES:
        return f"all graphs have {sizes[0]} nodes, so bytes per node cannot be told from the constant"
    columns = graphs.design
    if rank(columns) < len(COLUMNS):
        return "nodes and edges grow in step, so their shares cannot be told apart"
    if largest_leverage(columns) > 1 - CLOSE:
        return "one cell alone decides a coefficient, which leaves no interval"
    return None


def why_no_response(rows: Sequence[Row], response: Response) -> str | None:
    """Why this response has no law, or None if it can have one."""
    if (observed(rows, response) <= 0).any():
        return "a cell's value is 0, which has no relative error"
    return None


def _counted(count: int, noun: str) -> str:
    return f"only {count} {noun}{'' if count == 1 else 's'}"
