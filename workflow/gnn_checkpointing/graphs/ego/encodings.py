"""Ego-network encodings: how often each place occurs around a node, and each pair of places around an edge.

Around an edge: over the nodes that the ego networks of both of its ends hold, the place in the one and the place in the
other. Exact counts, as sparse as they come; after ELENE (arXiv 2312.05905), in this project's own reading of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gnn_checkpointing.graphs.ego.places import adjacency_of, chunks_of_places, unpacked

_PAIRS = 8_000_000
"""About so many nodes beside edges are held at once: a chunk of edges is as large as they allow."""


@dataclass(frozen=True)
class Encodings:
    """`counts[i, k]`: how often kind `k` occurs around node or edge `i`.

    `kinds` is int64 `[kinds, 4]` for nodes: distance, and neighbours nearer, as far, farther; `[kinds, 8]` for edges:
    the same with respect to the edge's destination, then to its source.
    """

    counts: csr_array
    kinds: NDArray[np.int64]


@dataclass(frozen=True)
class Surroundings:
    """Every node's ego network: `kinds[matrix[root, node] - 1]` is the place (packed) of a node in a root's."""

    matrix: csr_array
    kinds: NDArray[np.int64]


@dataclass(frozen=True)
class EdgeCounts:
    """Counts around edges `start` and following: for edge `start + row` the pair of kinds occurs `count` times.

    `pair` is kind of the destination's * number of kinds + kind of the source's.
    """

    start: int
    row: NDArray[np.int64]
    pair: NDArray[np.int64]
    count: NDArray[np.int64]


def surroundings(edge_index: NDArray[np.int64], num_nodes: int, radius: int) -> Surroundings:
    """Return every node's ego network of a simple undirected graph `edge_index` `[2, num_edges]`."""
    found = list(chunks_of_places(adjacency_of(edge_index, num_nodes), radius))
    kinds, number = np.unique(np.concatenate([part.keys for part in found]), return_inverse=True)
    sizes = np.bincount(np.concatenate([part.roots for part in found]), minlength=num_nodes)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    nodes = np.concatenate([part.nodes for part in found])
    matrix = csr_array(((number + 1).astype(np.int32), nodes, starts), shape=(num_nodes, num_nodes))
    return Surroundings(matrix, kinds)


def node_encodings(around: Surroundings) -> Encodings:
    """Return the encodings of nodes `[num_nodes, kinds]`."""
    num_nodes, kinds = around.matrix.shape[0], len(around.kinds)
    rows = np.repeat(np.arange(num_nodes, dtype=np.int64), np.diff(around.matrix.indptr))
    cells, counts = np.unique(rows * kinds + (around.matrix.data - 1), return_counts=True)
    row, kind = np.divmod(cells, kinds)
    return Encodings(csr_array((counts, (row, kind)), shape=(num_nodes, kinds)), unpacked(around.kinds))


def edge_encodings(around: Surroundings, edge_index: NDArray[np.int64]) -> Encodings:
    """Return the encodings of edges `[num_edges, kinds]`, in the order of `edge_index`."""
    parts = list(edge_counts(around, edge_index))
    pairs, number = np.unique(np.concatenate([part.pair for part in parts]), return_inverse=True)
    rows = np.concatenate([part.start + part.row for part in parts])
    counts = np.concatenate([part.count for part in parts])
    destination, source = np.divmod(pairs, len(around.kinds))
    kinds = np.concatenate([unpacked(around.kinds[destination]), unpacked(around.kinds[source])], axis=1)
    return Encodings(csr_array((counts, (rows, number)), shape=(edge_index.shape[1], len(pairs))), kinds)


def edge_counts(around: Surroundings, edge_index: NDArray[np.int64]) -> Iterator[EdgeCounts]:
    """Yield the counts around edges, some edges at a time: memory does not grow with their number."""
    matrix, kinds = around.matrix, len(around.kinds)
    there = csr_array((np.ones_like(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
    held = np.cumsum(np.diff(matrix.indptr)[edge_index].sum(axis=0))
    start = 0
    while start < edge_index.shape[1]:
        limit = _PAIRS + (held[start - 1] if start else 0)
        stop = max(start + 1, int(np.searchsorted(held, limit, side="right")))
        source, destination = edge_index[:, start:stop]
        own, other = (
            matrix[one].multiply(there[two]).tocsr() for one, two in ((destination, source), (source, destination))
        )
        own.sort_indices()
        other.sort_indices()
        row = np.repeat(np.arange(stop - start, dtype=np.int64), np.diff(own.indptr))
        pair = (own.data - 1).astype(np.int64) * kinds + (other.data - 1)
        cells, counts = np.unique(row * kinds**2 + pair, return_counts=True)
        rows, pairs = np.divmod(cells, kinds**2)
        yield EdgeCounts(start, rows, pairs, counts)
        start = stop
