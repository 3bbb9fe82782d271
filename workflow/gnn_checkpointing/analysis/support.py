"""Whether rows can carry a law in nodes and edges; if not, the reason as a clause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.fitting import largest_leverage
from gnn_checkpointing.analysis.results import Response
from gnn_checkpointing.analysis.rounding import CLOSE, rank
from gnn_checkpointing.analysis.table import Row

Floats = NDArray[np.float64]
Found = TypeVar("Found")

COLUMNS = ("constant", "nodes", "edges")
EDGES = COLUMNS.index("edges")
LEAST_LEVELS = 3
LEAST_SIZES = 2
LEAST_CELLS = 2 * len(COLUMNS)


def answers(asked: Iterable[tuple[str, Found | str]]) -> tuple[list[Found], list[str]]:
    """All results, and a sentence for each subject that has a reason instead of a result."""
    found: list[Found] = []
    missing: list[str] = []
    for subject, answer in asked:
        if isinstance(answer, str):
            missing.append(f"{subject}: {answer}.")
        else:
            found.append(answer)
    return found, missing


def design(rows: Sequence[Row]) -> Floats:
    """The columns one, num_nodes, num_edges of the rows ([num_rows, 3])."""
    return np.array([(1.0, row.num_nodes, row.num_edges) for row in rows], dtype=np.float64)


def answering(rows: Sequence[Row], response: Response) -> list[Row]:
    """The rows that have the response: a cell that was not timed has no step time."""
    return [row for row in rows if getattr(row, response) is not None]


def observed(rows: Sequence[Row], response: Response) -> Floats:
    """The response of the rows ([num_rows])."""
    return np.array([float(getattr(row, response)) for row in rows])


def why_not(rows: Sequence[Row], response: Response | None = None) -> str | None:
    """Why no law, of the response if one is named, can be fitted to rows of generated graphs; None if one can."""
    levels, sizes = ({getattr(row, name) for row in rows} for name in ("requested_average_degree", "num_nodes"))
    if len({row.num_features for row in rows}) > 1:
        return "the graphs differ in their number of input features, which the law does not know"
    if len(rows) < LEAST_CELLS:
        return f"{_counted(len(rows), 'comparable cell')} of generated graphs, and a law wants {LEAST_CELLS}"
    if len(levels) < LEAST_LEVELS:
        return f"{_counted(len(levels), 'level')} of average degree, and a law wants {LEAST_LEVELS}"
    if len(sizes) < LEAST_SIZES:
        return f"all graphs have {min(sizes)} nodes, so bytes per node cannot be told from the constant"
    columns = design(rows)
    if rank(columns) < len(COLUMNS):
        return "nodes and edges grow in step, so their shares cannot be told apart"
    if largest_leverage(columns) > 1 - CLOSE:
        return "one cell alone decides a coefficient, which leaves no interval"
    return None if response is None else why_no_response(rows, response)


def why_no_response(rows: Sequence[Row], response: Response) -> str | None:
    """Why this response has no law, or None if it can have one."""
    if (observed(rows, response) <= 0).any():
        return "a cell's value is 0, which has no relative error"
    return None


def _counted(count: int, noun: str) -> str:
    return f"only {count} {noun}{'' if count == 1 else 's'}"
