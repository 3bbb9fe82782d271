"""The trial of a layer and the guards of a recomputation: what they detect, and that they leave no trace."""

from collections.abc import Callable
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from situations import trained
from small_inputs import COUNT, EDGES, TYPE, C, X
from small_layers import Sending, built
from steps_compared import difference, step
from test_given import two
from torch import Tensor, nn
from torch_geometric import nn as pyg

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.refusal import Refusal

POLICIES = ("edge_blocks(4)", "edge_blocks(1000)", "fused_edge_blocks", "layers", "selective", "layers+edge_blocks(4)")


class Writing(Sending):
    """A message that writes into its argument: numbers or types of edges, or numbers shared by all."""

    def forward(self, x: Tensor, edge_index: Tensor, given: Tensor) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x), given=given)

    def message(self, x_j: Tensor, given: Tensor) -> Tensor:
        return x_j * given.add_(1).view(-1, 1 if len(given) == len(x_j) else C)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("given", [torch.ones(COUNT), TYPE, torch.ones(C)], ids=["numbers", "kinds", "of all"])
def test_a_message_that_writes_into_an_argument_is_refused(given: Tensor, policy: str) -> None:
    reason = "in place" if "blocks" in policy else "writes into an argument in place"
    with pytest.raises(Refusal, match=reason):
        apply(built(Writing), policy)(X, EDGES, given.clone())


def test_the_trial_leaves_what_a_layer_keeps_as_it_was() -> None:
    layer = built(Sending)
    layer.register_buffer("kept", torch.arange(5.0))
    layer.numbers = numbers = torch.arange(3.0)
    kept = layer.kept
    trained(apply(layer, "edge_blocks(8)"))
    assert layer.kept is kept
    assert layer.numbers is numbers
    assert kept.tolist() == [0, 1, 2, 3, 4]
    assert numbers.tolist() == [0, 1, 2]


class Kept(Sending):
    """A layer that propagates raw features once, and has an unused weight."""

    def __init__(self) -> None:
        super().__init__()
        self.unused, self.kept = nn.Linear(2, 2), None

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        if self.kept is None:
            self.kept = self.propagate(edge_index, x=x)
        return self.lin(self.kept)


@pytest.mark.parametrize("policy", ["edge_blocks(8)", "fused_edge_blocks", "layers+edge_blocks(8)"])
@pytest.mark.parametrize("kind", [Kept, lambda: pyg.SAGEConv(C, C), lambda: pyg.TAGConv(C, C)])
def test_weights_that_no_message_uses_are_no_part_of_it(kind: Callable[[], nn.Module], policy: str) -> None:
    """A weight without a gradient in plain training has none under a policy, and its hooks are not called."""
    steps, learns = [], []
    for layer in (built(kind), apply(built(kind), policy)):
        for weight in layer.parameters():
            weight.register_hook(lambda gradient: gradient.clamp(-1, 1))
        steps.append([step(layer, (X, EDGES), raw=True) for _ in range(3)])
        learns.append([weight.grad is not None for weight in layer.parameters()])
    assert learns[0] == learns[1]
    assert [difference(*pair) for pair in zip(*steps, strict=True)] == ["", "", ""]


class Always(Sending):
    """A message with dropout in evaluation mode, too."""

    def message(self, x_j: Tensor) -> Tensor:
        return nn.functional.dropout(x_j, 0.5)


def test_a_message_that_draws_in_evaluation_mode_is_refused_for_that() -> None:
    with pytest.raises(Refusal, match="draw random numbers in evaluation mode"):
        apply(built(Always), "edge_blocks(4)")(X, EDGES)


ELSEWHERE = Mock(times=1)


class Elsewhere(Sending):
    """Computes with a global list."""

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
    plain, wrapped = two(Table, False), two(Table, False)
    assert not difference(step(plain, (X, EDGES)), step(apply(wrapped, policy), (X, EDGES)))
    loss = wrapped(X, EDGES).square().sum()
    wrapped.first.table[1] = 3.0
    counting = apply(two(Table, True), policy)
    if policy == "layers":
        with pytest.raises(RuntimeError, match=r"an array \[262144\] that Table reads was changed"):
            loss.backward()
        with pytest.raises(Refusal, match=r"Table writes into an array \[262144\]"):
            counting(X, EDGES)


class Raw(Sending):
    """A layer that sends its features as they are, with a number."""

    def __init__(self) -> None:
        super().__init__()
        self.warm = 0.0

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=x, given=self.warm)


class ByPower(Raw):
    """Messages times the mean of all their squares: with features of zero, it and its gradient are zero, too."""

    def message(self, x_j: Tensor) -> Tensor:
        return x_j * x_j.square().mean(0)


class Gated(Raw):
    """Messages with some of their mean, by the square of a weight that begins at zero."""

    def message(self, x_j: Tensor) -> Tensor:
        return x_j + self.lin.bias.square() * x_j.mean(0)


class Warmed(Raw):
    """Messages without some of their mean, by an attribute that training raises."""

    def message(self, x_j: Tensor) -> Tensor:
        return x_j - self.warm * x_j.mean(0)


def without_mean(layer: Raw, x: Tensor) -> Tensor:
    return x - layer.warm * x.mean(0)


class WarmedByHelper(Raw):
    """The same by a function that gets the layer."""

    def message(self, x_j: Tensor) -> Tensor:
        return without_mean(self, x_j)


class WarmedByArgument(Raw):
    """The same by an argument."""

    def message(self, x_j: Tensor, given: float) -> Tensor:
        return x_j - given * x_j.mean(0)


class Noisy(Raw):
    """Noise in training, as large as messages differ from each other."""

    def message(self, x_j: Tensor) -> Tensor:
        return x_j + torch.randn_like(x_j) * x_j.std(0) if self.training else x_j


class Thinned(Raw):
    """Messages without their mean in training, and with dropout."""

    def message(self, x_j: Tensor) -> Tensor:
        return nn.functional.dropout(x_j - x_j.mean(0)) if self.training else x_j


@pytest.mark.parametrize("policy", ["edge_blocks(4)", "fused_edge_blocks", "layers+edge_blocks(4)"])
@pytest.mark.parametrize("kind", [ByPower, Gated, Warmed, WarmedByHelper, WarmedByArgument, Noisy, Thinned])
def test_a_dependence_that_the_first_numbers_or_draws_hide_is_found(kind: type, policy: str) -> None:
    layer = apply(built(kind), policy)

    def two_steps() -> None:
        for x, warm in ((0 * X, 0.0), (X, 0.5)):
            layer.warm = warm
            nn.init.constant_(layer.lin.bias, warm)
            layer(x, EDGES)

    with pytest.raises(Refusal, match=f"{kind.__name__}: its messages depend on each other"):
        two_steps()
