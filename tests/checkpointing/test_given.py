"""Layers that write into their arguments or draw from generators of their own: once, with the same gradients."""

import dataclasses
import random
from collections import Counter, deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from small_inputs import EDGES, C, X
from small_layers import LAYERS, Sending, TwoLayers, built
from steps_compared import outcome, step
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.data import Data

from gnn_checkpointing.checkpointing import apply, cut_layer, fused, reentry
from gnn_checkpointing.checkpointing.given import flattened, quick_leaves
from gnn_checkpointing.measurement.peak_memory import step_bytes

POLICIES = ("auto", "edge_blocks(8)", "fused_edge_blocks", "layers", "layers+edge_blocks(8)", "selective")
each_policy = pytest.mark.parametrize("policy", POLICIES)
pytestmark = pytest.mark.usefixtures("always_worth_it", "compiler")


@pytest.mark.parametrize(
    "values",
    [
        ((X, EDGES), {"edge_attr": None, "size": (3, 4)}),
        ([X, {"a": (EDGES, [X, 1.5])}], Counter(a=1), "text"),
        (Data(x=X, edge_index=EDGES), X),
        ({"graph": SimpleNamespace(x=X, parts=[EDGES])}, deque([X])),
        X,
        None,
    ],
)
def test_a_quick_look_at_the_leaves_sees_what_the_whole_one_does(values: Any) -> None:
    whole = [id(leaf) for leaf in flattened(values)[0] if isinstance(leaf, Tensor)]
    assert [id(leaf) for leaf in quick_leaves(values) if isinstance(leaf, Tensor)] == whole


@dataclasses.dataclass
class Graph:
    x: Tensor
    edge_index: Tensor


@dataclasses.dataclass(slots=True)
class SlottedGraph:
    x: Tensor
    edge_index: Tensor


class OwnGraph:
    """A user's own class, whose objects refer to themselves."""

    def __init__(self, x: Tensor, edge_index: Tensor) -> None:
        self.x, self.edge_index, self.me = x, edge_index, [self]


OBJECTS: dict[str, Callable[..., Any]] = {
    "Data": Data,
    "dataclass": Graph,
    "namespace": SimpleNamespace,
    "own class": OwnGraph,
    "slots": SlottedGraph,
}


def two(kind: Callable[..., nn.Module], *given: Any) -> nn.Module:
    """A model of two layers of a kind."""
    return built(lambda: TwoLayers(kind(*given), kind(*given)))


class Written(Sending):
    """Replaces the features in the object that it gets."""

    def forward(self, graph: Any) -> Any:
        graph.x = self.propagate(graph.edge_index, x=self.lin(graph.x))
        return graph


class WrittenByName(Sending):
    """Replaces the features in a dictionary."""

    def forward(self, graph: dict[str, Tensor]) -> dict[str, Tensor]:
        graph["x"] = self.propagate(graph["edge_index"], x=self.lin(graph["x"]))
        return graph


class Grown(Sending):
    """Reads all earlier outputs from a list, and adds its own."""

    def forward(self, outs: list[Tensor], edge_index: Tensor) -> None:
        outs.append(self.propagate(edge_index, x=self.lin(torch.cat(outs, dim=1))))


class InBlock(nn.Module):
    """A PyG layer in a block that replaces the features in an object."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, graph: Any) -> Any:
        graph.x = self.layer(graph.x, graph.edge_index).sigmoid()
        return graph


class Chain(nn.Module):
    """Blocks that pass on one object."""

    def __init__(self, make: Callable[..., Any], *blocks: nn.Module) -> None:
        super().__init__()
        self.make, self.blocks = make, nn.ModuleList(blocks)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        graph = self.make(x=x, edge_index=edge_index)
        for block in self.blocks:
            graph = block(graph)
        return graph["x"] if isinstance(graph, dict) else graph.x


class Dense(nn.Module):
    """Layers that read all earlier outputs from a list, and add their own."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Grown(width=count * C) for count in (1, 2, 3))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        outs = [x]
        for block in self.blocks:
            block(outs, edge_index)
        return torch.cat(outs, dim=1)


GENERATORS: dict[str, tuple[Callable[[], Any], Callable[[Any, int], Any]]] = {
    "torch": (lambda: torch.Generator().manual_seed(1), lambda g, n: torch.rand(n, 1, generator=g)),
    "numpy": (lambda: np.random.default_rng(1), lambda g, n: g.random((n, 1))),
    "numpy's older": (lambda: np.random.RandomState(1), lambda g, n: g.random_sample((n, 1))),
    "python": (lambda: random.Random(1), lambda g, n: [[g.random()] for _ in range(n)]),
}


class Drawing(Sending):
    """Draws masks from its own generator, before and after `propagate` or in the message."""

    def __init__(self, kind: str, inside: bool) -> None:
        super().__init__()
        self.kind, self.inside, self.kept = kind, inside, [GENERATORS[kind][0]()]

    def mask(self, count: int) -> Tensor:
        return torch.as_tensor(GENERATORS[self.kind][1](self.kept[0], count), dtype=torch.float32)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        if self.inside:
            return super().forward(x, edge_index)
        return self.propagate(edge_index, x=self.lin(x * self.mask(len(x)))).tanh() * self.mask(len(x))

    def message(self, x_j: Tensor) -> Tensor:
        return super().message(x_j) * (1 + (self.mask(len(x_j)) * 1e-9 if self.inside else 0))


MODELS: dict[str, Callable[[], nn.Module]] = {
    **{f"layers, {name}": lambda make=make: Chain(make, Written(), Written()) for name, make in OBJECTS.items()},
    "layers, dictionary": lambda: Chain(dict, WrittenByName(), WrittenByName()),
    "layers, list": Dense,
    "blocks of GAT": lambda: Chain(Data, InBlock(pyg.GATConv(C, C)), InBlock(pyg.GATConv(C, C))),
    "blocks of softmax": lambda: Chain(Graph, *(InBlock(pyg.SAGEConv(C, C, aggr="softmax")) for _ in range(2))),
    **{
        f"a generator of {kind}, {'inside' if inside else 'outside'} the message": (
            lambda given=(kind, inside): two(Drawing, *given)
        )
        for kind in GENERATORS
        for inside in (False, True)
    },
}


@each_policy
@pytest.mark.parametrize("name", MODELS)
def test_what_a_layer_writes_into_its_arguments_or_draws_happens_once(name: str, policy: str) -> None:
    assert outcome(built(MODELS[name]), policy, (X, EDGES)) == "exact"


class AfterLinear(nn.Module):
    """A layer reads what the model computed. Not PyG's `Sequential`: two that draw the same random name share code."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.linear, self.layer = nn.Linear(C, C), layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(self.linear(x), EDGES)


class InPlace(Sending):
    """Writes into its features."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x.mul_(1.5).tanh()))


@each_policy
def test_a_layer_that_writes_into_its_features_is_exact_or_refused(policy: str) -> None:
    found = outcome(AfterLinear(built(InPlace)), policy, (X,))
    if policy in ("layers", "layers+edge_blocks(8)", "selective"):
        assert found.startswith("refused late: InPlace writes into an argument in place")
    else:
        assert found == "exact"


@pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers+edge_blocks(8)", "fused_edge_blocks"])
@pytest.mark.parametrize("name", LAYERS)
def test_features_that_nobody_writes_are_not_copied(name: str, policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of a step are those of one that saves the features themselves."""
    found = []
    for _ in range(2):
        model = apply(built(lambda: AfterLinear(LAYERS[name]())), policy)
        step(model, (X,))
        found.append(step_bytes(lambda model=model: model(X).square().sum(), torch.device("cpu")))
        for module in (cut_layer, fused, reentry):
            monkeypatch.setattr(module, "as_given", lambda tensor: tensor)
    assert (found[0].saved, found[0].peak) == (found[1].saved, found[1].peak)
