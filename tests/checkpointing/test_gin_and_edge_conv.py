"""Edge blocks of GIN and EdgeConv: every parameter's gradient, ties at the maximum, and a norm over edges."""

import copy

import pytest
import torch
from small_models import CONVOLUTIONS, adjacency, built, simple_graph, stepped
from torch import nn
from torch_geometric.nn import EdgeConv, GINConv, SAGEConv, aggr

from gnn_checkpointing.checkpointing import edge_blocks, edge_mlp
from gnn_checkpointing.measurement.sameness import compared
from gnn_checkpointing.refusal import Refusal


def mlp(channels: int, *between: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(channels, 6), *between, nn.ReLU(), nn.Linear(6, 5))


LAYERS = {
    "GIN": lambda: GINConv(mlp(8)),
    "GIN, epsilon trained, mean": lambda: GINConv(mlp(8), eps=0.3, train_eps=True, aggr="mean"),
    "EdgeConv": lambda: EdgeConv(mlp(16)),
    "EdgeConv, sum": lambda: EdgeConv(mlp(16), aggr="sum"),
    "SAGE-max": lambda: SAGEConv(8, 5, aggr="max"),
    "EdgeConv, dropout of probability zero": lambda: EdgeConv(mlp(16, nn.Dropout(0.0))),
    "EdgeConv, learned softmax": lambda: EdgeConv(mlp(16), aggr=aggr.SoftmaxAggregation(learn=True)),
    "GIN, learned softmax": lambda: GINConv(mlp(8), aggr=aggr.SoftmaxAggregation(learn=True)),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
def test_every_gradient_is_that_of_the_plain_layer(name: str, ties: bool) -> None:
    """Where several neighbours attain a maximum they share its gradient; a block holds all of a node's edges.

    Features 0 and 1 alone make ties certain: 60 nodes, 8 neighbours each, and only 2^8 possible rows.
    """
    edge_index = simple_graph()
    torch.manual_seed(4)
    plain = LAYERS[name]()
    drawn = torch.randint(0, 2, (60, 8)).float() if ties else torch.randn(60, 8)
    results = []
    for layer in (plain, edge_blocks(copy.deepcopy(plain), 70)):
        x = drawn.clone().requires_grad_()
        out = layer(x, edge_index)
        out.square().sum().backward()
        results.append((out.detach(), x.grad, {key: value.grad for key, value in layer.named_parameters()}))
    (out, grad, grads), (blocked_out, blocked_grad, blocked_grads) = results
    torch.testing.assert_close(blocked_out, out)
    torch.testing.assert_close(blocked_grad, grad, rtol=1e-4, atol=1e-5)
    assert blocked_grads.keys() == grads.keys()
    for key, value in grads.items():
        torch.testing.assert_close(blocked_grads[key], value, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_a_stack_of_every_convolution_computes_by_blocks_what_it_computes_whole(convolution: str) -> None:
    graph = adjacency(convolution)
    reference = stepped(built(convolution, "none", norm="batch", dropout=0.3), graph)
    found = stepped(built(convolution, "edge_blocks(100)", norm="batch", dropout=0.3), graph)
    same = compared(found, reference, 1e-5)
    assert same.same_loss and same.same_gradients and same.same_buffers


def test_a_norm_over_all_edges_is_refused() -> None:
    """Its statistics would be those of a block; GIN's MLP works on nodes, outside the blocks."""
    with pytest.raises(Refusal, match=r"nn\.1 \(BatchNorm1d\) inside its messages normalises over all edges"):
        edge_blocks(EdgeConv(mlp(16, nn.BatchNorm1d(6))))
    edge_blocks(GINConv(mlp(8, nn.BatchNorm1d(6))))


def test_the_first_linear_map_of_an_edge_conv_is_made_on_nodes() -> None:
    layer = edge_blocks(EdgeConv(mlp(16)), 10**6)
    layer(torch.randn(60, 8), simple_graph())
    assert list(vars(layer)["_cut_layer"]._cutter._agreed.values()) == [True]


class Reversed(EdgeConv):
    """The difference taken the other way round: the trial must see it."""

    def message(self, x_i: torch.Tensor, x_j: torch.Tensor) -> torch.Tensor:
        return self.nn(torch.cat([x_i, x_i - x_j], dim=-1))


def hooked() -> nn.Module:
    layer = EdgeConv(mlp(16))
    layer.nn[0].register_forward_hook(lambda _module, _rows, out: out * 2)
    return layer


@pytest.mark.parametrize("layer", [hooked, lambda: Reversed(mlp(16))], ids=["hook on the map", "another message"])
@pytest.mark.parametrize("taken", [False, True], ids=["as known", "message taken for the known one"])
def test_a_layer_whose_message_is_another_keeps_it(layer, taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if taken:  # past the look at the code: the trial alone
        monkeypatch.setattr(edge_mlp, "_MESSAGES", (EdgeConv.message, Reversed.message))
    torch.manual_seed(3)
    plain, x, edge_index = layer(), torch.randn(60, 8), simple_graph()
    blocked = edge_blocks(copy.deepcopy(plain), 70)
    torch.testing.assert_close(blocked(x, edge_index), plain(x, edge_index))
