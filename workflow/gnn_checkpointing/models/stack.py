"""Stacks of graph convolutions for node classification, plain and reversible, without checkpointing of their own."""

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch_geometric.nn import GroupAddRev

from gnn_checkpointing.models.convolutions import build_convolution
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture
from gnn_checkpointing.study.convolutions import Convolution

NUM_GROUPS = 2
"""Groups of channels of a reversible block."""

_ACTIVATIONS = {"relu": nn.ReLU, "elu": nn.ELU}
_NORMS = {"none": nn.Identity, "batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


class Block(nn.Module):
    """Convolution, norm, activation, dropout, in this order, and if requested a residual if the widths agree."""

    def __init__(
        self, convolution: Convolution, before: int, after: int, architecture: Architecture, residual: bool = False
    ) -> None:
        super().__init__()
        self.conv = build_convolution(convolution, before, after, architecture)
        self.norm = _NORMS[architecture.norm](after)
        self.activation = _ACTIVATIONS[architecture.activation]()
        self.dropout = nn.Dropout(architecture.dropout)
        self.residual = residual and before == after

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        """Map `x` `[num_nodes, in_channels]` to `[num_nodes, out_channels]`."""
        weights = () if edge_weight is None else (edge_weight,)
        out: Tensor = self.dropout(self.activation(self.norm(self.conv(x, edge_index, *weights))))
        return out + x if self.residual else out


class Stack(nn.Module):
    """`num_layers` blocks and a linear head that maps the last block's channels to class scores."""

    def __init__(
        self, convolution: Convolution, architecture: Architecture, num_features: int, num_classes: int
    ) -> None:
        super().__init__()
        hidden = architecture.hidden_channels
        self.blocks = nn.ModuleList(
            Block(convolution, before, after, architecture, architecture.residual)
            for before, after in pairwise([num_features] + [hidden] * architecture.num_layers)
        )
        self.head = nn.Linear(hidden, num_classes)

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        """Class scores `[num_nodes, num_classes]` for features `[num_nodes, num_features]`."""
        scores: Tensor = self.head(self.through_blocks(self.blocks, x, edge_index, edge_weight))
        return scores

    def through_blocks(
        self, blocks: Iterable[nn.Module], x: Tensor, edge_index: Tensor, edge_weight: Tensor | None
    ) -> Tensor:
        """Apply `blocks`, one after another, to `x` `[num_nodes, channels]`."""
        for block in blocks:
            x = block(x, edge_index, edge_weight)
        return x


class ReversibleStack(nn.Module):
    """A plain block, reversible blocks (PyG's GroupAddRev) and a linear head.

    The input of a reversible block follows from its output. This is a different model from Stack: two groups of
    channels are each updated from the other, y1 = x1 + f1(x2), y2 = x2 + f2(y1) (Gomez et al., 2017; grouped, for
    graphs: Li et al., 2021). f1 and f2 are blocks with half the channels, and each reads the graph. `residual` is
    ignored: a reversible block adds its input anyway. The memory saving is off until policy `reversible` turns it on;
    results are the same either way.
    """

    def __init__(
        self, convolution: Convolution, architecture: Architecture, num_features: int, num_classes: int
    ) -> None:
        super().__init__()
        channels = architecture.hidden_channels
        half = channels // NUM_GROUPS
        self.first = Block(convolution, num_features, channels, architecture)
        self.blocks = nn.ModuleList(
            GroupAddRev(
                nn.ModuleList(Block(convolution, half, half, architecture) for _ in range(NUM_GROUPS)), disable=True
            )
            for _ in range(architecture.num_layers - 1)
        )
        self.head = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        """Class scores `[num_nodes, num_classes]` for features `[num_nodes, num_features]`."""
        # A copy: a reversible block frees its input, and the first block may have saved its own output.
        x = self.first(x, edge_index, edge_weight).clone()
        for block in self.blocks:
            x = block(x, edge_index, edge_weight)
        scores: Tensor = self.head(x)
        return scores


def build_stack(
    convolution: Convolution, architecture: Architecture, num_features: int, num_classes: int, seed: int
) -> Stack:
    """Build a stack with initial weights that depend on `seed` alone; the global random state does not change."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Stack(convolution, architecture, num_features, num_classes)


def build_reversible_stack(
    convolution: Convolution, architecture: Architecture, num_features: int, num_classes: int, seed: int
) -> ReversibleStack:
    """Build a reversible stack with initial weights that depend on `seed` alone.

    Raises `Refusal` if there is no block to reverse, or if half the channels cannot be divided among the heads.
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
