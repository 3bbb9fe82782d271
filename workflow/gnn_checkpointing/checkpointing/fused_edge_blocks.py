"""Policy `fused_edge_blocks`: attention layers by blocks with a written-out gradient, both passes generated kernels.

As FlashAttention does for dense attention, the forward pass keeps one number per node and head, the logarithm of the
softmax's denominator (its maximum and its sum in one), and no per-edge value; the backward pass finds each edge's
share again from it, without a second maximum and sum.

Analytic floor of the activation peak, for L layers of F channels and H heads on N nodes and blocks of B edges:
L N (F + H) 4 bytes, each layer's input and its denominators, and one block, of which scores and shares, B H 4 bytes
each, and the destinations, B 8 bytes, are stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor, nn
from torch_geometric.nn import GATConv, GATv2Conv

from gnn_checkpointing.checkpointing.attention import gat, gatv2
from gnn_checkpointing.checkpointing.block_by_block import BlockWork, EdgeInputs
from gnn_checkpointing.checkpointing.block_kernels import BlockKernel, rows, too_small
from gnn_checkpointing.checkpointing.blocked_layers import Layer, adapter_of, block_layer, block_model
from gnn_checkpointing.checkpointing.compilation import device_type, require_compiler
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study import block_rule

EDGES_PER_NODE = block_rule.EDGES_PER_NODE["fused_edge_blocks"]

_POLICY = "fused_edge_blocks"


class Attention(Protocol):
    """One attention layer's edge stage and its gradient, written out."""

    def forward(
        self, inputs: EdgeInputs, slope: float, source: Tensor, destination: Tensor, num_nodes: int
    ) -> tuple[Tensor, Tensor]:
        """Return attended neighbours `[block nodes, heads, channels]`, log denominators `[block nodes, heads]`."""

    def gradients(
        self,
        inputs: EdgeInputs,
        slope: float,
        source: Tensor,
        destination: Tensor,
        log_denominators: Tensor,
        gradient: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return the gradients of `inputs.tensors()`, in their order."""


_ATTENTION: dict[type, Attention] = {GATConv: gat, GATv2Conv: gatv2}


def fused_edge_blocks(conv: Layer, edges_per_block: int | None = None) -> Layer:
    """Make one GATConv or GATv2Conv compute by fused edge blocks, in place, and return it; called as before."""
    require_compiler(device_type(conv), _POLICY)
    return block_layer(conv, _worker(), edges_per_block, EDGES_PER_NODE, _POLICY)


def fuse_all_blocks(model: nn.Module, edges_per_block: int | None = None) -> None:
    """Make every message passing layer of `model`, all of which must attend, compute by fused edge blocks."""
    require_compiler(device_type(model), _POLICY)
    block_model(model, _worker(), edges_per_block, EDGES_PER_NODE, _POLICY)


class FusedWork:
    """An attention layer's edge stage and gradient as generated kernels."""

    def __init__(self, conv: nn.Module, attention: Attention, forward: BlockKernel, gradients: BlockKernel) -> None:
        self.conv, self.draws = conv, False
        self._attention, self._forward, self._gradients = attention, forward, gradients

    def inputs(self, x: Tensor, weight: Tensor | None) -> EdgeInputs:
        """Return what the blocks read."""
        return adapter_of(self.conv).edge_inputs(self.conv, x, weight)

    def forward(
        self, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return a block's aggregates, and the log denominators to keep."""
        if too_small(source.numel(), num_nodes):
            out, kept = self._attention.forward(inputs, self._slope(), source, destination, num_nodes)
        else:
            varying = (source, destination, rows(num_nodes, source), *inputs.destinations)
            out, kept = self._forward(varying, inputs.sources, inputs.parameters, self._slope())
        return out, (kept,)

    def gradients(
        self,
        inputs: EdgeInputs,
        source: Tensor,
        destination: Tensor,
        num_nodes: int,
        kept: tuple[Tensor, ...],
        gradient: Tensor,
        wanted: tuple[bool, ...],
    ) -> tuple[Tensor | None, ...]:
        """Return the gradients of a block's inputs; all are computed, since they share their work."""
        if too_small(source.numel(), num_nodes):
            found = self._attention.gradients(inputs, self._slope(), source, destination, kept[0], gradient)
        else:
            varying = (source, destination, *kept, gradient, *inputs.destinations)
            found = self._gradients(varying, inputs.sources, inputs.parameters, self._slope())
        return tuple(part if wants else None for part, wants in zip(found, wanted, strict=True))

    def _slope(self) -> float:
        return float(self.conv.negative_slope)  # type: ignore[arg-type] # PyG is not typed


def _worker() -> Callable[[nn.Module], BlockWork]:
    """Return a maker of works; layers of one kind and shape share their kernels."""
    kernels = {
        kind: (BlockKernel(_forward_of(attention)), BlockKernel(_gradients_of(attention)))
        for kind, attention in _ATTENTION.items()
    }

    def work(conv: nn.Module) -> BlockWork:
        if type(conv) not in kernels:
            names = " and ".join(kind.__name__ for kind in kernels)
            raise Refusal(f"{_POLICY} cannot wrap {type(conv).__name__}: only {names} attend; use compiled_edge_blocks")
        return FusedWork(conv, _ATTENTION[type(conv)], *kernels[type(conv)])

    return work


def _forward_of(attention: Attention) -> Callable[..., Any]:
    def forward(
        varying: tuple[Tensor, ...], sources: tuple[Tensor, ...], parameters: tuple[Tensor, ...], slope: float
    ) -> Any:
        source, destination, block_rows, *destinations = varying
        inputs = EdgeInputs(sources, tuple(destinations), (), parameters)
        return attention.forward(inputs, slope, source, destination, block_rows.size(0))

    return forward


def _gradients_of(attention: Attention) -> Callable[..., Any]:
    def gradients(
        varying: tuple[Tensor, ...], sources: tuple[Tensor, ...], parameters: tuple[Tensor, ...], slope: float
    ) -> Any:
        source, destination, log_denominators, gradient, *destinations = varying
        inputs = EdgeInputs(sources, tuple(destinations), (), parameters)
        return attention.gradients(inputs, slope, source, destination, log_denominators, gradient)

    return gradients
