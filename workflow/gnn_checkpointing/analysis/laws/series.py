"""What one law is fitted to: the cells of one convolution and policy, and one response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gnn_checkpointing.analysis.laws.forms import Floats, Sizes
from gnn_checkpointing.analysis.results import Residual, Response
from gnn_checkpointing.analysis.support import observed
from gnn_checkpointing.analysis.table import Row


@dataclass(frozen=True)
class Series:
    """The cells of one convolution and policy on generated graphs, all with a response, `[num_rows]`."""

    convolution: str
    policy: str
    response: Response
    rows: Sequence[Row]
    sizes: Sizes
    values: Floats

    def only(self, rows: list[int]) -> Series:
        """Return some of the cells."""
        return Series(
            self.convolution,
            self.policy,
            self.response,
            [self.rows[row] for row in rows],
            self.sizes.only(rows),
            self.values[rows],
        )

    @property
    def name(self) -> str:
        """How a sentence calls it."""
        return f"{self.convolution}, {self.policy}"


def series_of(rows: Sequence[Row], response: Response) -> Series:
    """Return the rows of one convolution and policy as a series."""
    return Series(rows[0].convolution, rows[0].policy, response, rows, sizes_of(rows), observed(rows, response))


def sizes_of(rows: Sequence[Row]) -> Sizes:
    """Return what a law knows of the rows' graphs."""
    at_once = [row.edges_at_once for row in rows]
    return Sizes(
        nodes=np.array([row.num_nodes for row in rows], dtype=np.float64),
        edges=np.array([row.num_edges for row in rows], dtype=np.float64),
        at_once=None if None in at_once else np.array(at_once, dtype=np.float64),
    )


def residuals(rows: Sequence[Row], values: Floats, fitted: Floats, relative: Floats) -> list[Residual]:
    """Each row's response beside a law's value."""
    return [
        Residual(
            graph=row.graph,
            num_nodes=row.num_nodes,
            num_edges=row.num_edges,
            observed=float(value),
            fitted=float(expected),
            relative=float(share),
            started=row.started,
        )
        for row, value, expected, share in zip(rows, values, fitted, relative, strict=True)
    ]
