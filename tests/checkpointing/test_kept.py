"""Layers that change, read or note what they keep: each change happens once, and gradients are as without a policy."""

import copy
import itertools
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from small_inputs import EDGES, C, X
from small_layers import Sending, TwoLayers, gradients
from steps_compared import alike, difference, is_exact_or_refused, outcome, step, under
from test_given import OBJECTS, each_policy, two
from torch import Tensor, nn

from gnn_checkpointing import apply
from gnn_checkpointing.refusal import Refusal

pytestmark = pytest.mark.usefixtures("always_worth_it", "compiler")


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


def counting_calls() -> Callable[[], int]:
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


TOTAL = 0


class Totals:
    """Counts in a global."""

    def add(self) -> int:
        global TOTAL
        TOTAL += 1
        return TOTAL


KEPT: dict[str, tuple[Callable[[], Any], Callable[[Any, Tensor], Any], Callable[[Any], Any]]] = {
    "an own class": (Steps, lambda kept, _: kept.add(), lambda kept: kept.add()),
    "a class": (
        lambda: type("Settings", (), {"count": 0, "__module__": __name__}),
        lambda kept, _: counted(kept),
        lambda kept: kept.count,
    ),
    "its own class": (lambda: setattr(Keeper, "count", 0), lambda *_: counted(Keeper), lambda _: Keeper.count),
    "a global of an object": (
        lambda: globals().update(TOTAL=0) or Totals(),
        lambda kept, _: kept.add(),
        lambda _: TOTAL,
    ),
    "a method": (lambda: Steps().add, lambda kept, _: kept(), lambda kept: kept()),
    "a closure": (counting_calls, lambda kept, _: kept(), lambda kept: kept()),
    "an array": (lambda: np.zeros(1), lambda kept, _: float(kept.__iadd__(1)[0]), lambda kept: float(kept[0])),
    "a counter": (lambda: itertools.count(2, 3), lambda kept, _: next(kept), repr),
    "bytes": (lambda: bytearray(1), lambda kept, _: kept.extend(b"1") or len(kept), len),
    "a Counter": (Counter, lambda kept, _: kept.update("a") or kept["a"], lambda kept: kept["a"]),
    "a module that is no part": (
        lambda: (nn.BatchNorm1d(C),),
        lambda kept, x: kept[0](x).tanh() + 1,
        lambda kept: [kept[0].running_mean, kept[0].num_batches_tracked],
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
        model = two(Keeper, kind, inside)
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
    """Computes with objects that it keeps, without changing them."""

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
        model = apply(two(Reading), name)
        loss = model(X, EDGES).square().sum()
        CHANGES[what](model.first)
        loss.backward()
        found.append((gradients(model), model.first.numbers["a"], model.first.steps.count, model.first.scale.item()))
    alike(found[1], found[0], 1.0)


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
        x = x / (1 + self.total[0] + self.log["sums"][0]) + self.log["steps"][0]
        return self.propagate(edge_index, x=x) * sum(self.last, 1.0)

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
    found = outcome(Noting(inside=True), policy, (X, EDGES))
    assert found == "exact" or (policy != "auto" and is_exact_or_refused(found))


@pytest.mark.parametrize(("size", "sums", "shape"), [(300_000, list, "300000"), (1, tuple, "")])
def test_a_large_tensor_or_one_in_a_tuple_is_refused_where_it_is_written(size: int, sums: type, shape: str) -> None:
    layer = Noting(size)
    layer.log["sums"] = sums(layer.log["sums"])
    with pytest.raises(Refusal, match=rf"Noting writes into a tensor \[{shape}\] .*make it a buffer"):
        step(apply(layer, "layers"), (X, EDGES))


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
