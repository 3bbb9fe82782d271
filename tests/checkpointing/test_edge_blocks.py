"""`edge_blocks`: what it costs, what it keeps in memory, and that it computes the same."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch_geometric.nn import (
    ARMAConv,
    EdgeConv,
    GATConv,
    GATv2Conv,
    GCNConv,
    GINConv,
    GraphConv,
    GraphSAGE,
    SAGEConv,
    TransformerConv,
)

from gnn_checkpointing.checkpointing import apply, edge_blocks, policy_tensors, remove
from gnn_checkpointing.checkpointing.edge_blocks import tables_of
from gnn_checkpointing.checkpointing.policies import policy_of
from gnn_checkpointing.measurement.peak_memory import resident_bytes, step_bytes
from gnn_checkpointing.refusal import Refusal

NODES, EDGES, CHANNELS = 150, 2400, 12
CPU = torch.device("cpu")


def drawn_edges(generator: torch.Generator) -> torch.Tensor:
    return torch.randint(0, NODES, (2, EDGES), generator=generator)


LAYERS = {
    "GCN": lambda: GCNConv(CHANNELS, 8, normalize=False),
    "SAGE": lambda: SAGEConv(CHANNELS, 8),
    "SAGE max, projected, normalised": lambda: SAGEConv(CHANNELS, 8, aggr="max", project=True, normalize=True),
    "GAT": lambda: GATConv(CHANNELS, 4, heads=2, add_self_loops=False),
    "GAT averaged, residual": lambda: GATConv(CHANNELS, 4, heads=2, add_self_loops=False, concat=False, residual=True),
    "GATv2": lambda: GATv2Conv(CHANNELS, 4, heads=2, add_self_loops=False),
    "GATv2 shared, averaged, residual": lambda: GATv2Conv(
        CHANNELS, 4, heads=2, add_self_loops=False, concat=False, residual=True, share_weights=True
    ),
    "GraphConv": lambda: GraphConv(CHANNELS, 8),
    "GIN": lambda: GINConv(nn.Sequential(nn.Linear(CHANNELS, 8), nn.ReLU(), nn.Linear(8, 8))),
    "EdgeConv": lambda: EdgeConv(nn.Linear(2 * CHANNELS, 8)),
    "Transformer": lambda: TransformerConv(CHANNELS, 4, heads=2),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("order", ["sorted by destination", "as drawn"])
def test_output_and_gradients_are_those_of_the_plain_layer(name: str, order: str) -> None:
    generator = torch.Generator().manual_seed(1)
    edge_index = drawn_edges(generator)
    weight = torch.rand(EDGES, generator=generator)
    if order.startswith("sorted"):
        edge_index = edge_index[:, edge_index[1].argsort(stable=True)].contiguous()
    torch.manual_seed(2)
    plain = LAYERS[name]()
    blocked = edge_blocks(copy.deepcopy(plain), edges_per_block=300)
    extra = (weight,) if name in {"GCN", "GraphConv"} else ()
    results = []
    for layer in (plain, blocked):
        x = torch.randn(NODES, CHANNELS, generator=torch.Generator().manual_seed(3)).requires_grad_()
        out = layer(x, edge_index, *extra)
        out.square().sum().backward()
        results.append((out.detach(), x.grad, [parameter.grad for parameter in layer.parameters()]))
    (out, grad, grads), (blocked_out, blocked_grad, blocked_grads) = results
    torch.testing.assert_close(blocked_out, out, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(blocked_grad, grad, rtol=1e-4, atol=1e-5)
    scale = torch.stack([value.norm() for value in grads]).norm()
    for found, value in zip(blocked_grads, grads, strict=True):
        assert (found - value).norm() <= 1e-5 * scale


def test_learned_edge_weights_get_their_gradient_back_in_the_given_order() -> None:
    edge_index = drawn_edges(torch.Generator().manual_seed(11))
    x = torch.randn(NODES, CHANNELS, generator=torch.Generator().manual_seed(12))
    plain = GCNConv(CHANNELS, 8, normalize=False)
    found = []
    for layer in (plain, edge_blocks(copy.deepcopy(plain), 300)):
        weight = torch.rand(EDGES, generator=torch.Generator().manual_seed(13)).requires_grad_()
        layer(x, edge_index, weight).square().sum().backward()
        found.append(weight.grad)
    torch.testing.assert_close(found[1], found[0])


def test_what_needs_no_gradient_gets_none() -> None:
    """Raw features and a frozen attention vector stay without a gradient; the weights beside them get theirs."""
    edge_index = drawn_edges(torch.Generator().manual_seed(14))
    x = torch.randn(NODES, CHANNELS)
    gat = GATv2Conv(CHANNELS, 4)
    gat.att.requires_grad_(False)
    plain = copy.deepcopy(gat)
    edge_blocks(gat, 300)(x, edge_index).square().sum().backward()
    plain(x, edge_index).square().sum().backward()
    assert x.grad is None
    assert gat.att.grad is None
    torch.testing.assert_close(gat.lin_l.weight.grad, plain.lin_l.weight.grad, rtol=1e-4, atol=1e-4)


def test_a_blocks_work_is_done_once_in_each_pass() -> None:
    """A first step also tries the layer once; where no gradient is wanted there is no second pass."""
    edge_index = drawn_edges(torch.Generator().manual_seed(14))
    sage = edge_blocks(SAGEConv(CHANNELS, 8), 300)
    x = torch.randn(NODES, CHANNELS, requires_grad=True)
    sage(x, edge_index).sum().backward()
    calls = []
    message = sage.message
    sage.message = lambda *arguments, **named: calls.append(1) or message(*arguments, **named)
    (edges,) = tables_of(sage)[0].all_sorted()
    blocks = len(edges.blocks(300))
    assert blocks >= EDGES // 300
    sage(x, edge_index).sum().backward()
    assert len(calls) == 2 * blocks
    with torch.no_grad():
        sage(x, edge_index)
    assert len(calls) == 3 * blocks
    sage(x.detach(), edge_index).sum().backward()
    assert len(calls) == 4 * blocks + 1


def test_recomputation_keeps_the_precision_of_the_forward_pass() -> None:
    edge_index = drawn_edges(torch.Generator().manual_seed(15))
    x = torch.randn(NODES, CHANNELS)
    plain = GATv2Conv(CHANNELS, 4, add_self_loops=False)
    results = []
    for layer in (plain, edge_blocks(copy.deepcopy(plain), 300)):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = layer(x, edge_index)
        out.float().square().sum().backward()
        results.append((out.dtype, layer.att.grad))
    assert results[0][0] == results[1][0]
    torch.testing.assert_close(results[1][1], results[0][1], rtol=0.05, atol=0.05)


def test_a_gradient_of_a_gradient_is_that_of_the_plain_layer() -> None:
    edge_index = drawn_edges(torch.Generator().manual_seed(16))
    torch.manual_seed(17)
    plain = GATv2Conv(CHANNELS, 4)
    start, found = torch.randn(NODES, CHANNELS), []
    for layer in (plain, edge_blocks(copy.deepcopy(plain), 300)):
        x = start.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(layer(x, edge_index).square().sum(), x, create_graph=True)
        gradient.square().sum().backward()
        found.append((x.grad, layer.att.grad))
    for one, other in zip(*found, strict=True):
        assert (one - other).norm() <= 1e-4 * one.norm()


def test_parameters_keep_their_names_and_a_copy_is_independent() -> None:
    layer = SAGEConv(CHANNELS, 8)
    names = list(layer.state_dict())
    blocked = edge_blocks(layer)
    assert list(blocked.state_dict()) == names
    twin = copy.deepcopy(blocked)
    with torch.no_grad():
        twin.lin_l.weight.zero_()
        twin.lin_l.bias.zero_()
        twin.lin_r.weight.zero_()
    x, edge_index = torch.randn(NODES, CHANNELS), drawn_edges(torch.Generator().manual_seed(4))
    assert twin(x, edge_index).abs().max() == 0
    assert blocked(x, edge_index).abs().max() > 0


def test_a_graph_changed_in_place_is_planned_anew() -> None:
    layer, twin = SAGEConv(CHANNELS, 8), None
    twin = copy.deepcopy(layer)
    edge_blocks(layer, 200)
    x, edge_index = torch.randn(NODES, CHANNELS), drawn_edges(torch.Generator().manual_seed(5))
    layer(x, edge_index)
    edge_index[0] = edge_index[0].roll(7)
    torch.testing.assert_close(layer(x, edge_index), twin(x, edge_index))


def test_isolated_nodes_and_a_node_larger_than_a_block() -> None:
    """Node 3 receives 50 edges, five times the block; nodes 0 to 2 and the last one receive none."""
    edge_index = torch.stack([torch.arange(50) % 6, torch.full((50,), 3)])
    layer = GATv2Conv(4, 2, heads=2, add_self_loops=False)
    x = torch.randn(6, 4)
    expected = layer(x, edge_index)
    torch.testing.assert_close(edge_blocks(layer, 10)(x, edge_index), expected)


def test_activation_memory_does_not_grow_with_density() -> None:
    """32 times the edges: none's peak grows about as much, edge_blocks' by less than a tenth.

    At 8 edges a node the graph is one block of 8 N edges, at 256 it is 32 of the same size.
    """
    peaks: dict[str, list[int]] = {"none": [], "edge_blocks": []}
    for degree in (8, 256):
        source = torch.randint(0, 4096, (4096 * degree,), generator=torch.Generator().manual_seed(6))
        edge_index = torch.stack([source, torch.arange(4096).repeat_interleave(degree)])
        x = torch.randn(4096, 16)
        for policy, found in peaks.items():
            torch.manual_seed(0)
            model = apply(GATv2Conv(16, 8, heads=2, add_self_loops=False), policy)
            model(x, edge_index).sum().backward()
            model.zero_grad(set_to_none=True)
            found.append(step_bytes(lambda model=model, x=x, e=edge_index: model(x, e).sum(), CPU).peak)
    assert peaks["none"][1] > 20 * peaks["none"][0]
    assert peaks["edge_blocks"][1] < 1.1 * peaks["edge_blocks"][0]


def table_bytes(order: Callable[[torch.Tensor], torch.Tensor]) -> int:
    """The bytes that `edge_blocks` keeps beside the model and the graph."""
    edge_index = order(drawn_edges(torch.Generator().manual_seed(7))).contiguous()
    layer = edge_blocks(SAGEConv(CHANNELS, CHANNELS))
    layer(torch.randn(NODES, CHANNELS), edge_index)
    return resident_bytes([edge_index, *policy_tensors(layer)]) - resident_bytes([edge_index])


def test_tables_of_a_sorted_graph_are_sources_and_pointers() -> None:
    """A copy of the sources, int32, and a pointer a node, int64: 4 bytes an edge, and 8 (N + 1)."""
    assert table_bytes(lambda edges: edges[:, edges[1].argsort(stable=True)]) == 4 * EDGES + 8 * (NODES + 1)


def test_tables_of_an_unsorted_graph_also_hold_the_order() -> None:
    """Sources in order and the order itself, int32 each: 8 bytes an edge, and 8 (N + 1) of pointers."""
    assert table_bytes(lambda edges: edges) == 8 * EDGES + 8 * (NODES + 1)


def test_layers_of_a_model_share_their_tables() -> None:
    edge_index = drawn_edges(torch.Generator().manual_seed(7))
    model = apply(GraphSAGE(CHANNELS, CHANNELS, num_layers=3), "edge_blocks")
    model(torch.randn(NODES, CHANNELS), edge_index)
    assert resident_bytes(policy_tensors(model)) == 8 * EDGES + 8 * (NODES + 1)


EXACT = {
    "self-loops": lambda: GATConv(4, 4),
    "normalisation": lambda: GCNConv(4, 4),
    "normalisation without loops": lambda: GCNConv(4, 4, add_self_loops=False),
    "a BatchNorm after the messages": lambda: GINConv(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))),
    "several stacks of channels": lambda: ARMAConv(4, 4, num_stacks=2),
    "features of edges": lambda: GATv2Conv(4, 4, edge_dim=3),
    "edges that flow backwards": lambda: SAGEConv(4, 4, flow="target_to_source"),
}
"""What the layer does around its messages, or reads beside its nodes, and blocks leave as it is."""


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("policy", ["edge_blocks(40)", "layers+edge_blocks(40)", "fused_edge_blocks(40)"])
def test_what_a_layer_does_around_its_messages_stays(name: str, policy: str, compiler: None) -> None:
    torch.manual_seed(18)
    plain = EXACT[name]()
    blocked = apply(copy.deepcopy(plain), policy)
    edge_index = torch.randint(0, 30, (2, 200), generator=torch.Generator().manual_seed(19))
    features = {"edge_attr": torch.randn(200, 3)} if name == "features of edges" else {}
    start, results = torch.randn(30, 4), []
    for layer in (plain, blocked):
        x = start.clone().requires_grad_()
        out = layer(x, edge_index, **features)
        out.square().sum().backward()
        results.append([out.detach(), x.grad, *(p.grad for p in layer.parameters()), *layer.buffers()])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-4)


def test_blocks_applied_twice_are_applied_once() -> None:
    layer = edge_blocks(edge_blocks(SAGEConv(4, 4), 10), 20)
    assert policy_of(layer) == "edge_blocks(20)"
    remove(layer)
    assert "forward" not in vars(layer)
    assert "propagate" not in vars(layer)


def test_what_passes_no_messages_is_refused_with_the_reason() -> None:
    with pytest.raises(Refusal, match="Linear has no PyG message passing layer"):
        edge_blocks(nn.Linear(4, 4))


def test_a_refused_layer_leaves_the_whole_model_unwrapped() -> None:
    model = nn.ModuleList([SAGEConv(4, 4), EdgeConv(nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4)))])
    with pytest.raises(Refusal, match=r"edge_blocks cannot wrap EdgeConv: nn\.1 \(BatchNorm1d\) inside its messages"):
        apply(model, "edge_blocks")
    assert "forward" not in vars(model[0])


def test_a_policy_of_older_reports_is_refused() -> None:
    with pytest.raises(Refusal, match="compiled_edge_blocks is no longer available: fused_edge_blocks and edge_blocks"):
        apply(SAGEConv(4, 4), "compiled_edge_blocks")
