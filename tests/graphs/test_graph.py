"""A graph that is not what it claims cannot be made; its facts are counted, or sampled where that takes too long."""

import networkx
import numpy as np
import pytest

from gnn_checkpointing.graphs.graph import facts, structure
from gnn_checkpointing.graphs.pairs import both_directions, missing_reverses, simple_edges
from gnn_checkpointing.refusal import Refusal

from .builders import drawn, path_graph

NAN = np.full((4, 3), np.nan, np.float32)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"edge_index": np.array([[1, 0], [0, 1]], np.int32)}, "edge_index is int32, not int64"),
        ({"edge_index": np.array([1, 0])}, "edge_index has the impossible shape"),
        ({"edge_index": np.empty((2, 0), np.int64)}, "no edges"),
        ({"edge_index": np.array([[0, 1], [1, 0]])}, "not sorted by destination then source"),
        ({"edge_index": np.array([[1, 1, 0, 0], [0, 0, 1, 1]])}, "holds an edge twice"),
        ({"edge_index": np.array([[1, 2, 0], [0, 0, 1]])}, "1 edges have no reverse"),
        ({"edge_index": np.array([[0], [0]])}, "self-loops"),
        ({"edge_index": np.array([[4, 0], [0, 4]])}, "nodes outside 0 to 3"),
        ({"edge_index": np.array([[-1, 0], [0, -1]])}, "nodes outside 0 to 3"),
        ({"features": np.ones((4, 3))}, "features is float64, not float32"),
        ({"features": np.ones((3, 3), np.float32)}, "features has the impossible shape"),
        ({"features": NAN}, "infinities or NaN"),
        ({"labels": np.array([0, 1, 2, -1])}, "labels run from -1 to 2"),
        ({"labels": np.array([0, 1, -2, 1])}, "labels run from -2 to 1"),
        ({"labels": np.array([[0, 1], [1, 0]])}, "labels has the impossible shape"),
        ({"labels": np.array(0)}, "features has the impossible shape"),
        ({"train_mask": np.array([True, False, False])}, "train_mask has the impossible shape"),
        ({"test_mask": np.array([True, False, True, False])}, "share nodes"),
        ({"test_mask": np.array([False, False, True, True])}, "without a label"),
        ({"train_mask": np.zeros(4, bool)}, "is empty"),
    ],
)
def test_a_wrong_part_is_named(changes, complaint):
    with pytest.raises(Refusal, match=complaint) as refused:
        path_graph(**changes)
    assert str(refused.value).startswith("graph path: ")


def test_facts_are_counted_from_the_arrays():
    """A path of 4 nodes has 6 directed edges: 6 / 4 per node, and 6 of 4 * 3 ordered pairs."""
    found = facts(path_graph())
    assert (found.num_nodes, found.num_edges, found.num_features, found.num_classes) == (4, 6, 3, 2)
    assert (found.average_degree, found.density) == (1.5, 0.5)
    assert found.sha256 == path_graph().content_sha256


@pytest.mark.parametrize(
    "changes",
    [
        {"label": "another"},
        {"num_classes": 3},
        {"requested_average_degree": 1.5},
        {"features": np.zeros((4, 3), np.float32)},
        {"labels": np.array([1, 1, 1, -1])},
        {"edge_index": np.array([[1, 0], [0, 1]])},
    ],
)
def test_the_content_hash_sees_every_part(changes):
    assert path_graph(**changes).content_sha256 != path_graph().content_sha256


def test_the_content_hash_does_not_depend_on_memory_layout():
    fortran = np.asfortranarray(path_graph().features)
    assert path_graph(features=fortran).content_sha256 == path_graph().content_sha256


def test_edges_are_made_simple_and_reverses_counted():
    raw = np.array([[2, 0, 0, 1, 3, 1], [1, 1, 1, 0, 3, 2]])
    edges = simple_edges(raw, 4)
    assert edges.T.tolist() == [[1, 0], [0, 1], [2, 1], [1, 2]]
    assert missing_reverses(edges, 4) == 0
    assert missing_reverses(edges[:, :3], 4) == 1


@pytest.mark.parametrize("family", ["sbm", "watts_strogatz", "spatial", "heavy_tail"])
def test_sampled_clustering_is_networkx_average_clustering(family):
    """100,000 pairs: a standard error of at most 0.0016, so 0.008 is five of them."""
    graph = drawn(family, 400, 7.0)
    nodes = networkx.Graph()
    nodes.add_nodes_from(range(400))
    nodes.add_edges_from(graph.edge_index.T.tolist())
    exact = networkx.average_clustering(nodes)
    assert structure(graph.edge_index, graph.labels).clustering == pytest.approx(exact, abs=0.008)


def test_degrees_isolated_nodes_homophily_and_clustering_are_counted():
    """A star of four with a leaf without a label, and one node apart: degrees 3, 1, 1, 1, 0."""
    edges = both_directions(np.array([[1, 2, 3], [0, 0, 0]]), 5)
    found = structure(edges, np.array([0, 0, 1, -1, 1]))
    assert found.degree_quantiles == (0, 1, 1, 1, 3)
    assert (found.maximum_degree, found.isolated_nodes) == (3, 1)
    # Of the edges 0-1, 0-2 and 0-3, two join labelled nodes, one of them equal labels.
    assert found.homophily == 0.5
    assert found.clustering == 0.0
    # A triangle is all clustered, and nothing labelled has no homophily; no node with two neighbours, no clustering.
    edges = both_directions(np.array([[1, 2, 2], [0, 0, 1]]), 3)
    found = structure(edges, np.array([-1, -1, -1]))
    assert found.clustering == 1.0
    assert found.homophily is None
    found = structure(both_directions(np.array([[1], [0]]), 2), np.array([0, 1]))
    assert found.clustering == 0.0
