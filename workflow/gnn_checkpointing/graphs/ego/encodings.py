"""Ego-network encodings: how often each place occurs around a node, and each pair of places around an edge.

Around an edge: over the nodes that the ego networks of both of its ends hold, the place in the one and the place in the
other. Exact counts, as sparse as they come; after ELENE (arXiv 2312.05905), in this project's own reading of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from gnn_checkpointing.graphs.ego.places import Numbers, Places, adjacency_of, chunks_of_places, unpacked

_PAIRS = 8_000_000
"""About so many nodes beside edges are held at once: a chunk of edges is as large as they allow."""


class Encodings(NamedTuple):
    """`counts[i, k]`: how often kind `k` occurs around node or edge `i`.

    `kinds` is int64 `[kinds, 4]` for nodes: distance, and neighbours nearer, as far, farther; `[kinds, 8]` for edges:
    the same with respect to the edge's destination, then to its source.
    """

    counts: csr_array
    kinds: Numbers


class Surroundings(NamedTuple):
    """Every node's ego network: `kinds[matrix[root, node] - 1]` is the place (packed) of a node in a root's."""

    matrix: csr_array
    kinds: Numbers


def surroundings(edge_index: Numbers, num_nodes: int, radius: int) -> Surroundings:
    """Every node's ego network of a simple undirected graph `edge_index` `[2, num_edges]`."""
    chunks = chunks_of_places(adjacency_of(edge_index, num_nodes), radius)
    found = Places(*map(np.concatenate, zip(*chunks, strict=True)))
    kinds, number = np.unique(found.keys, return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(np.bincount(found.roots, minlength=num_nodes))])
    matrix = csr_array(((number + 1).astype(np.int32), found.nodes, starts), shape=(num_nodes, num_nodes))
    return Surroundings(matrix, kinds)


def node_encodings(around: Surroundings) -> Encodings:
    """The encodings of nodes `[num_nodes, kinds]`."""
    num_nodes, kinds = around.matrix.shape[0], len(around.kinds)
    rows = np.repeat(np.arange(num_nodes, dtype=np.int64), np.diff(around.matrix.indptr))
    cells, counts = np.unique(rows * kinds + (around.matrix.data - 1), return_counts=True)
    return Encodings(csr_array((counts, np.divmod(cells, kinds)), shape=(num_nodes, kinds)), unpacked(around.kinds))


def edge_encodings(around: Surroundings, edge_index: Numbers) -> Encodings:
    """The encodings of edges `[num_edges, kinds]`, in the order of `edge_index`."""
    rows, pair, counts = map(np.concatenate, zip(*edge_counts(around, edge_index), strict=True))
    pairs, number = np.unique(pair, return_inverse=True)
    destination, source = np.divmod(pairs, len(around.kinds))
    kinds = np.concatenate([unpacked(around.kinds[destination]), unpacked(around.kinds[source])], axis=1)
    return Encodings(csr_array((counts, (rows, number)), shape=(edge_index.shape[1], len(pairs))), kinds)


def edge_counts(around: Surroundings, edge_index: Numbers) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
    """Edges, pairs of kinds around them, and how often; some edges at a time: memory does not grow with their number.

    A pair is the kind of the destination's * number of kinds + the kind of the source's.
    """
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
        edge = np.repeat(np.arange(start, stop, dtype=np.int64), np.diff(own.indptr))
        pair = (own.data - 1).astype(np.int64) * kinds + (other.data - 1)
        cells, counts = np.unique((edge - start) * kinds**2 + pair, return_counts=True)
        rows, pairs = np.divmod(cells, kinds**2)
        yield start + rows, pairs, counts
        start = stop
