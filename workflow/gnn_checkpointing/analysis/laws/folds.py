"""What is held out: whole levels of density and whole numbers of nodes, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gnn_checkpointing.analysis.support import Floats, graphs_of, why_not_on
from gnn_checkpointing.analysis.table import Row

Factor = Literal["density", "nodes"]


@dataclass(frozen=True)
class Fold:
    """A level that is held out: positions of the rows that are kept and of those that are not."""

    factor: Factor
    level: float
    kept: list[int]
    held: list[int]


def folds(rows: Sequence[Row]) -> list[Fold]:
    """Return a fold for each level of density and each number of nodes, where the others still carry a law.

    A level goes as a whole: replicates of one size and density hold the same number of edges, and a law that has seen
    one of them has seen the other.
    """
    graphs = graphs_of(rows)
    levels: dict[Factor, Floats] = {"density": graphs.levels, "nodes": graphs.nodes.astype(np.float64)}
    found = []
    for factor, values in levels.items():
        for level in np.unique(values):
            held = values == level
            if why_not_on(graphs.only(~held)) is None:
                fold = Fold(factor, float(level), np.flatnonzero(~held).tolist(), np.flatnonzero(held).tolist())
                found.append(fold)
    return found


def deciding(found: Sequence[Fold], rows: Sequence[Row]) -> list[Fold]:
    """Return the folds that choose among candidates: the densest level and the largest number of nodes."""
    densest = max((float(row.requested_average_degree or 0.0) for row in rows), default=0.0)
    largest = max((float(row.num_nodes) for row in rows), default=0.0)
    wanted = {("density", densest), ("nodes", largest)}
    return [fold for fold in found if (fold.factor, fold.level) in wanted]
