"""Layers that write into what they are given or keep: each write happens once, and gradients are those of no policy."""

import copy
import dataclasses
import random
import sys
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from small_inputs import EDGES, C, X
from small_layers import Sending, TwoLayers, built
from steps_compared import difference, is_exact_or_refused, outcome, step, under
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.data import Data

from gnn_checkpointing import apply
from gnn_checkpointing.checkpointing.edge_blocks import cut_layers
from gnn_checkpointing.refusal import Refusal

POLICIES = ("auto", "edge_blocks(8)", "fused_edge_blocks", "layers", "layers+edge_blocks(8)", "selective")
each_policy = pytest.mark.parametrize("policy", POLICIES)


@pytest.fixture(autouse=True)
def _always_worth_it(monkeypatch: pytest.MonkeyPatch, compiler: None) -> None:
    monkeypatch.setattr(sys.modules[cut_layers.__module__], "worth", lambda *_: True)


# --- arguments


class Written(Sending):
    """Replaces the features in the object that it is given."""

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
    """A layer of PyG, and a block around it that replaces the features in an object."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, graph: Any) -> Any:
        graph.x = self.layer(graph.x, graph.edge_index).sigmoid()
        return graph


@dataclasses.dataclass
class Graph:
    x: Tensor
    edge_index: Tensor


class Chain(nn.Module):
    """Blocks that hand one object on."""

    def __init__(self, make: Callable[..., Any], *blocks: nn.Module) -> None:
        super().__init__()
        self.make, self.blocks = make, nn.ModuleList(blocks)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        graph = self.make(x=x, edge_index=edge_index)
        for block in self.blocks:
            graph = block(graph)
        return graph["x"] if isinstance(graph, dict) else graph.x


class Dense(nn.Module):
    """Layers that read all earlier outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Grown(width=count * C) for count in (1, 2, 3))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        outs = [x]
        for block in self.blocks:
            block(outs, edge_index)
        return torch.cat(outs, dim=1)


OBJECTS: dict[str, Callable[..., Any]] = {"Data": Data, "dataclass": Graph, "namespace": SimpleNamespace}
MODELS: dict[str, Callable[[], nn.Module]] = {
    **{f"layers, {name}": lambda make=make: Chain(make, Written(), Written()) for name, make in OBJECTS.items()},
    "layers, dictionary": lambda: Chain(dict, WrittenByName(), WrittenByName()),
    "layers, list": Dense,
    "blocks of GAT": lambda: Chain(Data, InBlock(pyg.GATConv(C, C)), InBlock(pyg.GATConv(C, C))),
    "blocks of softmax": lambda: Chain(Graph, *(InBlock(pyg.SAGEConv(C, C, aggr="softmax")) for _ in range(2))),
}


@each_policy
@pytest.mark.parametrize("name", MODELS)
def test_what_a_layer_writes_into_its_arguments_it_writes_once(name: str, policy: str) -> None:
    assert outcome(built(MODELS[name]), policy, (X, EDGES)) == "exact"


# --- generators and attributes

GENERATORS: dict[str, tuple[Callable[[], Any], Callable[[Any, int], Any]]] = {
    "torch": (lambda: torch.Generator().manual_seed(1), lambda g, n: torch.rand(n, 1, generator=g)),
    "numpy": (lambda: np.random.default_rng(1), lambda g, n: g.random((n, 1))),
    "numpy's older": (lambda: np.random.RandomState(1), lambda g, n: g.random_sample((n, 1))),
    "python": (lambda: random.Random(1), lambda g, n: [[g.random()] for _ in range(n)]),
}


class Drawing(Sending):
    """Masks from a generator of its own, before and after `propagate`, or in the message."""

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


@each_policy
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("kind", GENERATORS)
def test_a_generator_of_the_layer_gives_the_same_numbers_twice(kind: str, inside: bool, policy: str) -> None:
    torch.manual_seed(0)
    assert outcome(TwoLayers(Drawing(kind, inside), Drawing(kind, inside)), policy, (X, EDGES)) == "exact"


class Noting(Sending):
    """Writes into a tensor, a list of tensors, a queue and a number, and into a buffer; computes with them."""

    def __init__(self, size: int = 1, inside: bool = False) -> None:
        super().__init__()
        self.total, self.inside = torch.zeros(size), inside
        self.log: dict[str, list[Any]] = {"norms": [], "steps": [0], "sums": [torch.zeros(())]}
        self.last: deque[float] = deque(maxlen=2)
        self.number = 0
        self.register_buffer("mean", torch.zeros(C))

    def note(self, x: Tensor) -> None:
        self.total += x.detach().norm()
        self.log["norms"].append(x.detach().norm().item())
        self.log["steps"][0] += 1
        self.log["sums"][0].add_(x.detach().norm())
        self.last.append(self.log["norms"][-1])
        self.number += 1
        self.mean.lerp_(x.detach().mean(dim=0), 0.1)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.lin(x)
        if not self.inside:
            self.note(x)
        return self.propagate(edge_index, x=x / (1 + self.total[0] + self.log["sums"][0]) + self.log["steps"][0]) * sum(
            self.last, 1.0
        )

    def message(self, x_j: Tensor) -> Tensor:
        if self.inside:
            self.note(x_j)
        return super().message(x_j)


@each_policy
def test_what_a_layer_notes_in_plain_attributes_it_notes_once(policy: str) -> None:
    torch.manual_seed(0)
    plain = TwoLayers(Noting(), Noting())
    wrapped = under(policy, plain)
    for _ in range(3):
        assert difference(step(plain, (X, EDGES)), step(wrapped, (X, EDGES))) == ""
    for one, other in ((plain.first, wrapped.first), (plain.second, wrapped.second)):
        torch.testing.assert_close(one.total, other.total)
        torch.testing.assert_close(one.log["sums"], other.log["sums"])
        assert one.log["steps"] == other.log["steps"] == [one.number] == [other.number] == [3]
        assert other.log["norms"] == pytest.approx(one.log["norms"])
        assert other.last == pytest.approx(one.last)


@each_policy
def test_a_message_that_notes_in_attributes_is_refused_or_runs_whole(policy: str) -> None:
    torch.manual_seed(0)
    assert is_exact_or_refused(outcome(Noting(inside=True), policy, (X, EDGES)))
    if policy == "auto":
        assert outcome(Noting(inside=True), policy, (X, EDGES)) == "exact"


def test_a_large_tensor_that_is_no_buffer_is_refused_where_it_is_written() -> None:
    with pytest.raises(Refusal, match=r"Noting writes into a tensor \[300000\] .*make it a buffer"):
        step(apply(Noting(300_000), "layers"), (X, EDGES))


class Keeping(Sending):
    """Writes into the values of an object that it keeps."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kept = OBJECTS[kind](x=torch.zeros(()), edge_index=[0])

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.lin(x)
        self.kept.x.add_(x.detach().norm())
        self.kept.edge_index = [self.kept.edge_index[0] + 1]
        return self.propagate(edge_index, x=x / (1 + self.kept.x)) * self.kept.edge_index[0]


@each_policy
@pytest.mark.parametrize("kind", OBJECTS)
def test_what_a_layer_notes_in_an_object_it_notes_once(kind: str, policy: str) -> None:
    torch.manual_seed(0)
    assert outcome(TwoLayers(Keeping(kind), Keeping(kind)), policy, (X, EDGES), steps=2) == "exact"


def test_a_tensor_in_a_tuple_is_refused_where_it_is_written() -> None:
    layer = Noting()
    layer.log["sums"] = (*layer.log["sums"], 0)  # type: ignore[assignment]
    with pytest.raises(Refusal, match=r"Noting writes into a tensor \[\] .*make it a buffer"):
        step(apply(layer, "layers"), (X, EDGES))


ELSEWHERE = [1]


class Elsewhere(Sending):
    """Computes by a global list."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=torch.cat([self.lin(x).exp()] * ELSEWHERE[0]))


def test_a_layer_that_computes_something_else_the_second_time_is_an_error() -> None:
    layer = apply(Elsewhere(), "edge_blocks(8)")
    loss = layer(X, EDGES).square().sum()
    ELSEWHERE[0] = 2
    try:
        with pytest.raises(RuntimeError, match=r"Elsewhere computes something else when its forward pass runs again"):
            loss.backward()
    finally:
        ELSEWHERE[0] = 1


def test_a_second_gradient_starts_from_the_same_attributes() -> None:
    """Each repetition has copies of its own: with a graph that is kept there are two."""
    torch.manual_seed(0)
    plain = Noting()
    found = []
    for model in (plain, under("layers", plain)):
        twin = copy.deepcopy(model)
        loss = twin(X, EDGES).square().sum()
        loss.backward(retain_graph=True)
        loss.backward()
        found.append(twin.lin.weight.grad)
    torch.testing.assert_close(*found)
