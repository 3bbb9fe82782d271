"""Fewer edges at hubs: no node keeps more than so many neighbours."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


def capped(pairs: NDArray[np.int64], num_nodes: int, level: float, rng: Generator) -> NDArray[np.int64]:
    """Return those of the undirected edges `[2, edges]` that are among the first `level` of both ends.

    First in one random order of all edges: nodes with at most `level` neighbours lose only what the other end does
    not keep, and no degree exceeds `level`.
    """
    edges = pairs.shape[1]
    turn = rng.permutation(edges)
    ends = np.concatenate([pairs[0], pairs[1]])
    order = np.lexsort((np.tile(turn, 2), ends))
    degrees = np.bincount(ends, minlength=num_nodes)
    start = np.cumsum(degrees) - degrees
    rank = np.empty(2 * edges, np.int64)
    rank[order] = np.arange(2 * edges) - start[ends[order]]
    kept = (rank[:edges] < level) & (rank[edges:] < level)
    return pairs[:, kept]
