"""A plain stack of graph convolutions for node classification; it does not know that it is checkpointed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn

from gnn_checkpointing.models.convolutions import build_convolution
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import Convolution

_ACTIVATIONS = {"relu": nn.ReLU, "elu": nn.ELU}
_NORMS = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


class Block(nn.Module):
    """Convolution, norm, activation, dropout and residual, in this order."""

    def __init__(self, conv: nn.Module, out_channels: int, architecture: Architecture, residual: bool) -> None:
        super().__init__()
        self.conv = conv
        self.norm = nn.Identity() if architecture.norm == "none" else _NORMS[architecture.norm](out_channels)
        self.activation = _ACTIVATIONS[architecture.activation]()
        self.dropout = nn.Dropout(architecture.dropout)
        self.residual = residual

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        """Map `x` `[num_nodes, in_channels]` to `[num_nodes, out_channels]`."""
        weights = () if edge_weight is None else (edge_weight,)
        out: Tensor = self.dropout(self.activation(self.norm(self.conv(x, edge_index, *weights))))
        return out + x if self.residual else out


class Stack(nn.Module):
    """`num_layers` blocks and a linear head that turns the last block's channels into class scores."""

    def __init__(
        self, convolution: Convolution, architecture: Architecture, num_features: int, num_classes: int
    ) -> None:
        super().__init__()
        hidden = architecture.hidden_channels
        widths = [num_features] + [hidden] * architecture.num_layers
        self.blocks = nn.ModuleList(
            Block(
                build_convolution(convolution, before, after, architecture),
                after,
                architecture,
                residual=architecture.residual and before == after,
            )
            for before, after in pairwise(widths)
        )
        self.head = nn.Linear(hidden, num_classes)

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        """Return class scores `[num_nodes, num_classes]` for features `[num_nodes, num_features]`."""
        scores: Tensor = self.head(self.through_blocks(self.blocks, x, edge_index, edge_weight))
        return scores

    def through_blocks(
        self, blocks: Iterable[nn.Module], x: Tensor, edge_index: Tensor, edge_weight: Tensor | None
    ) -> Tensor:
        """Return what `blocks`, one after another, make of `x` `[num_nodes, channels]`."""
        for block in blocks:
            x = block(x, edge_index, edge_weight)
        return x


def build_stack(
    convolution: Convolution, architecture: Architecture, num_features: int, num_classes: int, seed: int
) -> Stack:
    """Return a stack whose initial weights depend on `seed` alone; the global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Stack(convolution, architecture, num_features, num_classes)
