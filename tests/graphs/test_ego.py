"""Ego-network encodings and bags against a count by hand, and against one by brute force on small random graphs."""

from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gnn_checkpointing.graphs import ego as module
from gnn_checkpointing.graphs.ego import Encodings, bag, edge_encodings, ego_features, node_encodings, surroundings
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.pairs import both_directions

from .builders import drawn, path_graph

edge_lists = st.lists(st.tuples(st.integers(0, 13), st.integers(0, 13)), min_size=1, max_size=40)


def places_around(graph: nx.Graph, root: int, radius: int) -> dict[int, tuple[int, ...]]:
    """The place of each node in the ego network of the root, neighbour by neighbour."""
    network = nx.ego_graph(graph, root, radius)
    distances = nx.single_source_shortest_path_length(network, root)
    steps = {node: Counter(distances[other] - distances[node] for other in network[node]) for node in network}
    return {node: (distances[node], steps[node][-1], steps[node][0], steps[node][1]) for node in network}


def counted(encodings: Encodings, row: int) -> Counter[tuple[int, ...]]:
    start, stop = encodings.counts.indptr[row : row + 2]
    columns, counts = encodings.counts.indices[start:stop], encodings.counts.data[start:stop]
    return Counter(
        {tuple(encodings.kinds[column].tolist()): int(count) for column, count in zip(columns, counts, strict=True)}
    )


def simple(num_nodes: int, edges: list[tuple[int, int]]) -> tuple[nx.Graph, np.ndarray]:
    graph = nx.Graph()
    graph.add_nodes_from(range(num_nodes))
    graph.add_edges_from((a % num_nodes, b % num_nodes) for a, b in edges if a % num_nodes != b % num_nodes)
    pairs = np.array(list(graph.edges), dtype=np.int64).reshape(-1, 2).T
    assume(pairs.size)
    return graph, both_directions(pairs, num_nodes)


def test_a_path_by_hand() -> None:
    """0 - 1 - 2 - 3, radius 1. Around 1: itself (0, 0, 0, 2), and 0 and 2 alike (1, 1, 0, 0): what is beyond is cut."""
    around = surroundings(path_graph().edge_index, 4, 1)
    found = node_encodings(around)
    assert counted(found, 1) == {(0, 0, 0, 2): 1, (1, 1, 0, 0): 2}
    assert counted(found, 0) == {(0, 0, 0, 1): 1, (1, 1, 0, 0): 1}
    # The edge from 0 to 1: both hold 0 and 1, and each is the root of the one and one step away in the other.
    edges = path_graph().edge_index
    (column,) = np.flatnonzero((edges[0] == 0) & (edges[1] == 1))
    assert counted(edge_encodings(around, edges), int(column)) == {
        (0, 0, 0, 2, 1, 1, 0, 0): 1,
        (1, 1, 0, 0, 0, 0, 0, 1): 1,
    }


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 14), edge_lists, st.integers(1, 3))
def test_counts_and_bags_are_those_of_brute_force(num_nodes: int, edges: list[tuple[int, int]], radius: int) -> None:
    graph, edge_index = simple(num_nodes, edges)
    around = surroundings(edge_index, num_nodes, radius)
    by_root = {root: places_around(graph, root, radius) for root in graph}
    of_nodes = node_encodings(around)
    for root, found in by_root.items():
        assert counted(of_nodes, root) == Counter(found.values())
    of_edges = edge_encodings(around, edge_index)
    for column, (source, destination) in enumerate(edge_index.T.tolist()):
        own, other = by_root[destination], by_root[source]
        expected = Counter((*own[node], *other[node]) for node in own.keys() & other.keys())
        assert counted(of_edges, column) == expected
    base = path_graph(
        edge_index=edge_index,
        features=np.eye(num_nodes, dtype=np.float32),
        labels=np.zeros(num_nodes, dtype=np.int64),
        train_mask=np.arange(num_nodes) == 0,
        test_mask=np.arange(num_nodes) == 1,
    )
    found_bag = bag(base, radius)
    networks = [nx.ego_graph(graph, root, radius) for root in range(num_nodes)]
    assert found_bag["edge_index"].shape[1] == 2 * sum(network.number_of_edges() for network in networks)
    # A graph checks itself: sorted, simple, both directions.
    whole = Graph(**{**vars(base), **found_bag})  # type: ignore[arg-type]
    names = whole.features[:, :-1].argmax(axis=1)
    assert names.tolist() == [node for network in networks for node in sorted(network)]


def test_chunks_do_not_matter_and_an_impossible_radius_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = drawn("erdos_renyi", 80, 6.0)

    def both() -> list[Any]:
        around = surroundings(graph.edge_index, graph.num_nodes, 2)
        found = [node_encodings(around), edge_encodings(around, graph.edge_index)]
        return [(one.counts.toarray().tolist(), one.kinds.tolist()) for one in found]

    whole = both()
    monkeypatch.setattr(module, "_PAIRS", 500)
    monkeypatch.setattr(module, "_ENTRIES", 300)
    assert both() == whole
    for radius in (0, 8):
        with pytest.raises(ValueError, match="allowed are 1 to 7"):
            surroundings(path_graph().edge_index, 4, radius)


def test_a_bag_by_hand() -> None:
    """0 - 1 - 2 - 3, radius 1: {0, 1}, {0, 1, 2}, {1, 2, 3}, {2, 3}; ten nodes, and each inner edge once a root."""
    found = bag(path_graph(), 1)
    assert found["labels"].tolist() == [0, -1, -1, 1, -1, -1, 1, -1, -1, -1]
    edges = sorted(map(tuple, found["edge_index"].T.tolist()))
    pairs = [(0, 1), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9)]
    assert edges == sorted([*pairs, *((b, a) for a, b in pairs)])
    assert found["features"][:, -1].tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 0, 1]
    assert found["train_mask"].tolist() == [True, False, False, True] + [False] * 6
    assert found["test_mask"].nonzero()[0].tolist() == [6]


def test_features_tell_surroundings_apart_and_are_scaled() -> None:
    """The ends of a path have other surroundings than its middle; its two ends have the same."""
    found = ego_features(path_graph(), 2, 8)
    assert found.shape == (4, 16) and found.dtype == np.float32
    assert np.array_equal(found[0], found[3]) and np.array_equal(found[1], found[2])
    assert not np.array_equal(found[0], found[1])
    squares = (found.astype(np.float64) ** 2).mean(axis=0)
    assert ((np.abs(squares - 1) < 1e-6) | (squares == 0)).all()
    assert (squares > 0).any()
