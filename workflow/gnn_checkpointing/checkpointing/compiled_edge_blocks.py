"""Policy `compiled_edge_blocks`: edge blocks whose forward pass and gradient are generated kernels, for any layer.

A block's recomputation and its differentiation are traced as one function (`torch.func.vjp` of the stage), so that
the compiler keeps few of the per-edge tensors, and none across the two passes.

Analytic floor of the activation peak, for L layers of F channels on N nodes and blocks of B edges: L N F 4 bytes, each
layer's input, and one block, of which what several later values read is stored: for attention of H heads scores and
shares, B H 4 bytes each, and the destinations, B 8 bytes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gnn_checkpointing.checkpointing.block_by_block import BlockWork, EdgeInputs
from gnn_checkpointing.checkpointing.block_kernels import BlockKernel, rows, too_small
from gnn_checkpointing.checkpointing.blocked_layers import Layer, adapter_of, block_layer, block_model
from gnn_checkpointing.checkpointing.compilation import device_type, require_compiler
from gnn_checkpointing.checkpointing.edge_blocks import EagerWork
from gnn_checkpointing.study import block_rule

EDGES_PER_NODE = block_rule.EDGES_PER_NODE["compiled_edge_blocks"]
"""Four times the eager policy's: a compiled block stores a fraction of what an eager one does."""

_POLICY = "compiled_edge_blocks"


def compiled_edge_blocks(conv: Layer, edges_per_block: int | None = None) -> Layer:
    """Make one PyG layer compute by compiled edge blocks, in place, and return it; called as before."""
    require_compiler(device_type(conv), _POLICY)
    return block_layer(conv, _worker(), edges_per_block, EDGES_PER_NODE, _POLICY)


def compile_all_blocks(model: nn.Module, edges_per_block: int | None = None) -> None:
    """Make every message passing layer of `model` compute by compiled edge blocks."""
    require_compiler(device_type(model), _POLICY)
    block_model(model, _worker(), edges_per_block, EDGES_PER_NODE, _POLICY)


class _Stage(nn.Module):
    """A layer's edge stage as a module, so that its parameters can be handed in."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
        """Return the block's aggregates `[block nodes, ...]`."""
        return adapter_of(self.conv).edge_stage(self.conv, inputs, source, destination, num_nodes)


class CompiledWork:
    """A layer's stages as generated kernels; blocks too small for them go by PyTorch's own operators."""

    def __init__(self, conv: nn.Module, forward: BlockKernel, gradients: BlockKernel) -> None:
        self.conv, self.draws = conv, False
        self._forward, self._gradients = forward, gradients
        self._eager, self._stage = EagerWork(conv), _Stage(conv)

    def inputs(self, x: Tensor, weight: Tensor | None) -> EdgeInputs:
        """Return what the blocks read."""
        return adapter_of(self.conv).edge_inputs(self.conv, x, weight)

    def forward(
        self, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return a block's aggregates; nothing else is kept."""
        if too_small(source.numel(), num_nodes):
            return self._eager.forward(inputs, source, destination, num_nodes)
        varying = (source, destination, rows(num_nodes, source), *inputs.destinations, *inputs.per_edge)
        return self._forward(varying, self._stage, _without_varying(inputs), len(inputs.destinations)), ()

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
        """Return the gradients of a block's inputs; those that are not wanted are not computed."""
        if too_small(source.numel(), num_nodes):
            return self._eager.gradients(inputs, source, destination, num_nodes, kept, gradient, wanted)
        varying = (source, destination, gradient, *inputs.destinations, *inputs.per_edge)
        names = _names(self.conv, inputs.parameters)
        found: tuple[Tensor | None, ...] = self._gradients(
            varying, self._stage, names, _without_varying(inputs), len(inputs.destinations), wanted
        )
        return found


def _worker() -> Callable[[nn.Module], BlockWork]:
    """Return a maker of works that share their kernels: layers of one shape are compiled once."""
    forward, gradients = BlockKernel(_staged), BlockKernel(_differentiated)
    return lambda conv: CompiledWork(conv, forward, gradients)


def _without_varying(inputs: EdgeInputs) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    return inputs.sources, inputs.parameters


def _staged(
    varying: tuple[Tensor, ...],
    stage: _Stage,
    fixed: tuple[tuple[Tensor, ...], tuple[Tensor, ...]],
    num_destinations: int,
) -> Tensor:
    source, destination, block_rows, *others = varying
    inputs = EdgeInputs(fixed[0], tuple(others[:num_destinations]), tuple(others[num_destinations:]), fixed[1])
    out: Tensor = stage(inputs, source, destination, block_rows.size(0))
    return out


def _differentiated(
    varying: tuple[Tensor, ...],
    stage: _Stage,
    names: tuple[str, ...],
    fixed: tuple[tuple[Tensor, ...], tuple[Tensor, ...]],
    num_destinations: int,
    wanted: tuple[bool, ...],
) -> tuple[Tensor | None, ...]:
    """Return the gradients of the wanted inputs, recomputing the stage."""
    source, destination, gradient, *others = varying
    inputs = EdgeInputs(fixed[0], tuple(others[:num_destinations]), tuple(others[num_destinations:]), fixed[1])
    given = inputs.tensors()
    chosen = [position for position, wants in enumerate(wanted) if wants]

    def of_the_wanted(*tensors: Tensor) -> Tensor:
        row = list(given)
        for position, tensor in zip(chosen, tensors, strict=True):
            row[position] = tensor
        read = inputs.like(tuple(row))
        parameters = dict(zip(names, read.parameters, strict=True))
        out: Tensor = torch.func.functional_call(stage, parameters, (read, source, destination, gradient.size(0)))
        return out

    pullback: Callable[..., tuple[Tensor, ...]] = torch.func.vjp(
        of_the_wanted, *(given[position] for position in chosen)
    )[1]
    found = iter(pullback(gradient))
    return tuple(next(found) if wants else None for wants in wanted)


def _names(conv: nn.Module, parameters: tuple[Tensor, ...]) -> tuple[str, ...]:
    """Return the names, within the stage, of the parameters that it reads."""
    known = {id(parameter): name for name, parameter in conv.named_parameters()}
    return tuple(f"conv.{known[id(parameter)]}" for parameter in parameters)
