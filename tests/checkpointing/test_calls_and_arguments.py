"""A layer under a policy is called, and answers, as it is without one."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import small_inputs as s
import torch
from every_convolution import perceptron
from small_inputs import CHANNELS, EDGE_CHANNELS, EDGES, NODES, OUT, PAIR, PAIR_EDGES, TYPE, TYPES, WEIGHT, X
from steps_compared import difference, is_exact_or_refused, outcome, seed_all, step, under
from torch import Tensor, nn
from torch_geometric import EdgeIndex
from torch_geometric import nn as pyg

C, O, D = CHANNELS, OUT, EDGE_CHANNELS  # noqa: E741 - as PyG's own shapes are written
POLICIES = ("edge_blocks(8)", "layers", "auto")
WITHOUT_LOOPS = {"add_self_loops": False}

WITH_ATTENTION: dict[str, tuple[Callable[[], nn.Module], tuple, dict]] = {
    "GATConv": (lambda: pyg.GATConv(C, O, heads=2), (X, EDGES), {}),
    "GATConv, edge features": (lambda: pyg.GATConv(C, O, edge_dim=D), (X, EDGES), {"edge_attr": s.ATTRIBUTES}),
    "GATConv, pair": (lambda: pyg.GATConv((C, C), O, **WITHOUT_LOOPS), (PAIR, PAIR_EDGES), {"size": s.SIZE}),
    "GATv2Conv": (lambda: pyg.GATv2Conv(C, O, heads=2), (X, EDGES), {}),
    "TransformerConv": (lambda: pyg.TransformerConv(C, O, heads=2), (X, EDGES), {}),
    "RGATConv": (lambda: pyg.RGATConv(C, O, TYPES), (X, EDGES), {"edge_type": TYPE}),
    "FAConv": (lambda: pyg.FAConv(C), (X, s.X_START, EDGES), {}),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", WITH_ATTENTION)
def test_attention_weights_are_returned_in_the_order_of_the_edges(name: str, policy: str) -> None:
    """The gradient of the returned weights counts too; policies may refuse the request by name."""
    build, args, named = WITH_ATTENTION[name]
    torch.manual_seed(0)
    assert outcome(build(), policy, args, {**named, "return_attention_weights": True}) == "exact"


@pytest.mark.parametrize("name", ["edge_weight", "edge_attr"])
def test_values_per_edge_of_another_type_are_exact(name: str) -> None:
    """Kernels read one type of numbers; PyG multiplies and adds any."""
    layer = pyg.GCNConv(C, O, normalize=False) if name == "edge_weight" else pyg.GINEConv(nn.Linear(C, O))
    value = torch.arange(EDGES.shape[1]).remainder(2).bool()
    value = value if name == "edge_weight" else value.int()[:, None].expand(-1, C)
    assert outcome(layer, "fused_edge_blocks", (X, EDGES, value)) == "exact"


FLOWS: dict[str, Callable[..., nn.Module]] = {
    "SAGEConv": lambda **o: pyg.SAGEConv(C, O, **o),
    "SAGEConv, max": lambda **o: pyg.SAGEConv(C, O, aggr="max", **o),
    "GCNConv": lambda **o: pyg.GCNConv(C, O, **o),
    "GATConv": lambda **o: pyg.GATConv(C, O, **o),
    "GATv2Conv": lambda **o: pyg.GATv2Conv(C, O, **o),
    "EdgeConv": lambda **o: pyg.EdgeConv(perceptron(2 * C), **o),
    "GINConv": lambda **o: pyg.GINConv(perceptron(), **o),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", FLOWS)
def test_edges_that_point_the_other_way_are_exact(name: str, policy: str) -> None:
    torch.manual_seed(0)
    assert outcome(FLOWS[name](flow="target_to_source"), policy, (X, EDGES)) == "exact"


DECOMPOSED: dict[str, Callable[..., nn.Module]] = {
    "GCNConv": lambda **o: pyg.GCNConv(C, O, **o),
    "TAGConv": lambda **o: pyg.TAGConv(C, O, **o),
    "SGConv": lambda **o: pyg.SGConv(C, O, **o),
    "APPNP": lambda **o: pyg.APPNP(2, 0.1, **o),
    "ChebConv": lambda **o: pyg.ChebConv(C, O, K=2, **o),
}
"""Layers that PyG can decompose: those that propagate one tensor and no pair."""


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", DECOMPOSED)
def test_decomposed_layers_are_exact(name: str, policy: str) -> None:
    """Given when the layer is built, and changed later."""
    torch.manual_seed(0)
    assert outcome(DECOMPOSED[name](decomposed_layers=2), policy, (X, EDGES)) == "exact"
    plain = DECOMPOSED[name]()
    wrapped = under(policy, plain)
    for layer in (plain, wrapped):
        layer.decomposed_layers = 3
    assert difference(step(plain, (X, EDGES)), step(wrapped, (X, EDGES))) == ""


LAZY: dict[str, tuple[Callable[[], nn.Module], tuple, dict]] = {
    "SAGEConv": (lambda: pyg.SAGEConv(-1, O), (X, EDGES), {}),
    "SAGEConv, pair": (lambda: pyg.SAGEConv((-1, -1), O), (PAIR, PAIR_EDGES), {}),
    "GCNConv": (lambda: pyg.GCNConv(-1, O), (X, EDGES), {}),
    "GATConv": (lambda: pyg.GATConv(-1, O, heads=2), (X, EDGES), {}),
    "GATv2Conv": (lambda: pyg.GATv2Conv((-1, -1), O, **WITHOUT_LOOPS), (PAIR, PAIR_EDGES), {}),
    "GraphConv": (lambda: pyg.GraphConv(-1, O), (X, EDGES, WEIGHT), {}),
    "TransformerConv": (lambda: pyg.TransformerConv(-1, O, edge_dim=D), (X, EDGES, s.ATTRIBUTES), {}),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", LAZY)
def test_lazy_weights_get_their_sizes_and_gradients_in_the_first_step(name: str, policy: str) -> None:
    build, args, named = LAZY[name]
    wrapped = under(policy, build())
    first = step(wrapped, args, named)
    assert all(first[f"gradient of {weight}"] is not None for weight, _ in wrapped.named_parameters())
    plain = build()
    seed_all(0)
    plain(*args, **named)
    plain.load_state_dict(wrapped.state_dict())
    assert difference(step(plain, args, named), step(wrapped, args, named)) == ""


def transposed(layout: str) -> Tensor:
    dense = torch.zeros(NODES, NODES)
    dense[EDGES[1], EDGES[0]] = WEIGHT
    return dense.to_sparse_coo() if layout == "coo" else dense.to_sparse_csr()


SPARSE: dict[str, Callable[[], nn.Module]] = {
    "SAGEConv": lambda: pyg.SAGEConv(C, O),
    "GCNConv": lambda: pyg.GCNConv(C, O),
    "GATConv": lambda: pyg.GATConv(C, O, **WITHOUT_LOOPS),
    "GATv2Conv": lambda: pyg.GATv2Conv(C, O, **WITHOUT_LOOPS),
    "GraphConv": lambda: pyg.GraphConv(C, O),
    "GINConv": lambda: pyg.GINConv(perceptron()),
    "TAGConv": lambda: pyg.TAGConv(C, O),
}


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("layout", ["coo", "csr"])
@pytest.mark.parametrize("name", SPARSE)
def test_a_sparse_adjacency_is_exact_or_refused(name: str, layout: str, policy: str) -> None:
    torch.manual_seed(0)
    layer = SPARSE[name]()
    found = outcome(layer, policy, (X, transposed(layout)))
    assert found == "exact" or (policy != "auto" and is_exact_or_refused(found))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("order", ["col", "row", None])
@pytest.mark.parametrize("name", FLOWS)
def test_an_edge_index_object_is_exact(name: str, order: str | None, policy: str) -> None:
    edges = EDGES if order is None else EDGES[:, EDGES[1 if order == "col" else 0].argsort(stable=True)]
    index = EdgeIndex(edges, sparse_size=(NODES, NODES), sort_order=order)
    torch.manual_seed(0)
    assert outcome(FLOWS[name](), policy, (X, index)) == "exact"


class Asking(pyg.MessagePassing):
    """A user's layer that asks for all that PyG offers, and passes what is neither of nodes nor of edges."""

    def __init__(self, table_rows: int) -> None:
        super().__init__(aggr="sum")
        self.lin, self.table = nn.Linear(C, O), nn.Parameter(s.drawn(table_rows, O, seed=65))

    def forward(self, x: Tensor, edge_index: Tensor, edge_type: Tensor, weight: Tensor) -> Tensor:
        x, scale = self.lin(x), torch.tensor(3.0)
        return self.propagate(
            edge_index, x=x, table=self.table, edge_type=edge_type, weight=weight, scale=scale, name="tanh", twice=True
        )

    def message(
        self, x_i: Tensor, x_j: Tensor, table: Tensor, edge_type: Tensor, weight: Tensor, scale: Tensor, name: str
    ) -> Tensor:
        return getattr(torch, name)(x_i - x_j + table[edge_type]) * weight.unsqueeze(1) * scale

    def update(self, inputs: Tensor, x: Tensor, twice: bool) -> Tensor:
        return inputs * (2 if twice else 1) + x


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("rows", [TYPES, NODES, EDGES.shape[1]])
def test_a_table_as_long_as_the_edges_is_exact_or_refused(rows: int, policy: str) -> None:
    """A table of types is not cut with the edges, not even where it has as many rows."""
    torch.manual_seed(0)
    found = outcome(Asking(rows), policy, (X, EDGES, TYPE, WEIGHT))
    assert found == "exact" or (rows == EDGES.shape[1] and policy.startswith("edge") and is_exact_or_refused(found))


@pytest.mark.parametrize("policy", POLICIES)
def test_as_many_edges_as_nodes_are_exact(policy: str) -> None:
    """Then features of nodes and of edges have the same shape."""
    few = EDGES[:, :NODES]
    torch.manual_seed(0)
    assert outcome(Asking(TYPES), policy, (X, few, TYPE[:NODES], WEIGHT[:NODES])) == "exact"
    gine = pyg.GINEConv(perceptron(C, C))
    assert outcome(gine, policy, (X, few, s.drawn(NODES, C, seed=66))) == "exact"


@pytest.mark.parametrize("policy", POLICIES)
def test_what_only_some_calls_give_is_exact(policy: str) -> None:
    """Edge weights in one call, none in the next."""
    torch.manual_seed(0)
    plain = pyg.GCNConv(C, O)
    wrapped = under(policy, copy.deepcopy(plain))
    for args in ((X, EDGES), (X, EDGES, WEIGHT), (X, EDGES)):
        assert difference(step(plain, args), step(wrapped, args)) == ""


@pytest.mark.parametrize("policy", POLICIES)
def test_a_wrong_call_raises_what_it_raises_without_a_policy(policy: str) -> None:
    """Too few channels, no edges at all, an unknown argument."""
    for args, named in (((X[:, :3], EDGES), {}), ((X,), {}), ((X, EDGES), {"colour": 1})):
        with pytest.raises((RuntimeError, TypeError)) as plain:
            pyg.SAGEConv(C, O)(*args, **named)
        with pytest.raises(plain.type):
            under(policy, pyg.SAGEConv(C, O))(*args, **named)
