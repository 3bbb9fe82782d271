"""The trial of a layer: what it detects, and that it leaves no trace."""

from collections.abc import Callable

import pytest
import torch
from situations import trained
from small_inputs import COUNT, EDGES, TYPE, C, X
from small_layers import Sending, built
from steps_compared import difference, step
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
