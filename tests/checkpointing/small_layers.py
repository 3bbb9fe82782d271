"""Layers of a user's own, and small stacks of layers, that several tests put policies on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from small_inputs import CHANNELS, EDGES, OUT, X
from steps_compared import step
from torch import Tensor, nn
from torch_geometric import nn as pyg

CALLS: list[int] = []
"""Of `Counted`'s message. Not in the layer: blocks refuse a message that changes an attribute of its layer."""


class Own(pyg.MessagePassing):
    """A user's layer whose message is a given function of `x_j` and the mode."""

    def __init__(self, message: Callable[[Tensor, bool], Tensor], out: int = OUT) -> None:
        super().__init__(aggr="sum")
        self.given, self.lin = message, nn.Linear(CHANNELS, out)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x))

    def message(self, x_j: Tensor) -> Tensor:
        return self.given(x_j, self.training)


class Counted(pyg.MessagePassing):
    """A layer that counts the calls of its message; no `Own`, for PyG explains no class of a class that was built."""

    def __init__(self, out: int = CHANNELS) -> None:
        super().__init__(aggr="sum")
        self.lin = nn.Linear(CHANNELS, out)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.propagate(edge_index, x=self.lin(x))

    def message(self, x_j: Tensor) -> Tensor:
        CALLS.append(1)
        return x_j.tanh()


class Centered(Own):
    """A layer that no policy of blocks can cut: its message takes the mean over all edges away."""

    def __init__(self) -> None:
        super().__init__(lambda x_j, _: x_j - x_j.mean(dim=0), CHANNELS)


def calls_in_a_step(layer: nn.Module) -> int:
    """Calls of `message` in the second of two steps: 1 plain, more under a policy that recomputes."""
    step(layer, (X, EDGES))
    CALLS.clear()
    step(layer, (X, EDGES))
    return len(CALLS)


class TwoLayers(nn.Module):
    """Two layers with a ReLU between them, as in PyG's first examples."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.second(self.first(x, edge_index).relu(), edge_index)


class Block(nn.Module):
    """A layer and what follows it."""

    def __init__(self, layer: nn.Module, dropout: float) -> None:
        super().__init__()
        self.layer, self.drop = layer, nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.drop(self.layer(x, edge_index)).tanh()


class TwoBlocks(nn.Module):
    """Two blocks, each recomputed as a whole by `layers`."""

    def __init__(self, layer: Callable[[], nn.Module], dropout: float = 0.0) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(layer(), dropout) for _ in range(2))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, edge_index)
        return x


def close(found: list[Tensor | None], expected: list[Tensor | None]) -> None:
    """Gradients of one model are alike, measured on the largest of them."""
    largest = max(value.abs().max().item() for value in expected if value is not None)
    for value, wanted in zip(found, expected, strict=True):
        assert (value is None) == (wanted is None)
        if value is not None:
            torch.testing.assert_close(value, wanted, rtol=1e-4, atol=1e-5 * largest)


def gradients(model: nn.Module) -> list[Tensor | None]:
    return [weight.grad for weight in model.parameters()]
