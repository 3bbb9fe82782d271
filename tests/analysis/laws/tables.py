"""Series with known laws, for the tests of laws."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from analysis.tables import Table, table
from gnn_checkpointing.analysis.laws.series import Series, series_of
from gnn_checkpointing.analysis.results import Response
from gnn_checkpointing.analysis.table import Row, completed


def series(
    rows: Table | None = None,
    convolution: str = "GATv2",
    policy: str = "none",
    response: Response = "activation_bytes",
    noise: float = 0.02,
    seed: int = 0,
) -> Series:
    """Return one series of the synthetic table."""
    made = table(np.random.default_rng(seed), noise=noise) if rows is None else rows
    return series_of(chosen(completed(made), convolution, policy), response)


def chosen(rows: Sequence[Row], convolution: str, policy: str) -> list[Row]:
    return [row for row in rows if (row.convolution, row.policy) == (convolution, policy)]


def with_bytes(rows: Table, convolution: str, policy: str, law: Callable[[float, float, float], float]) -> Table:
    """Return the table with one policy's activation bytes made anew from nodes, edges and edges at once."""

    def bytes_of(row: dict[str, object]) -> int:
        return round(law(*(float(str(row[name])) for name in ("num_nodes", "num_edges", "edges_at_once"))))

    return [
        {**row, "activation_bytes": bytes_of(dict(row))}
        if (row["convolution"], row["policy"]) == (convolution, policy)
        else row
        for row in rows
    ]
