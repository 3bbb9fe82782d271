"""Policy `layers+edge_blocks`: edge blocks inside recomputed layers; one layer's node maps and one block at a time."""

from __future__ import annotations

from torch import nn

from gnn_checkpointing.checkpointing.edge_blocks import block_all_layers
from gnn_checkpointing.checkpointing.layers import checkpoint_layers


def checkpoint_layers_of_blocks(model: nn.Module, edges_per_block: int | None) -> None:
    """Make every layer compute by edge blocks, and recompute each layer whole; the edges' work is done three times."""
    block_all_layers(model, edges_per_block)
    checkpoint_layers(model)
