"""A stack of PyG's reversible blocks (GroupAddRev), whose inputs follow from their outputs: another model than Stack.

Two groups of channels, each updated from the other: y1 = x1 + f1(x2), y2 = x2 + f2(y1) (Gomez et al., 2017; grouped,
for graphs: Li et al., 2021). f1 and f2 are blocks of half the channels, each with the graph for itself.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.nn import GroupAddRev

from gnn_checkpointing.models.convolutions import build_convolution
from gnn_checkpointing.models.stack import Block
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import Convolution

NUM_GROUPS = 2


class ReversibleStack(nn.Module):
    """A plain block from features to channels, reversible blocks from channels to channels, and a linear head.

    `residual` is left out: a reversible block adds its input anyway. The memory saving is off until policy
    `reversible` turns it on; what is computed is the same.
    """

    def __init__(
        self, convolution: Convolution, architecture: Architecture, num_features: int, num_classes: int
    ) -> None:
        super().__init__()
        channels = architecture.hidden_channels
        self.first = Block(
            build_convolution(convolution, num_features, channels, architecture), channels, architecture, residual=False
        )
        self.blocks = nn.ModuleList(
            GroupAddRev(
                nn.ModuleList(_half(convolution, architecture, channels // NUM_GROUPS) for _ in range(NUM_GROUPS)),
                disable=True,
            )
            for _ in range(architecture.num_layers - 1)
        )
        self.head = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        """Return class scores `[num_nodes, num_classes]` for features `[num_nodes, num_features]`."""
        # A copy: a reversible block frees what it is given, and the first block may have saved its own output.
        x = self.first(x, edge_index, edge_weight).clone()
        for block in self.blocks:
            x = block(x, edge_index, edge_weight)
        scores: Tensor = self.head(x)
        return scores


def build_reversible_stack(
    convolution: Convolution, architecture: Architecture, num_features: int, num_classes: int, seed: int
) -> ReversibleStack:
    """Return a reversible stack whose initial weights depend on `seed` alone.

    Raises `Refusal` where there is no block to reverse or the channels cannot be halved.
    """
    half, odd = divmod(architecture.hidden_channels, NUM_GROUPS)
    if odd or half % architecture.heads:
        raise Refusal(
            f"policy reversible: hidden_channels {architecture.hidden_channels} is not a multiple of {NUM_GROUPS} "
            f"groups x {architecture.heads} heads"
        )
    if architecture.num_layers == 1:
        raise Refusal("policy reversible: num_layers 1 leaves no block whose input and output widths agree")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ReversibleStack(convolution, architecture, num_features, num_classes)


def _half(convolution: Convolution, architecture: Architecture, channels: int) -> Block:
    conv = build_convolution(convolution, channels, channels, architecture)
    return Block(conv, channels, architecture, residual=False)
