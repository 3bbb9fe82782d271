"""Whether rows can carry a law in nodes and edges; if not, the reason as a clause."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.fitting import largest_leverage, rank
from gnn_checkpointing.analysis.results import Response
from gnn_checkpointing.analysis.table import Row

Floats = NDArray[np.float64]

COLUMNS = ("constant", "nodes", "edges")
LEAST_LEVELS = 3
LEAST_SIZES = 2
LEAST_CELLS = 2 * len(COLUMNS)


def design(rows: Sequence[Row]) -> Floats:
    """Return the columns one, num_nodes, num_edges of the rows ([num_rows, 3])."""
    nodes, edges = [row.num_nodes for row in rows], [row.num_edges for row in rows]
    return np.column_stack([np.ones(len(rows)), np.array(nodes, dtype=float), np.array(edges, dtype=float)])


def answering(rows: Sequence[Row], response: Response) -> list[Row]:
    """Return the rows that have the response: a cell that was not timed has no step time."""
    return [row for row in rows if getattr(row, response) is not None]


def observed(rows: Sequence[Row], response: Response) -> Floats:
    """Return the response of the rows ([num_rows])."""
    return np.array([float(getattr(row, response)) for row in rows])


def why_not(rows: Sequence[Row]) -> str | None:
    """Return why no law can be fitted to these rows of generated graphs, or None if one can."""
    levels = {row.requested_average_degree for row in rows}
    sizes = {row.num_nodes for row in rows}
    if len({row.num_features for row in rows}) > 1:
        return "the graphs differ in their number of input features, which the law does not know"
    if len(rows) < LEAST_CELLS:
        return f"{_counted(len(rows), 'comparable cell')} of generated graphs, and a law wants {LEAST_CELLS}"
    if len(levels) < LEAST_LEVELS:
        return f"{_counted(len(levels), 'level')} of average degree, and a law wants {LEAST_LEVELS}"
    if len(sizes) < LEAST_SIZES:
        return f"all graphs have {sizes.pop()} nodes, so bytes per node cannot be told from the constant"
    columns = design(rows)
    if rank(columns) < len(COLUMNS):
        return "nodes and edges grow in step, so their shares cannot be told apart"
    if largest_leverage(columns) > 1 - 1e-9:
        return "one cell alone decides a coefficient, which leaves no interval"
    return None


def why_no_response(rows: Sequence[Row], response: Response) -> str | None:
    """Return why this response has no law, or None if it can have one."""
    if (observed(rows, response) <= 0).any():
        return "a cell's value is 0, which has no relative error"
    return None


def _counted(count: int, noun: str) -> str:
    return f"only {count} {noun}{'' if count == 1 else 's'}"
