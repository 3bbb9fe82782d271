"""Self-loops and normalisation happen once, before blocking, and are those that PyG's own layer would do inside."""

import torch
from torch_geometric.nn import GCNConv

from gnn_checkpointing.models.adjacency import Adjacency, adjacency_for, reordered
from gnn_checkpointing.models.stack import build_stack
from gnn_checkpointing.study.architecture import Architecture

EDGES = torch.tensor([[1, 2, 0, 2, 0, 1, 4, 3], [0, 0, 1, 1, 2, 2, 3, 4]])


def test_gcn_normalised_outside_is_gcn_normalised_inside() -> None:
    inside = GCNConv(6, 3)
    outside = GCNConv(6, 3, normalize=False)
    outside.load_state_dict(inside.state_dict())
    x = torch.randn(5, 6)
    adjacency = adjacency_for("GCN", EDGES, 5)
    torch.testing.assert_close(outside(x, adjacency.edge_index, adjacency.edge_weight), inside(x, EDGES))


def test_gcn_edges_stay_sorted_by_destination_with_one_loop_a_node() -> None:
    adjacency = adjacency_for("GCN", EDGES, 5)
    source, destination = adjacency.edge_index
    assert (destination[1:] >= destination[:-1]).all()
    assert (source == destination).sum() == 5


def test_other_convolutions_read_the_graph_as_it_is() -> None:
    adjacency = adjacency_for("SAGE", EDGES, 5)
    assert adjacency.edge_index is EDGES
    assert adjacency.edge_weight is None


def test_reordering_reverses_each_destinations_edges_and_keeps_their_weights() -> None:
    found = reordered(Adjacency(EDGES, torch.arange(8.0)))
    assert found.edge_index.tolist() == [[2, 1, 2, 0, 1, 0, 4, 3], [0, 0, 1, 1, 2, 2, 3, 4]]
    assert found.edge_weight is not None
    assert found.edge_weight.tolist() == [1.0, 0.0, 3.0, 2.0, 5.0, 4.0, 6.0, 7.0]


def test_initial_weights_depend_on_the_seed_alone() -> None:
    architecture = Architecture(convolutions=["GAT"], num_layers=2, hidden_channels=8, heads=2)
    before = torch.get_rng_state()
    first = build_stack("GAT", architecture, 4, 3, seed=1).state_dict()
    torch.rand(3)
    second = build_stack("GAT", architecture, 4, 3, seed=1).state_dict()
    other = build_stack("GAT", architecture, 4, 3, seed=2).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    torch.set_rng_state(before)
