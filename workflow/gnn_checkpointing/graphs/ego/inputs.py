"""A graph that brings its ego networks with it: encoded into further features, or as a bag of small graphs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gnn_checkpointing.graphs.edges import positions
from gnn_checkpointing.graphs.ego.encodings import edge_counts, node_encodings, surroundings
from gnn_checkpointing.graphs.ego.places import Numbers, Places, adjacency_of, chunks_of_places
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.records.graph_facts import Derivation
from gnn_checkpointing.study.graph_design import EgoGraph

_LABELS = {"encodings": "ego encodings", "ego_networks": "ego networks"}


def with_egos(spec: EgoGraph, base: Graph) -> Graph:
    """The graph that `spec` describes, made from its base: the same task on another input."""
    arrays = (
        {"features": np.concatenate([base.features, ego_features(base, spec.radius, spec.channels)], axis=1)}
        if spec.form == "encodings"
        else bag(base, spec.radius)
    )
    return replace(
        base,
        id=spec.id,
        label=f"{base.label}, {_LABELS[spec.form]} of radius {spec.radius}",
        requested_average_degree=None,
        derivation=Derivation(base=base.id, base_label=base.label, method=spec.form, size=spec.radius),
        **arrays,
    )


def bag(graph: Graph, radius: int) -> dict[str, NDArray[np.generic]]:
    """Arrays of a graph in which every node's ego network is a small graph of its own, by root and then node.

    What subgraph GNNs train on (Zhao et al., 2022, GNN-AK; Zhang and Li, 2021, nested GNNs): a node is classified by
    what it is mapped to as the root of its own ego network, so that memory grows with the sum of all ego networks.
    Roots keep label and mask, all other nodes have none; one feature is added, 1 for roots and 0 for the rest.
    """
    adjacency = adjacency_of(graph.edge_index, graph.num_nodes)
    root, node, _ = Places(*map(np.concatenate, zip(*chunks_of_places(adjacency, radius), strict=True)))
    cells = root * graph.num_nodes + node
    is_root = root == node
    # Every neighbour of every member, then those that are members of the same ego network.
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
    """Features `[num_nodes, 2 * channels]`: of each node's own encoding, and of the edges' that reach it.

    Encodings are projected by fixed random signs, in whole numbers until the very end. Counts enter by their number of
    binary digits, which grows as their logarithm does and is the same on every machine. A kind's signs follow from the
    kind alone: alike surroundings look alike in every graph. Each column is scaled to a root mean square of 1; one
    that is 0 everywhere stays so.
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
    # Python's whole numbers: the squares of large counts are more than 64 bits hold.
    squares = np.array([sum(value * value for value in column) for column in values.T.tolist()], dtype=np.float64)
    spread = np.sqrt(squares / len(values))
    return (values / np.where(spread > 0, spread, 1.0)).astype(np.float32)


def _binary_digits(counts: Numbers) -> Numbers:
    """How many binary digits each count has: 1 for 1, 2 for 2 and 3, 3 for 4 to 7."""
    return np.frexp(counts.astype(np.float64))[1].astype(np.int64)


def _signs(keys: Numbers | NDArray[np.uint64], channels: int) -> Numbers:
    """Signs `[keys, channels]` of +1 and -1, each channel a bit of its own of the key's scrambled forms."""
    words = -(-channels // 64)
    scrambled = [_mixed(keys.astype(np.uint64) + np.uint64(word + 1)) for word in range(words)]
    bits = [(scrambled[channel // 64] >> np.uint64(channel % 64)) & np.uint64(1) for channel in range(channels)]
    return 2 * np.stack(bits, axis=1).astype(np.int64) - 1


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """64 well mixed bits for each key (the finaliser of splitmix64, Steele, Lea and Flood, 2014)."""
    z = keys + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
