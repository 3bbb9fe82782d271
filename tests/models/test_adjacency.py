"""What a convolution reads: loops and normalisation as PyG's own layer has them, and the sparse matrix instead."""

import pytest
import torch
from torch_geometric.nn import GCNConv

from gnn_checkpointing.measurement.peak_memory import resident_bytes, step_bytes
from gnn_checkpointing.measurement.probe import compared, step_result
from gnn_checkpointing.models.convolutions import Adjacency, adjacency_for, reordered
from gnn_checkpointing.models.stack import build_stack
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import Convolution

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


@pytest.mark.parametrize("convolution", ["GCN", "SAGE", "GATv2"])
def test_attention_gets_one_loop_for_each_node_sorted_by_destination(convolution: Convolution) -> None:
    edges = torch.tensor([[1, 2, 0, 2], [0, 0, 2, 2]])  # one loop is there already
    plain, looped = (adjacency_for(convolution, edges, 3, self_loops=loops).edge_index for loops in (False, True))
    if convolution == "GATv2":
        assert looped.tolist() == [[1, 2, 0, 1, 0, 2], [0, 0, 0, 1, 2, 2]]
    else:
        assert torch.equal(plain, looped)


def test_reordering_reverses_each_destinations_edges_and_keeps_their_weights() -> None:
    found = reordered(Adjacency(EDGES, torch.arange(8.0)))
    assert found.edge_index.tolist() == [[2, 1, 2, 0, 1, 0, 4, 3], [0, 0, 1, 1, 2, 2, 3, 4]]
    assert found.edge_weight is not None
    assert found.edge_weight.tolist() == [1.0, 0.0, 3.0, 2.0, 5.0, 4.0, 6.0, 7.0]


NODES, DEGREE = 80, 20


def drawn_edges(degree: int = DEGREE) -> torch.Tensor:
    """Return a directed graph in which every node has `degree` other sources, sorted; node 3 has none."""
    generator = torch.Generator().manual_seed(0)
    others = [1 + torch.randperm(NODES - 1, generator=generator)[:degree] for _ in range(NODES)]
    sources = torch.cat([((node + other) % NODES).sort().values for node, other in enumerate(others)])
    edges = torch.stack([sources, torch.arange(NODES).repeat_interleave(degree)])
    return edges[:, edges[1] != 3].contiguous()


@pytest.mark.parametrize("convolution", ["GCN", "SAGE", "GIN"])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_a_sparse_product_computes_what_messages_compute(convolution: Convolution, norm: str) -> None:
    """Loss, gradients and buffers within 1e-5; the graph is directed, so a transposed matrix would be seen."""
    x = torch.randn(NODES, 6, generator=torch.Generator().manual_seed(1))
    architecture = Architecture(convolutions=[convolution], num_layers=3, hidden_channels=8, norm=norm)
    results = []
    for aggregation in ("gather_scatter", "spmm"):
        graph = adjacency_for(convolution, drawn_edges(), NODES, aggregation)
        model = build_stack(convolution, architecture, 6, 3, seed=2)
        loss = model(x, graph.edge_index, graph.edge_weight).square().mean()
        loss.backward()
        results.append(step_result(model, loss))
    same = compared(results[1], results[0], 1e-5)
    assert same.same_loss and same.same_gradients and same.same_buffers


@pytest.mark.parametrize(("convolution", "loops"), [("SAGE", 0), ("GCN", NODES)])
def test_resident_bytes_of_the_matrix_are_8_an_edge_and_4_a_row(convolution: Convolution, loops: int) -> None:
    """A column, int32, and a value, float32, for each edge; N + 1 pointers, int32. GCN adds a loop to each node."""
    graph = adjacency_for(convolution, drawn_edges(), NODES, "spmm")
    assert resident_bytes(graph.tensors()) == 8 * ((NODES - 1) * DEGREE + loops) + 4 * (NODES + 1)
    assert graph.edge_weight is None
    assert graph.to(torch.device("cpu")).edge_index.layout == torch.sparse_csr


def test_rows_are_destinations_and_hold_gcns_weights_in_the_order_of_the_columns() -> None:
    edges = torch.tensor([[1, 2, 0, 0], [0, 0, 1, 2]])
    dense = adjacency_for("GCN", edges, 3, "spmm").edge_index.to_dense()
    plain = adjacency_for("GCN", edges, 3)
    expected = torch.zeros(3, 3)
    expected[plain.edge_index[1], plain.edge_index[0]] = plain.edge_weight
    torch.testing.assert_close(dense, expected)


def test_a_step_holds_no_message_but_its_backward_pass_transposes_the_matrix_anew() -> None:
    """Saved are node maps alone; at the peak PyTorch holds the transposed matrix and the order it is sorted by.

    Per edge: at most 48 bytes, where messages of 32 channels take 128 each and their gradients as much.
    """
    architecture = Architecture(convolutions=["GIN"], num_layers=2, hidden_channels=32)
    x = torch.randn(NODES, 32)
    found = {}
    for aggregation in ("gather_scatter", "spmm"):
        for degree in (10, 60):
            graph = adjacency_for("GIN", drawn_edges(degree), NODES, aggregation)
            model = build_stack("GIN", architecture, 32, 3, seed=2)
            model(x, graph.edge_index).sum().backward()
            model.zero_grad(set_to_none=True)
            found[aggregation, degree] = step_bytes(
                lambda model=model, graph=graph: model(x, graph.edge_index).sum(), torch.device("cpu")
            )
    more_edges = 50 * (NODES - 1)
    assert found["spmm", 60].saved == found["spmm", 10].saved
    assert found["spmm", 60].peak - found["spmm", 10].peak <= 48 * more_edges
    assert found["gather_scatter", 60].peak - found["gather_scatter", 10].peak >= 128 * more_edges


@pytest.mark.parametrize("convolution", ["SAGE-max", "GAT", "GATv2", "EdgeConv"])
def test_a_convolution_that_is_no_sparse_product_is_refused(convolution: Convolution) -> None:
    with pytest.raises(Refusal, match=rf"spmm: {convolution} is no sparse product; allowed: \['GCN', 'GIN', 'SAGE'\]"):
        adjacency_for(convolution, drawn_edges(), NODES, "spmm")
