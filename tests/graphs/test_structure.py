"""Structure is counted exactly where it can be, and sampled where that would take too long."""

import networkx
import numpy as np
import pytest

from gnn_checkpointing.graphs.edges import both_directions
from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.graphs.structure import structure

from .builders import generated


@pytest.mark.parametrize("family", ["sbm", "watts_strogatz", "spatial", "heavy_tail"])
def test_sampled_clustering_is_networkx_average_clustering(family):
    """100,000 pairs: a standard error of at most 0.0016, so 0.008 is five of them."""
    graph = make_graph(generated(family=family, num_nodes=400, average_degree=7.0))
    nodes = networkx.Graph()
    nodes.add_nodes_from(range(400))
    nodes.add_edges_from(graph.edge_index.T.tolist())
    exact = networkx.average_clustering(nodes)
    assert structure(graph.edge_index, graph.labels).clustering == pytest.approx(exact, abs=0.008)


def test_degrees_isolated_nodes_and_homophily_are_counted():
    """A star of four with a leaf without a label, and one node apart: degrees 3, 1, 1, 1, 0."""
    edges = both_directions(np.array([[1, 2, 3], [0, 0, 0]]), 5)
    found = structure(edges, np.array([0, 0, 1, -1, 1]))
    assert found.degree_quantiles == (0, 1, 1, 1, 3)
    assert (found.maximum_degree, found.isolated_nodes) == (3, 1)
    # Of the edges 0-1, 0-2 and 0-3, two join labelled nodes, one of them equal labels.
    assert found.homophily == 0.5
    assert found.clustering == 0.0


def test_a_triangle_is_all_clustered_and_nothing_labelled_has_no_homophily():
    edges = both_directions(np.array([[1, 2, 2], [0, 0, 1]]), 3)
    found = structure(edges, np.array([-1, -1, -1]))
    assert found.clustering == 1.0
    assert found.homophily is None


def test_no_node_with_two_neighbours_has_no_clustering():
    found = structure(both_directions(np.array([[1], [0]]), 2), np.array([0, 1]))
    assert found.clustering == 0.0
