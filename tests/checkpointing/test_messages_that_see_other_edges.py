"""Messages that depend on other edges: exact in blocks, or refused; never silently different."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from every_convolution import ON_ONE_GRAPH, perceptron
from small_inputs import ATTRIBUTES, CHANNELS, EDGE_CHANNELS, EDGES, NODES, OUT, POSITION, WEIGHT, X, drawn
from small_layers import Own
from steps_compared import difference, is_exact_or_refused, outcome, step, under, without_zeros
from torch import Tensor, nn
from torch_geometric import nn as pyg

from gnn_checkpointing.refusal import Refusal

C, O, D = CHANNELS, OUT, EDGE_CHANNELS  # noqa: E741 - as PyG's own shapes are written


class Centered(nn.Module):
    """A user's own norm: it takes the mean over all edges away."""

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(dim=0)


OVER_ALL_EDGES: dict[str, Callable[[int], nn.Module]] = {
    "GraphNorm": pyg.GraphNorm,
    "InstanceNorm": pyg.InstanceNorm,
    "InstanceNorm with running statistics": lambda n: pyg.InstanceNorm(n, affine=True, track_running_stats=True),
    "PairNorm": lambda _: pyg.PairNorm(),
    "LayerNorm of the graph": lambda n: pyg.LayerNorm(n, mode="graph"),
    "MeanSubtractionNorm": lambda _: pyg.MeanSubtractionNorm(),
    "DiffGroupNorm": lambda n: pyg.DiffGroupNorm(n, groups=2),
    "GraphSizeNorm": lambda _: pyg.GraphSizeNorm(),
    "PyG's BatchNorm": pyg.BatchNorm,
    "PyTorch's BatchNorm": nn.BatchNorm1d,
    "a user's own": lambda _: Centered(),
    "softmax over edges": lambda _: nn.Softmax(dim=0),
}
OVER_ONE_EDGE: dict[str, Callable[[int], nn.Module]] = {
    "PyTorch's LayerNorm": nn.LayerNorm,
    "LayerNorm of a node": lambda n: pyg.LayerNorm(n, mode="node"),
    "GroupNorm": lambda n: nn.GroupNorm(2, n),
    "RMSNorm": nn.RMSNorm,
}


def edge_conv(norm: nn.Module) -> tuple[nn.Module, tuple]:
    return pyg.EdgeConv(nn.Sequential(nn.Linear(2 * C, O), norm, nn.Linear(O, O)), aggr="sum"), (X, EDGES)


def gine(norm: nn.Module) -> tuple[nn.Module, tuple]:
    layer = pyg.GINEConv(perceptron(O, O))
    layer.lin = nn.Sequential(nn.Linear(D, O), norm)
    return layer, (drawn(NODES, O, seed=60), EDGES, ATTRIBUTES)


def point_net(norm: nn.Module) -> tuple[nn.Module, tuple]:
    return pyg.PointNetConv(nn.Sequential(nn.Linear(C + 3, O), norm)), (X, POSITION, EDGES)


def nn_conv(norm: nn.Module) -> tuple[nn.Module, tuple]:
    return pyg.NNConv(C, O, nn.Sequential(nn.Linear(D, O), norm, nn.Linear(O, C * O))), (X, EDGES, ATTRIBUTES)


HOSTS = [edge_conv, gine, point_net, nn_conv]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers", "auto"])
@pytest.mark.parametrize("norm", OVER_ALL_EDGES)
def test_a_norm_over_all_edges_is_exact_or_refused(norm: str, policy: str, host: Callable) -> None:
    torch.manual_seed(0)
    layer, args = host(OVER_ALL_EDGES[norm](O))
    found = outcome(without_zeros(layer), policy, args)
    assert is_exact_or_refused(found)
    if policy == "auto":
        assert found == "exact"


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("norm", OVER_ONE_EDGE)
def test_a_norm_of_each_edge_is_exact(norm: str, host: Callable) -> None:
    torch.manual_seed(0)
    layer, args = host(OVER_ONE_EDGE[norm](O))
    assert outcome(without_zeros(layer), "edge_blocks(8)", args) == "exact"


@pytest.mark.parametrize("norm", OVER_ALL_EDGES)
def test_a_first_graph_of_one_block_does_not_hide_a_norm(norm: str) -> None:
    """One block cannot disagree with the whole; the second graph has several."""
    torch.manual_seed(0)
    plain, _ = edge_conv(OVER_ALL_EDGES[norm](O))
    small = EDGES[:, :6]
    try:
        wrapped = under("edge_blocks(8)", plain)
        found = [step(wrapped, (X, edges)) for edges in (small, EDGES)]
    except Refusal:
        return
    expected = [step(plain, (X, edges)) for edges in (small, EDGES)]
    assert difference(expected[1], found[1]) == ""


@pytest.mark.parametrize("norm", ["PyTorch's BatchNorm", "PyG's BatchNorm", "InstanceNorm with running statistics"])
def test_a_first_look_in_evaluation_does_not_hide_a_norm(norm: str) -> None:
    """These norms look at no other edge until the model trains."""
    torch.manual_seed(0)
    plain, args = edge_conv(OVER_ALL_EDGES[norm](O))
    plain.eval()
    try:
        wrapped = under("edge_blocks(8)", plain)
        step(wrapped, args)
        found = step(wrapped.train(), args)
    except Refusal:
        return
    assert difference(step(plain.train(), args), found) == ""


OWN_MESSAGES: dict[str, Callable[[Tensor, bool], Tensor]] = {
    "the mean taken away": lambda x_j, _: x_j - x_j.mean(dim=0),
    "divided by the number of edges": lambda x_j, _: x_j / len(x_j),
    "divided by the largest": lambda x_j, _: x_j / x_j.abs().max(),
    "a running sum": lambda x_j, _: x_j.cumsum(dim=0),
    "a softmax over edges": lambda x_j, _: x_j.softmax(dim=0),
    "counted by place": lambda x_j, _: x_j * torch.arange(len(x_j)).unsqueeze(1),
    "the neighbour in the list": lambda x_j, _: x_j.roll(1, dims=0),
    "edges compared with edges": lambda x_j, _: (x_j @ x_j.t()).softmax(dim=1) @ x_j,
}


@pytest.mark.parametrize("policy", ["edge_blocks(8)", "auto"])
@pytest.mark.parametrize("name", OWN_MESSAGES)
def test_a_users_message_that_sees_other_edges_is_exact_or_refused(name: str, policy: str) -> None:
    torch.manual_seed(0)
    found = outcome(Own(OWN_MESSAGES[name]), policy, (X, EDGES))
    assert found == "exact" or (policy != "auto" and is_exact_or_refused(found))


def test_a_users_message_of_one_edge_is_exact() -> None:
    torch.manual_seed(0)
    assert outcome(Own(lambda x_j, _: x_j.sigmoid() * x_j), "edge_blocks(8)", (X, EDGES)) == "exact"


STATIC = (
    *("SimpleConv", "GCNConv", "GCNConv, not normalised", "ChebConv", "SAGEConv", "SAGEConv, max, projected"),
    *("GraphConv", "ResGatedGraphConv", "TAGConv", "GINConv", "SGConv", "APPNP", "EdgeConv", "LEConv"),
    *("ClusterGCNConv", "GENConv", "LGConv", "FiLMConv", "MixHopConv"),
)


@pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers", "auto"])
@pytest.mark.parametrize("signals", [3, NODES, EDGES.shape[1]])
@pytest.mark.parametrize("name", STATIC)
def test_many_signals_on_one_graph_are_exact_or_refused(name: str, signals: int, policy: str) -> None:
    """x is `[signals, nodes, channels]`; as many signals as nodes or edges would hide a mix-up of dimensions."""
    torch.manual_seed(0)
    build = (lambda: pyg.GENConv(C, O, norm="layer")) if name == "GENConv" else ON_ONE_GRAPH[name].build
    layer, args = without_zeros(build()), (drawn(signals, NODES, C, seed=61), EDGES)
    found = outcome(copy.deepcopy(layer), policy, args, steps=1)
    assert found == "exact" or (policy == "edge_blocks(8)" and is_exact_or_refused(found))


def test_many_signals_with_edge_weights_are_exact_or_refused() -> None:
    torch.manual_seed(0)
    args = (drawn(3, NODES, C, seed=62), EDGES, WEIGHT)
    assert is_exact_or_refused(outcome(pyg.GCNConv(C, O), "edge_blocks(8)", args))
    assert is_exact_or_refused(outcome(pyg.GraphConv(C, O), "edge_blocks(8)", args))
