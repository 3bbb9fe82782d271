"""Bringing edges into the one form of this project: simple, in both directions, sorted by destination."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def edge_keys(edge_index: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """Return one number per edge, ordered as (destination, source): destination * num_nodes + source."""
    keys: NDArray[np.int64] = edge_index[1] * np.int64(num_nodes) + edge_index[0]
    return keys


def both_directions(pairs: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """Return the sorted `edge_index` of undirected edges, `pairs` `[2, edges]` holding each once."""
    keys = np.concatenate([edge_keys(pairs, num_nodes), edge_keys(pairs[::-1], num_nodes)])
    keys.sort()
    return _edges(keys, num_nodes)


def simple_edges(edge_index: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """Return the edges sorted by destination then source, without self-loops, each once."""
    kept = edge_index[:, edge_index[0] != edge_index[1]]
    return _edges(np.unique(edge_keys(kept, num_nodes)), num_nodes)


def with_reverses(edge_index: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """Return the simple edges together with their missing reverses."""
    return simple_edges(np.concatenate([edge_index, edge_index[::-1]], axis=1), num_nodes)


def missing_reverses(edge_index: NDArray[np.int64], num_nodes: int) -> int:
    """Return how many of the sorted, distinct edges lack their reverse."""
    keys = edge_keys(edge_index, num_nodes)
    reverses = np.sort(edge_keys(edge_index[::-1], num_nodes))
    # Equal sorted keys is the common case and ten times cheaper than a set difference.
    return 0 if np.array_equal(keys, reverses) else int(np.setdiff1d(keys, reverses, assume_unique=True).size)


def _edges(keys: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    destination, source = np.divmod(keys, np.int64(num_nodes))
    return np.stack([source, destination])
