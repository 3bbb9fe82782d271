"""Tables of a graph are never those of another graph, and indices are checked as PyG checks them."""

from __future__ import annotations

import copy
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from every_convolution import perceptron
from small_inputs import CHANNELS, EDGES, NODES, OUT, PAIR, PAIR_EDGES, X, different_edges, drawn
from steps_compared import difference, outcome, step, under
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader

C, O = CHANNELS, OUT  # noqa: E741 - as PyG's own shapes are written
POLICIES = ("edge_blocks(8)", "layers", "layers+edge_blocks(8)", "auto")
LAYERS = {
    "SAGEConv": lambda: pyg.SAGEConv(C, O),
    "GCNConv": lambda: pyg.GCNConv(C, O),
    "GATConv": lambda: pyg.GATConv(C, O, heads=2),
    "GATv2Conv": lambda: pyg.GATv2Conv(C, O),
    "EdgeConv": lambda: pyg.EdgeConv(perceptron(2 * C)),
}

each_policy = pytest.mark.parametrize("policy", POLICIES)
each_layer = pytest.mark.parametrize("name", LAYERS)


def pair_of_models(name: str, policy: str) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    plain = LAYERS[name]()
    return plain, under(policy, plain)


@each_policy
@each_layer
@pytest.mark.parametrize("wrong", ["a destination", "a source", "a negative source", "a negative destination"])
def test_an_index_outside_the_nodes_raises_as_without_a_policy(wrong: str, name: str, policy: str) -> None:
    edges = EDGES.clone()
    edges[1 if "destination" in wrong else 0, 3] = -1 if "negative" in wrong else NODES + 2
    plain, wrapped = pair_of_models(name, policy)
    with pytest.raises((IndexError, RuntimeError, ValueError)):
        plain(X, edges)
    with pytest.raises((IndexError, RuntimeError, ValueError)):
        wrapped(X, edges)


@each_policy
def test_an_index_outside_a_pair_of_node_sets_raises(policy: str) -> None:
    torch.manual_seed(0)
    edges = PAIR_EDGES.clone()
    edges[1, 0] = len(PAIR[1])  # a source of this number exists, a destination does not
    model = under(policy, pyg.SAGEConv((C, C), O))
    with pytest.raises((IndexError, RuntimeError, ValueError)):
        model(PAIR, edges)


def changed_in_place(edges: Tensor) -> None:
    edges[0] = edges[0].roll(5)


def changed_through_data(edges: Tensor) -> None:
    edges.data[1] = edges.data[1].roll(7)


def changed_through_numpy(edges: Tensor) -> None:
    edges.numpy()[1, :9] = 4


def changed_through_a_view(edges: Tensor) -> None:
    edges.detach().view(-1)[: EDGES.shape[1]].copy_(EDGES[0].flip(0))


@each_policy
@each_layer
@pytest.mark.parametrize(
    "change", [changed_in_place, changed_through_data, changed_through_numpy, changed_through_a_view]
)
def test_a_graph_that_was_changed_is_read_anew(change, name: str, policy: str) -> None:
    plain, wrapped = pair_of_models(name, policy)
    edges = EDGES.clone()
    step(wrapped, (X, edges))
    change(edges)
    assert not torch.equal(edges, EDGES)
    assert difference(step(plain, (X, edges)), step(wrapped, (X, edges))) == ""


@each_policy
@each_layer
def test_two_forward_passes_before_one_backward_pass_are_exact(name: str, policy: str) -> None:
    plain, wrapped = pair_of_models(name, policy)
    found = []
    for model in (plain, wrapped):
        x = X.clone().requires_grad_()
        first = model(x, EDGES)
        second = model(x, different_edges(NODES, NODES, 30, seed=70))
        (first * second).sum().backward()
        found.append([x.grad, *(weight.grad for weight in model.parameters())])
    for expected, value in zip(*found, strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-5)


@each_policy
@each_layer
def test_a_graph_changed_before_the_backward_pass_raises_or_counts_as_it_was(name: str, policy: str) -> None:
    plain, wrapped = pair_of_models(name, policy)
    edges, x = EDGES.clone(), X.clone().requires_grad_()
    out = wrapped(x, edges)
    changed_in_place(edges)
    try:
        out.square().sum().backward()
    except RuntimeError:
        return
    again = X.clone().requires_grad_()
    plain(again, EDGES).square().sum().backward()
    torch.testing.assert_close(x.grad, again.grad, rtol=1e-4, atol=1e-5)


@each_policy
@each_layer
def test_batches_of_changing_size_are_exact(name: str, policy: str) -> None:
    graphs = [Data(x=drawn(n, C, seed=n), edge_index=different_edges(n, n, 3 * n, seed=n)) for n in range(4, 14)]
    plain, wrapped = pair_of_models(name, policy)
    for batch in DataLoader(graphs, batch_size=3):
        args = (batch.x, batch.edge_index)
        assert difference(step(plain, args), step(wrapped, args)) == ""


@each_policy
def test_many_short_lived_graphs_are_not_mixed_up(policy: str) -> None:
    """Tensors of one shape that follow each other often lie at one address."""
    plain, wrapped = pair_of_models("GATv2Conv", policy)
    for seed in range(30):
        edges = EDGES[:, torch.randperm(EDGES.shape[1], generator=torch.Generator().manual_seed(seed))[:24]]
        edges = torch.stack([edges[0], edges[1].roll(seed)])
        assert difference(step(plain, (X, edges)), step(wrapped, (X, edges))) == ""
        del edges


@each_policy
def test_the_same_edges_on_more_nodes_are_exact(policy: str) -> None:
    plain, wrapped = pair_of_models("SAGEConv", policy)
    for nodes in (NODES, NODES + 5, NODES):
        args = (drawn(nodes, C, seed=nodes), EDGES)
        assert difference(step(plain, args), step(wrapped, args)) == ""


@each_policy
@each_layer
@pytest.mark.parametrize("kind", ["no edges", "no nodes", "one edge", "only loops", "every edge twice", "one node"])
def test_a_graph_at_the_edge_of_what_is_allowed_is_exact(kind: str, name: str, policy: str) -> None:
    none = torch.empty(2, 0, dtype=torch.long)
    x, edges = {
        "no edges": (X, none),
        "no nodes": (X[:0], none),
        "one edge": (X, EDGES[:, :1]),
        "only loops": (X, torch.arange(NODES).repeat(2, 1)),
        "every edge twice": (X, torch.cat([EDGES, EDGES], dim=1)),
        "one node": (X[:1], torch.zeros(2, 20, dtype=torch.long)),
    }[kind]
    torch.manual_seed(0)
    assert outcome(LAYERS[name](), policy, (x, edges)) == "exact"


@each_policy
def test_no_destinations_and_no_sources_are_exact(policy: str) -> None:
    torch.manual_seed(0)
    none = torch.empty(2, 0, dtype=torch.long)
    for pair in ((X, PAIR[1][:0]), (X[:0], PAIR[1])):
        assert outcome(pyg.SAGEConv((C, C), O), policy, (pair, none)) == "exact"


@each_policy
@each_layer
def test_edges_that_are_not_contiguous_are_exact(name: str, policy: str) -> None:
    torch.manual_seed(0)
    assert outcome(LAYERS[name](), policy, (X, EDGES.t().contiguous().t())) == "exact"
    assert outcome(LAYERS[name](), policy, (X.t().contiguous().t(), EDGES[:, ::2])) == "exact"


@each_policy
def test_tables_go_with_their_graph(policy: str) -> None:
    _, wrapped = pair_of_models("SAGEConv", policy)
    edges = EDGES.clone()
    step(wrapped, (X, edges))
    alive = weakref.ref(edges)
    del edges
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("policy", [*POLICIES, "fused_edge_blocks", "selective"])
@each_layer
def test_threads_that_share_a_model_get_their_own_graphs(name: str, policy: str, compiler: None) -> None:
    """Four threads, each with graphs of its own, evaluate one model at the same time."""
    plain, wrapped = pair_of_models(name, policy)

    def gradient(model: nn.Module, edges: Tensor) -> Tensor:
        x = X.clone().requires_grad_()
        return torch.autograd.grad(model(x, edges).square().sum(), x)[0]

    def evaluated(thread: int) -> None:
        for seed in range(15):
            edges = different_edges(NODES, NODES, 20 + seed, seed=100 * thread + seed)
            expected = gradient(copy.deepcopy(plain), edges)
            torch.testing.assert_close(gradient(wrapped, edges), expected, rtol=1e-4, atol=1e-5)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(evaluated, range(4)))
