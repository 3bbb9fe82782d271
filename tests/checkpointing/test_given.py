"""Layers that change their arguments or state: each change happens once, and gradients are as without a policy."""

import copy
import dataclasses
import itertools
import logging
import random
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from small_inputs import EDGES, C, X
from small_layers import Sending, TwoLayers, built, gradients
from steps_compared import alike, difference, is_exact_or_refused, outcome, step, under
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.data import Data

from gnn_checkpointing import apply
from gnn_checkpointing.checkpointing.edge_blocks import cut_layers
from gnn_checkpointing.checkpointing.given import flattened, quick_leaves
from gnn_checkpointing.refusal import Refusal

POLICIES = ("auto", "edge_blocks(8)", "fused_edge_blocks", "layers", "layers+edge_blocks(8)", "selective")
each_policy = pytest.mark.parametrize("policy", POLICIES)


@pytest.fixture(autouse=True)
def _always_worth_it(monkeypatch: pytest.MonkeyPatch, compiler: None) -> None:
    monkeypatch.setattr(sys.modules[cut_layers.__module__], "worth", lambda *_: True)


# --- arguments


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


@dataclasses.dataclass
class Graph:
    x: Tensor
    edge_index: Tensor


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
    """Layers that read all earlier outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Grown(width=count * C) for count in (1, 2, 3))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        outs = [x]
        for block in self.blocks:
            block(outs, edge_index)
        return torch.cat(outs, dim=1)


class OwnGraph:
    """A user's own class, whose objects refer to themselves."""

    def __init__(self, x: Tensor, edge_index: Tensor) -> None:
        self.x, self.edge_index, self.me = x, edge_index, [self]


@dataclasses.dataclass(slots=True)
class SlottedGraph:
    x: Tensor
    edge_index: Tensor


OBJECTS: dict[str, Callable[..., Any]] = {
    "Data": Data,
    "dataclass": Graph,
    "namespace": SimpleNamespace,
    "own class": OwnGraph,
    "slots": SlottedGraph,
}
MODELS: dict[str, Callable[[], nn.Module]] = {
    **{f"layers, {name}": lambda make=make: Chain(make, Written(), Written()) for name, make in OBJECTS.items()},
    "layers, dictionary": lambda: Chain(dict, WrittenByName(), WrittenByName()),
    "layers, list": Dense,
    "blocks of GAT": lambda: Chain(Data, InBlock(pyg.GATConv(C, C)), InBlock(pyg.GATConv(C, C))),
    "blocks of softmax": lambda: Chain(Graph, *(InBlock(pyg.SAGEConv(C, C, aggr="softmax")) for _ in range(2))),
}


# --- generators and attributes

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


MODELS |= {
    f"a generator of {kind}, {'inside' if inside else 'outside'} the message": (
        lambda given=(kind, inside): TwoLayers(Drawing(*given), Drawing(*given))
    )
    for kind in GENERATORS
    for inside in (False, True)
}


@each_policy
@pytest.mark.parametrize("name", MODELS)
def test_what_a_layer_writes_into_its_arguments_or_draws_happens_once(name: str, policy: str) -> None:
    assert outcome(built(MODELS[name]), policy, (X, EDGES)) == "exact"


class Steps:
    """Counts in attributes of the object and of its class, and holds objects that must never be copied or changed."""

    total: ClassVar[list[int]] = []

    def __init__(self) -> None:
        self.count, self.lock, self.logger = 0, threading.Lock(), logging.getLogger("steps")

    def add(self) -> int:
        with self.lock:
            self.count += 1
            self.total.append(self.count)
        return self.count + len(self.total)


def counting() -> Callable[[], int]:
    """A function that counts its calls."""
    count = 0

    def call() -> int:
        nonlocal count
        count += 1
        return count

    return call


def noted(kept: Any, x: Tensor) -> Tensor:
    """Change the values of an object in place, and compute with them."""
    kept.x.add_(x.detach().norm())
    kept.edge_index = [kept.edge_index[0] + 1]
    return kept.edge_index[0] / (1 + kept.x)


def counted(kind: Any) -> int:
    """Count in an attribute of the class, shared by all its objects."""
    kind.count += 1
    return kind.count


def statistics_of(module: nn.BatchNorm1d) -> list[Tensor | None]:
    return [module.running_mean, module.num_batches_tracked]


KEPT: dict[str, tuple[Callable[[], Any], Callable[[Any, Tensor], Any], Callable[[Any], Any]]] = {
    "an own class": (Steps, lambda kept, _: kept.add(), lambda kept: kept.add()),
    "a class": (
        lambda: type("Settings", (), {"count": 0, "__module__": __name__}),
        lambda kept, _: counted(kept),
        lambda kept: kept.count,
    ),
    "its own class": (lambda: setattr(Keeper, "count", 0), lambda *_: counted(Keeper), lambda _: Keeper.count),
    "a method": (lambda: Steps().add, lambda kept, _: kept(), lambda kept: kept()),
    "a closure": (counting, lambda kept, _: kept(), lambda kept: kept()),
    "an array": (lambda: np.zeros(1), lambda kept, _: float(kept.__iadd__(1)[0]), lambda kept: float(kept[0])),
    "a counter": (lambda: itertools.count(2, 3), lambda kept, _: next(kept), repr),
    "bytes": (lambda: bytearray(1), lambda kept, _: kept.extend(b"1") or len(kept), len),
    "a Counter": (Counter, lambda kept, _: kept.update("a") or kept["a"], lambda kept: kept["a"]),
    "a module that is no part": (
        lambda: (nn.BatchNorm1d(C),),
        lambda kept, x: kept[0](x).tanh() + 1,
        lambda kept: statistics_of(kept[0]),
    ),
    **{
        f"an object, {kind}": (
            lambda make=make: make(x=torch.zeros(()), edge_index=[0]),
            noted,
            lambda kept: (kept.x, kept.edge_index),
        )
        for kind, make in OBJECTS.items()
    },
}
"""Objects that a layer may keep: how to make one, how a forward pass changes and uses it, and its state."""


class Keeper(Sending):
    """A layer, or its message, that changes an object that it keeps and computes with it."""

    count: ClassVar[int] = 0

    def __init__(self, kind: str, inside: bool = False) -> None:
        super().__init__()
        (make, self.use, _), self.inside = KEPT[kind], inside
        self.kept = {"here": [make()]}

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.lin(x)
        return self.propagate(edge_index, x=x if self.inside else x * self.use(self.kept["here"][0], x))

    def message(self, x_j: Tensor) -> Tensor:
        return super().message(x_j * self.use(self.kept["here"][0], x_j) if self.inside else x_j)


@each_policy
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("kind", KEPT)
def test_what_a_layer_keeps_of_any_sort_changes_once(kind: str, inside: bool, policy: str) -> None:
    """Inside a message the change would happen once per block, which is refused."""
    found = []
    for name in ("none", policy):
        Steps.total.clear()
        model = built(lambda: TwoLayers(Keeper(kind, inside), Keeper(kind, inside)))
        try:
            wrapped = apply(model, name)
            steps = [step(wrapped, (X, EDGES)) for _ in range(3)]
        except Refusal:
            assert inside and policy != "auto"
            return
        found.append((steps, [KEPT[kind][2](layer.kept["here"][0]) for layer in (model.first, model.second)]))
    assert not any(map(difference, *(steps for steps, _ in found)))
    alike(found[1][1], found[0][1], 1.0)


class Reading(Sending):
    """Computes with an object that it keeps, without changing it."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers, self.steps, self.array = {"a": 2.0}, Steps(), np.full(1, 2.0)
        self.tensor = torch.tensor(2.0)
        self.register_buffer("scale", torch.tensor(2.0))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        factor = self.numbers["a"] * (1 + self.steps.count) * float(self.array[0])
        return self.propagate(edge_index, x=self.lin(x) * factor * self.tensor.item() * self.scale.item())


CHANGES: dict[str, Callable[[Reading], Any]] = {
    "dictionary": lambda layer: layer.numbers.update(a=3.0),
    "object": lambda layer: layer.steps.add(),
    "array": lambda layer: layer.array.fill(3.0),
    "tensor": lambda layer: layer.tensor.add_(1),
    "buffer": lambda layer: layer.scale.add_(1),
}


@each_policy
@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_between_the_passes_is_as_it_was_in_the_backward_pass(what: str, policy: str) -> None:
    found = []
    for name in ("none", policy):
        model = apply(built(lambda: TwoLayers(Reading(), Reading())), name)
        loss = model(X, EDGES).square().sum()
        CHANGES[what](model.first)
        loss.backward()
        found.append((gradients(model), model.first.numbers["a"], model.first.steps.count, model.first.scale.item()))
    alike(found[1], found[0], 1.0)


class InPlace(Sending):
    """Writes into its features."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x.mul_(1.5).tanh()))


class AfterLinear(nn.Module):
    """A layer reads what the model computed. Not PyG's `Sequential`: two that draw the same random name share code."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.linear, self.layer = nn.Linear(C, C), layer

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.layer(self.linear(x), EDGES)
        return found


@each_policy
def test_a_layer_that_writes_into_its_features_is_exact_or_refused(policy: str) -> None:
    found = outcome(AfterLinear(built(InPlace)), policy, (X,))
    if policy in ("layers", "layers+edge_blocks(8)", "selective"):
        assert found.startswith("refused late: InPlace writes into an argument in place")
    else:
        assert found == "exact"


class Noting(Sending):
    """Changes a tensor, a list of tensors, a queue, a number and a buffer, and computes with them."""

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


@pytest.mark.parametrize(("size", "sums", "shape"), [(300_000, list, "300000"), (1, tuple, "")])
def test_a_large_tensor_or_one_in_a_tuple_is_refused_where_it_is_written(size: int, sums: type, shape: str) -> None:
    layer = Noting(size)
    layer.log["sums"] = sums(layer.log["sums"])
    with pytest.raises(Refusal, match=rf"Noting writes into a tensor \[{shape}\] .*make it a buffer"):
        step(apply(layer, "layers"), (X, EDGES))


ELSEWHERE = Mock(times=1)


class Elsewhere(Sending):
    """Computes with a global that policies do not know."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=torch.cat([self.lin(x).exp()] * ELSEWHERE.times))


def test_a_layer_that_computes_something_else_the_second_time_is_an_error() -> None:
    layer = apply(Elsewhere(), "edge_blocks(8)")
    loss = layer(X, EDGES).square().sum()
    ELSEWHERE.times = 2
    try:
        with pytest.raises(RuntimeError, match=r"Elsewhere computes something else when its forward pass runs again"):
            loss.backward()
    finally:
        ELSEWHERE.times = 1


def test_a_second_gradient_starts_from_the_same_attributes() -> None:
    """Each recomputation has its own copies; with `retain_graph` there are two."""
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


class Table(Sending):
    """Reads an array of two megabytes, and may increment numbers in it."""

    def __init__(self, counts: bool) -> None:
        super().__init__()
        self.table, self.counts = np.ones(2**18), counts

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        self.table[0] += self.counts
        return self.propagate(edge_index, x=self.lin(x) * float(self.table[0]))


@pytest.mark.parametrize("policy", ["layers", "edge_blocks(8)"])
def test_a_large_array_is_read_without_a_copy_and_not_written(policy: str) -> None:
    plain, wrapped = (built(lambda: TwoLayers(Table(False), Table(False))) for _ in range(2))
    assert not difference(step(plain, (X, EDGES)), step(apply(wrapped, policy), (X, EDGES)))
    loss = wrapped(X, EDGES).square().sum()
    wrapped.first.table[1] = 3.0
    if policy == "layers":
        with pytest.raises(RuntimeError, match=r"an array \[262144\] that Table reads was changed"):
            loss.backward()
    counting = apply(built(lambda: TwoLayers(Table(True), Table(True))), policy)
    if policy == "layers":
        with pytest.raises(Refusal, match=r"Table writes into an array \[262144\]"):
            counting(X, EDGES)
