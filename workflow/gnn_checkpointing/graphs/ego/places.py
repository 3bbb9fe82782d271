"""Places of nodes in the ego networks of others: their distance from the root, and their degrees relative to it.

The ego network of a root holds all nodes within `radius` steps of it and all edges between these. A node's place in it
is four numbers (Alvarez-Gonzalez, Kaltenbrunner and Gómez, 2023, arXiv 2312.05905): its distance from the root, and how
many of its neighbours there are one step nearer to the root, as far, and one step farther.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gnn_checkpointing.graphs.edges import positions

Numbers = NDArray[np.int64]

MOST_RADIUS = 7
_ENTRIES = 4_000_000
"""About so many numbers are held at once, whatever the graph: a chunk of roots is as large as they allow."""


class Places(NamedTuple):
    """One entry per root and node of its ego network, by root and then node, each int64 `[entries]`.

    `keys` are places as one number each (`unpacked` takes them apart).
    """

    roots: Numbers
    nodes: Numbers
    keys: Numbers


def adjacency_of(edge_index: Numbers, num_nodes: int) -> csr_array:
    """The matrix of a simple undirected graph's `edge_index` `[2, num_edges]`, both directions given."""
    ones = np.ones(edge_index.shape[1], dtype=np.int32)
    matrix = csr_array((ones, (edge_index[1], edge_index[0])), shape=(num_nodes, num_nodes))
    matrix.sort_indices()
    return matrix


def chunks_of_places(adjacency: csr_array, radius: int) -> Iterator[Places]:
    """The places in every node's ego network, some roots at a time."""
    if not 1 <= radius <= MOST_RADIUS:
        raise ValueError(f"radius {radius}: allowed are 1 to {MOST_RADIUS}")
    num_nodes = adjacency.shape[0]
    # What one step beyond the ego networks holds stays within bounds.
    around = min(float(num_nodes), max(1.0, adjacency.nnz / num_nodes) ** (radius + 1))
    step = max(1, int(_ENTRIES / around))
    for start in range(0, num_nodes, step):
        yield _places(adjacency, np.arange(start, min(start + step, num_nodes)), radius)


def unpacked(keys: Numbers) -> Numbers:
    """Places `[entries, 4]`: distance, neighbours nearer, as far, and farther."""
    degrees = [keys >> bits & 2**20 - 1 for bits in (40, 20, 0)]
    return np.stack([keys >> 60, *degrees], axis=1)


def _places(adjacency: csr_array, roots: Numbers, radius: int) -> Places:
    num_nodes = adjacency.shape[0]

    def around(cells: Numbers) -> tuple[Numbers, Numbers]:
        """Of each root and node how many of the node's neighbours are among `cells`; roots and nodes are one number."""
        row, node = np.divmod(cells, num_nodes)
        ones = np.ones(len(cells), dtype=np.int32)
        there = csr_array((ones, (row - roots[0], node)), shape=(len(roots), num_nodes))
        counts = there @ adjacency
        counts.sort_indices()
        found = counts.tocoo()
        return (found.row.astype(np.int64) + roots[0]) * num_nodes + found.col, found.data

    layers = [roots * num_nodes + roots]
    counts = [around(layers[0])]
    for _ in range(radius):
        layers.append(np.setdiff1d(counts[-1][0], np.concatenate(layers), assume_unique=True))
        counts.append(around(layers[-1]))
    keys = []
    for distance, cells in enumerate(layers):
        key = np.full(len(cells), distance, np.int64)  # 3 bits of distance, 20 of each degree
        for other in (distance - 1, distance, distance + 1):
            degree = np.zeros(len(cells), np.int64)
            if 0 <= other <= radius:
                at, known = positions(counts[other][0], cells)
                degree[known] = counts[other][1][at[known]]
            key = key << 20 | degree
        keys.append(key)
    cells = np.concatenate(layers)
    order = np.argsort(cells, kind="stable")
    return Places(*np.divmod(cells[order], num_nodes), np.concatenate(keys)[order])
