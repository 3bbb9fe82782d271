"""Ego-network encodings as input features: projected by fixed random signs, whole numbers until the very end.

Counts enter by their number of binary digits, which grows as their logarithm does and is the same on every machine. A
kind's signs follow from the kind alone: alike surroundings look alike in every graph.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gnn_checkpointing.graphs.ego.encodings import edge_counts, node_encodings, surroundings
from gnn_checkpointing.graphs.graph import Graph


def ego_features(graph: Graph, radius: int, channels: int) -> NDArray[np.float32]:
    """Return features `[num_nodes, 2 * channels]`: of each node's own encoding, and of the edges' that reach it.

    Each column is scaled to a root mean square of 1; one that is 0 everywhere stays so.
    """
    around = surroundings(graph.edge_index, graph.num_nodes, radius)
    own = node_encodings(around).counts
    of_nodes = _digits(own) @ _signs(around.kinds, channels)
    hashes = _mixed(around.kinds.astype(np.uint64))
    of_edges = np.zeros((graph.num_nodes, channels), dtype=np.int64)
    for part in edge_counts(around, graph.edge_index):
        pairs, number = np.unique(part.pair, return_inverse=True)
        destination, source = np.divmod(pairs, len(around.kinds))
        keys = hashes[destination] * np.uint64(3) + hashes[source]
        node = graph.edge_index[1, part.start + part.row]
        counts = csr_array((_binary_digits(part.count), (node, number)), shape=(graph.num_nodes, len(pairs)))
        of_edges += counts @ _signs(keys, channels)
    return _scaled(np.concatenate([of_nodes, of_edges], axis=1))


def _digits(counts: csr_array) -> csr_array:
    return csr_array((_binary_digits(counts.data), counts.indices, counts.indptr), shape=counts.shape)


def _binary_digits(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many binary digits each count has: 1 for 1, 2 for 2 and 3, 3 for 4 to 7."""
    return np.frexp(counts.astype(np.float64))[1].astype(np.int64)


def _signs(keys: NDArray[np.int64] | NDArray[np.uint64], channels: int) -> NDArray[np.int64]:
    """Return signs `[keys, channels]` of +1 and -1, each channel a bit of its own of the key's scrambled forms."""
    words = -(-channels // 64)
    scrambled = [_mixed(keys.astype(np.uint64) + np.uint64(word + 1)) for word in range(words)]
    bits = [(scrambled[channel // 64] >> np.uint64(channel % 64)) & np.uint64(1) for channel in range(channels)]
    return 2 * np.stack(bits, axis=1).astype(np.int64) - 1


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 64 well mixed bits for each key (the finaliser of splitmix64, Steele, Lea and Flood, 2014)."""
    z = keys + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _scaled(values: NDArray[np.int64]) -> NDArray[np.float32]:
    squares = np.array([sum(value * value for value in column) for column in values.T.tolist()], dtype=np.float64)
    spread = np.sqrt(squares / len(values))
    return (values / np.where(spread > 0, spread, 1.0)).astype(np.float32)
