"""A graph with its ego networks, which are encoded into additional features, or form a bag of small graphs.

The ego network of a root consists of all nodes within `radius` steps of it and all edges between them. A node's place
in it is four numbers (Alvarez-Gonzalez, Kaltenbrunner and Gómez, 2023, arXiv 2312.05905): its distance from the root,
and the numbers of its neighbours that are one step nearer to the root, equally far, and one step farther. Encodings
count exactly how often each place occurs around a node. For an edge they count pairs of places: each node that is in
the ego networks of both ends has a place in either (ELENE, in this project's own reading of it).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.pairs import Numbers, positions
from gnn_checkpointing.study.graph_design import DerivedGraph

_MOST_RADIUS = 7
_ENTRIES = 4_000_000
"""Approximate limit on numbers held at once, whatever the graph; it determines how many roots make a chunk."""

_PAIRS = 8_000_000
"""Approximate limit on nodes around edges held at once; it determines how many edges make a chunk."""


def with_egos(spec: DerivedGraph, base: Graph) -> dict[str, NDArray[Any]]:
    """Arrays in which the graph that `spec` describes differs from its base: the same task on a different input."""
    if spec.method == "ego_networks":
        return bag(base, int(spec.size))
    return {"features": np.concatenate([base.features, ego_features(base, int(spec.size), spec.channels)], axis=1)}


def bag(graph: Graph, radius: int) -> dict[str, NDArray[Any]]:
    """Arrays of a graph in which every node's ego network is a separate small graph, ordered by root, then node.

    Subgraph GNNs train on such graphs (Zhao et al., 2022, GNN-AK; Zhang and Li, 2021, nested GNNs): a node is
    classified by its output as the root of its own ego network, so that memory grows with the sum of all ego networks.
    Roots keep label and mask, all other nodes have none; one feature is added, 1 for roots and 0 for the rest.
    """
    adjacency = adjacency_of(graph.edge_index, graph.num_nodes)
    cells, _ = places(adjacency, radius)
    root, node = np.divmod(cells, graph.num_nodes)
    is_root = root == node
    # List every neighbour of every member, then keep those that are members of the same ego network.
    degrees = np.diff(adjacency.indptr)[node]
    destination = np.repeat(np.arange(len(node)), degrees)
    starts = np.repeat(adjacency.indptr[node], degrees)
    within = np.arange(len(destination)) - np.repeat(np.cumsum(degrees) - degrees, degrees)
    neighbour = adjacency.indices[starts + within].astype(np.int64)
    source, kept = positions(cells, root[destination] * graph.num_nodes + neighbour)
    return {
        "edge_index": np.stack([source[kept], destination[kept]]),
        "features": np.concatenate([graph.features[node], is_root[:, None].astype(np.float32)], axis=1),
        "labels": np.where(is_root, graph.labels[node], -1),
        "train_mask": is_root & graph.train_mask[node],
        "test_mask": is_root & graph.test_mask[node],
    }


def ego_features(graph: Graph, radius: int, channels: int) -> NDArray[np.float32]:
    """Features `[num_nodes, 2 * channels]` from each node's own encoding and from those of its incoming edges.

    Encodings are projected with fixed random signs, in integers until the very end. A count is replaced by its number
    of binary digits, which grows like its logarithm and is the same on every machine. The signs of a kind depend on the
    kind alone, so equal surroundings get equal signs in every graph. Each column is scaled to a root mean square of 1,
    except a column of zeros.
    """
    around = surroundings(graph.edge_index, graph.num_nodes, radius)
    own = node_encodings(around).counts
    digits = csr_array((_binary_digits(own.data), own.indices, own.indptr), shape=own.shape)
    of_nodes = digits @ _signs(around.kinds, channels)
    hashes = _mixed(around.kinds.astype(np.uint64))
    of_edges = np.zeros((graph.num_nodes, channels), dtype=np.int64)
    for edge, pair, count in edge_counts(around, graph.edge_index):
        pairs, number = np.unique(pair, return_inverse=True)
        destination, source = np.divmod(pairs, len(around.kinds))
        keys = hashes[destination] * np.uint64(3) + hashes[source]
        place = (graph.edge_index[1, edge], number)
        counts = csr_array((_binary_digits(count), place), shape=(graph.num_nodes, len(pairs)))
        of_edges += counts @ _signs(keys, channels)
    values = np.concatenate([of_nodes, of_edges], axis=1)
    # Python integers, since the squares of large counts do not fit in 64 bits.
    squares = np.array([sum(value * value for value in column) for column in values.T.tolist()], dtype=np.float64)
    spread = np.sqrt(squares / len(values))
    return (values / np.where(spread > 0, spread, 1.0)).astype(np.float32)


class Encodings(NamedTuple):
    """Encodings, where `counts[i, k]` is how often kind `k` occurs around node or edge `i`.

    `kinds` is int64 `[kinds, 4]` for nodes: distance, and neighbours nearer, equally far and farther. For edges it is
    `[kinds, 8]`: the same with respect to the edge's destination, then to its source.
    """

    counts: csr_array
    kinds: Numbers


class Surroundings(NamedTuple):
    """Every node's ego network: `kinds[matrix[root, node] - 1]` is the packed place of `node` in that of `root`."""

    matrix: csr_array
    kinds: Numbers


def adjacency_of(edge_index: Numbers, num_nodes: int) -> csr_array:
    """Adjacency matrix of a simple undirected graph's `edge_index` `[2, num_edges]`, which has both directions."""
    ones = np.ones(edge_index.shape[1], dtype=np.int32)
    matrix = csr_array((ones, (edge_index[1], edge_index[0])), shape=(num_nodes, num_nodes))
    matrix.sort_indices()
    return matrix


def places(adjacency: csr_array, radius: int) -> tuple[Numbers, Numbers]:
    """Every pair of a root and a node of its ego network, sorted, as root * num_nodes + node; and its packed place."""
    if not 1 <= radius <= _MOST_RADIUS:
        raise ValueError(f"radius {radius}: allowed are 1 to {_MOST_RADIUS}")
    num_nodes = adjacency.shape[0]
    # Estimated for one step beyond the ego networks, to keep that within the limit too.
    around = min(float(num_nodes), max(1.0, adjacency.nnz / num_nodes) ** (radius + 1))
    step = max(1, int(_ENTRIES / around))
    roots = np.arange(num_nodes)
    chunks = [_places(adjacency, roots[start : start + step], radius) for start in range(0, num_nodes, step)]
    cells, keys = map(np.concatenate, zip(*chunks, strict=True))
    return cells, keys


def unpacked(keys: Numbers) -> Numbers:
    """Unpack places to `[entries, 4]`: distance, and neighbours nearer, equally far and farther."""
    degrees = [keys >> bits & 2**20 - 1 for bits in (40, 20, 0)]
    return np.stack([keys >> 60, *degrees], axis=1)


def _places(adjacency: csr_array, roots: Numbers, radius: int) -> tuple[Numbers, Numbers]:
    num_nodes = adjacency.shape[0]

    def around(cells: Numbers) -> tuple[Numbers, Numbers]:
        """For each root and node, as one number, how many of the node's neighbours are in `cells`, where not zero."""
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
    return cells[order], np.concatenate(keys)[order]


def surroundings(edge_index: Numbers, num_nodes: int, radius: int) -> Surroundings:
    """Compute every node's ego network in a simple undirected graph `edge_index` `[2, num_edges]`."""
    cells, keys = places(adjacency_of(edge_index, num_nodes), radius)
    kinds, number = np.unique(keys, return_inverse=True)
    roots, nodes = np.divmod(cells, num_nodes)
    starts = np.concatenate([[0], np.cumsum(np.bincount(roots, minlength=num_nodes))])
    matrix = csr_array(((number + 1).astype(np.int32), nodes, starts), shape=(num_nodes, num_nodes))
    return Surroundings(matrix, kinds)


def node_encodings(around: Surroundings) -> Encodings:
    """Encodings of nodes, `[num_nodes, kinds]`."""
    num_nodes, kinds = around.matrix.shape[0], len(around.kinds)
    rows = np.repeat(np.arange(num_nodes, dtype=np.int64), np.diff(around.matrix.indptr))
    cells, counts = np.unique(rows * kinds + (around.matrix.data - 1), return_counts=True)
    return Encodings(csr_array((counts, np.divmod(cells, kinds)), shape=(num_nodes, kinds)), unpacked(around.kinds))


def edge_encodings(around: Surroundings, edge_index: Numbers) -> Encodings:
    """Encodings of edges, `[num_edges, kinds]`, in the order of `edge_index`."""
    rows, pair, counts = map(np.concatenate, zip(*edge_counts(around, edge_index), strict=True))
    pairs, number = np.unique(pair, return_inverse=True)
    destination, source = np.divmod(pairs, len(around.kinds))
    kinds = np.concatenate([unpacked(around.kinds[destination]), unpacked(around.kinds[source])], axis=1)
    return Encodings(csr_array((counts, (rows, number)), shape=(edge_index.shape[1], len(pairs))), kinds)


def edge_counts(around: Surroundings, edge_index: Numbers) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
    """Yield edges, the pairs of kinds around them, and the counts, in chunks of edges to bound the memory.

    A pair is (kind with respect to the destination) * (number of kinds) + (kind with respect to the source).
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


def _binary_digits(counts: Numbers) -> Numbers:
    """Number of binary digits of each count: 1 for 1, 2 for 2 and 3, 3 for 4 to 7."""
    return np.frexp(counts.astype(np.float64))[1].astype(np.int64)


def _signs(keys: Numbers | NDArray[np.uint64], channels: int) -> Numbers:
    """Signs +1 and -1, `[keys, channels]`; each channel uses its own bit of the scrambled forms of the key."""
    words = -(-channels // 64)
    scrambled = [_mixed(keys.astype(np.uint64) + np.uint64(word + 1)) for word in range(words)]
    bits = [(scrambled[channel // 64] >> np.uint64(channel % 64)) & np.uint64(1) for channel in range(channels)]
    return 2 * np.stack(bits, axis=1).astype(np.int64) - 1


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hash each key to 64 well-mixed bits (the finaliser of splitmix64, Steele, Lea and Flood, 2014)."""
    z = keys + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
