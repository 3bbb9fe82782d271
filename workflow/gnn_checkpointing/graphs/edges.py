"""Edges in the one form of this project: simple, in both directions, sorted by destination."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def edge_keys(edge_index: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """One number per edge, ordered as (destination, source): destination * num_nodes + source."""
    keys: NDArray[np.int64] = edge_index[1] * np.int64(num_nodes) + edge_index[0]
    return keys


def both_directions(pairs: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """The sorted `edge_index` of undirected edges, `pairs` `[2, edges]` holding each once."""
    return _edges(np.sort(edge_keys(np.concatenate([pairs, pairs[::-1]], axis=1), num_nodes)), num_nodes)


def simple_edges(edge_index: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """The edges sorted by destination then source, without self-loops, each once."""
    kept = edge_index[:, edge_index[0] != edge_index[1]]
    return _edges(np.unique(edge_keys(kept, num_nodes)), num_nodes)


def with_reverses(edge_index: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """The simple edges together with their missing reverses."""
    return simple_edges(np.concatenate([edge_index, edge_index[::-1]], axis=1), num_nodes)


def missing_reverses(edge_index: NDArray[np.int64], num_nodes: int) -> int:
    """How many of the sorted, distinct edges lack their reverse."""
    keys = edge_keys(edge_index, num_nodes)
    reverses = np.sort(edge_keys(edge_index[::-1], num_nodes))
    # Equal sorted keys is the common case and ten times cheaper than a set difference.
    return 0 if np.array_equal(keys, reverses) else int(np.setdiff1d(keys, reverses, assume_unique=True).size)


def _edges(keys: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    return np.stack(np.divmod(keys, np.int64(num_nodes))[::-1])


def positions(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where the sorted `keys` hold each of `wanted`, and whether they do; where not, the position means nothing."""
    if not keys.size:
        return np.zeros(wanted.size, np.int64), np.zeros(wanted.size, np.bool_)
    at = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return at, keys[at] == wanted
