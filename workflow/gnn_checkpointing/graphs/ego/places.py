"""Where nodes stand in the ego networks of others: their distance from the root, and their degrees relative to it.

The ego network of a root holds all nodes within `radius` steps of it and all edges between these. A node's place in it
is four numbers (Alvarez-Gonzalez, Kaltenbrunner and Gómez, 2023, arXiv 2312.05905): its distance from the root, and how
many of its neighbours there stand one step nearer to the root, as far, and one step farther.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

MOST_RADIUS = 7
MOST_DEGREE = 2**20 - 1
_ENTRIES = 4_000_000
"""About so many numbers are held at once, whatever the graph: a chunk of roots is as large as they allow."""


@dataclass(frozen=True)
class Places:
    """One entry a root and node of its ego network, by root and then node, each int64 `[entries]`.

    `roots` are numbers of the roots asked for; `keys` are places, packed (`unpacked` takes them apart).
    """

    roots: NDArray[np.int64]
    nodes: NDArray[np.int64]
    keys: NDArray[np.int64]


def adjacency_of(edge_index: NDArray[np.int64], num_nodes: int) -> csr_array:
    """Return the matrix of a simple undirected graph's `edge_index` `[2, num_edges]`, both directions given."""
    ones = np.ones(edge_index.shape[1], dtype=np.int32)
    matrix = csr_array((ones, (edge_index[1], edge_index[0])), shape=(num_nodes, num_nodes))
    matrix.sort_indices()
    return matrix


def chunks_of_places(adjacency: csr_array, radius: int) -> Iterator[Places]:
    """Yield the places in every node's ego network, some roots at a time; `roots` are numbers of nodes."""
    num_nodes = adjacency.shape[0]
    step = _roots_at_once(adjacency, radius)
    for start in range(0, num_nodes, step):
        found = places(adjacency, np.arange(start, min(start + step, num_nodes)), radius)
        yield Places(found.roots + start, found.nodes, found.keys)


def places(adjacency: csr_array, roots: NDArray[np.int64], radius: int) -> Places:
    """Return the places in the ego networks of `roots`, nodes of the graph."""
    if not 1 <= radius <= MOST_RADIUS:
        raise ValueError(f"radius {radius}: allowed are 1 to {MOST_RADIUS}")
    num_nodes = adjacency.shape[0]
    ones = np.ones(len(roots), dtype=np.int32)
    layers = [_sorted(csr_array((ones, (np.arange(len(roots)), roots)), shape=(len(roots), num_nodes)))]
    seen = _cells(layers[0])
    # counts[d][root, node]: how many of the node's neighbours are at distance d from the root.
    counts = [_sorted(layers[0] @ adjacency)]
    for _ in range(radius):
        reached = _cells(counts[-1])
        fresh = np.setdiff1d(reached, seen, assume_unique=True)
        layers.append(_of_cells(fresh, layers[0].shape))
        counts.append(_sorted(layers[-1] @ adjacency))
        seen = np.union1d(seen, fresh)
    entries, keys = [], []
    for distance, layer in enumerate(layers):
        cells = _cells(layer)
        nearer = _looked_up(counts[distance - 1], cells) if distance else np.zeros(len(cells), np.int64)
        beside = _looked_up(counts[distance], cells)
        farther = _looked_up(counts[distance + 1], cells) if distance < radius else np.zeros(len(cells), np.int64)
        entries.append(cells)
        keys.append(packed(np.full(len(cells), distance, np.int64), nearer, beside, farther))
    cells, joined = np.concatenate(entries), np.concatenate(keys)
    order = np.argsort(cells, kind="stable")
    root, node = np.divmod(cells[order], num_nodes)
    return Places(root, node, joined[order])


def packed(
    distance: NDArray[np.int64], nearer: NDArray[np.int64], beside: NDArray[np.int64], farther: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return each place as one number: 3 bits of distance, 20 of each degree."""
    key = distance
    for degree in (nearer, beside, farther):
        key = key << 20 | degree
    return key


def unpacked(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return places `[entries, 4]`: distance, neighbours nearer, as far, and farther."""
    return np.stack([keys >> 60, keys >> 40 & MOST_DEGREE, keys >> 20 & MOST_DEGREE, keys & MOST_DEGREE], axis=1)


def _roots_at_once(adjacency: csr_array, radius: int) -> int:
    """Return so many roots that what one step beyond their ego networks holds stays within bounds."""
    num_nodes = adjacency.shape[0]
    degree = max(1.0, adjacency.nnz / num_nodes)
    around = min(float(num_nodes), degree ** (radius + 1))
    return max(1, int(_ENTRIES / around))


def _sorted(matrix: csr_array) -> csr_array:
    matrix.sort_indices()
    return matrix


def _cells(matrix: csr_array) -> NDArray[np.int64]:
    """Return the places of a matrix's entries as row * columns + column, in order."""
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    return rows * matrix.shape[1] + matrix.indices


def _of_cells(cells: NDArray[np.int64], shape: tuple[int, int]) -> csr_array:
    rows, columns = np.divmod(cells, shape[1])
    return _sorted(csr_array((np.ones(len(cells), dtype=np.int32), (rows, columns)), shape=shape))


def _looked_up(matrix: csr_array, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a matrix's entries at `cells`, 0 where there is none."""
    there = _cells(matrix)
    if not len(there):
        return np.zeros(len(cells), dtype=np.int64)
    found = np.minimum(np.searchsorted(there, cells), len(there) - 1)
    return np.where(there[found] == cells, matrix.data[found], 0).astype(np.int64)
