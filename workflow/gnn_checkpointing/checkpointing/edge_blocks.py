"""Policy `edge_blocks`: per-edge work is done and recomputed block by block, so its memory does not grow with density.

Edges are sorted by destination and cut into blocks that hold all edges of their destination nodes; a softmax over a
node's neighbours therefore stays exact. A layer keeps its input; all else is computed again in the backward pass, by
PyTorch's own operators, one block after the other.

Analytic floor of the activation peak, for L layers of F channels on N nodes and blocks of B edges: L N F 4 bytes, each
layer's input, and one block. For GATv2 a block is six tensors of B F 4 bytes: three that autograd keeps (x_j, the sum
of both ends, its leaky ReLU) and three gradients that are alive at once while they are differentiated.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.adapters import generic
from gnn_checkpointing.checkpointing.block_by_block import EdgeInputs
from gnn_checkpointing.checkpointing.blocked_layers import Layer, adapter_of, block_layer, block_model, checked_size
from gnn_checkpointing.checkpointing.drawn_blocks import block_drawn_layer, drawn_layers
from gnn_checkpointing.study import block_rule

EDGES_PER_NODE = block_rule.EDGES_PER_NODE["edge_blocks"]


def edge_blocks(conv: Layer, edges_per_block: int | None = None) -> Layer:
    """Make one PyG layer compute by edge blocks, in place, and return it.

    The layer is called as before, `conv(x, edge_index)` or `conv(x, edge_index, edge_weight)`, with `x`
    `[num_nodes, channels]`. Raises `Refusal` where blocks would change what the layer computes.
    """
    return block_layer(conv, EagerWork, edges_per_block, EDGES_PER_NODE, "edge_blocks")


def block_all_layers(model: nn.Module, edges_per_block: int | None = None) -> None:
    """Make every message passing layer of `model` compute by edge blocks, and every layer that draws its own graph."""
    size = checked_size(edges_per_block)
    drawn = drawn_layers(model)
    for layer in drawn:
        block_drawn_layer(layer, size, EDGES_PER_NODE)
    if not drawn or any(isinstance(module, MessagePassing) for module in model.modules()):
        block_model(model, EagerWork, size, EDGES_PER_NODE, "edge_blocks")


class EagerWork:
    """A layer's stages run by PyTorch's own operators and differentiated by autograd."""

    def __init__(self, conv: nn.Module) -> None:
        self.conv = conv
        # A layer that is not known here might draw; the known ones do not.
        self.draws = adapter_of(conv) is generic

    def inputs(self, x: Tensor, weight: Tensor | None) -> EdgeInputs:
        """Return what the blocks read."""
        return adapter_of(self.conv).edge_inputs(self.conv, x, weight)

    def forward(
        self, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return a block's aggregates; nothing else is kept."""
        return adapter_of(self.conv).edge_stage(self.conv, inputs, source, destination, num_nodes), ()

    def gradients(
        self,
        inputs: EdgeInputs,
        source: Tensor,
        destination: Tensor,
        num_nodes: int,
        kept: tuple[Tensor, ...],  # noqa: ARG002 - one signature for all works
        gradient: Tensor,
        wanted: tuple[bool, ...],
    ) -> tuple[Tensor | None, ...]:
        """Return the gradients of a block's inputs, by a second forward pass that is recorded."""
        last = len(inputs.tensors()) - len(inputs.parameters)
        read = inputs.like(
            tuple(
                tensor.detach().requires_grad_(wants) if position < last else tensor
                for position, (tensor, wants) in enumerate(zip(inputs.tensors(), wanted, strict=True))
            )
        )
        with torch.enable_grad():
            out = adapter_of(self.conv).edge_stage(self.conv, read, source, destination, num_nodes)
        asked = [tensor for tensor, wants in zip(read.tensors(), wanted, strict=True) if wants]
        found = iter(torch.autograd.grad(out, asked, gradient, allow_unused=True))
        return tuple(next(found) if wants else None for wants in wanted)
