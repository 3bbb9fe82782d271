"""A layer's per-edge stage, block by block: nothing of a block outlives it, in the forward or the backward pass.

The same as `torch.utils.checkpoint` around each block, with one node in the autograd graph for all of them: on CPU a
block then costs about half a millisecond less, and gradients of destination nodes are made for the block alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gnn_checkpointing.checkpointing.block_plan import BlockPlan, EdgeBlock


@dataclass(frozen=True)
class EdgeInputs:
    """What a per-edge stage reads, by how a block reads it.

    `sources`: node maps `[num_nodes, ...]` read at any source node; `destinations`: node maps read at the block's
    own nodes; `per_edge`: values `[num_edges, ...]` in the plan's order; `parameters`: of the layer, read whole.
    """

    sources: tuple[Tensor, ...]
    destinations: tuple[Tensor, ...] = ()
    per_edge: tuple[Tensor, ...] = ()
    parameters: tuple[Tensor, ...] = ()

    def tensors(self) -> tuple[Tensor, ...]:
        """Return all of them in one row."""
        return (*self.sources, *self.destinations, *self.per_edge, *self.parameters)

    def like(self, tensors: tuple[Tensor, ...]) -> EdgeInputs:
        """Return other tensors in the same roles."""
        ends = (len(self.sources), len(self.destinations), len(self.per_edge))
        first, second, third = ends[0], ends[0] + ends[1], sum(ends)
        return EdgeInputs(tensors[:first], tensors[first:second], tensors[second:third], tensors[third:])

    def of(self, block: EdgeBlock) -> EdgeInputs:
        """Return what `block` reads; slices are views."""
        nodes, edges = slice(block.first, block.last), slice(block.start, block.stop)
        return EdgeInputs(
            self.sources,
            tuple(tensor[nodes] for tensor in self.destinations),
            tuple(tensor[edges] for tensor in self.per_edge),
            self.parameters,
        )


Stage = Callable[[EdgeInputs, Tensor, Tensor, int], Tensor]
"""From a block's inputs, its sources, its destinations counted from its first node, and its number of nodes to the
aggregated messages `[block nodes, ...]`."""


def block_by_block(stage: Stage, inputs: EdgeInputs, plan: BlockPlan) -> Tensor:
    """Return `stage` of every block, joined: `[num_nodes, ...]`; each block is recomputed in the backward pass."""
    # torch does not annotate Function.apply.
    out: Tensor = _BlockByBlock.apply(stage, inputs, plan, *inputs.tensors())  # type: ignore[no-untyped-call]
    return out


def _staged(stage: Stage, inputs: EdgeInputs, plan: BlockPlan, block: EdgeBlock) -> Tensor:
    return stage(inputs, plan.source[block.start : block.stop], plan.destination(block), block.num_nodes)


class _BlockByBlock(torch.autograd.Function):
    """Keeps the inputs alone; the backward pass runs a block's stage once more and differentiates it."""

    @staticmethod
    def forward(ctx: Any, stage: Stage, inputs: EdgeInputs, plan: BlockPlan, *tensors: Tensor) -> Tensor:
        """Run every block without recording."""
        ctx.save_for_backward(*tensors)
        # The roles alone: kept whole, `inputs` would hold the tensors past the release of the graph.
        ctx.stage, ctx.plan, ctx.roles = stage, plan, inputs.like(tuple(tensor.new_empty(0) for tensor in tensors))
        kind = tensors[0].device.type
        ctx.autocast = (kind, torch.get_autocast_dtype(kind), torch.is_autocast_enabled(kind))
        return torch.cat([_staged(stage, inputs.of(block), plan, block) for block in plan.blocks])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Recompute block by block, adding each block's gradients to those of the whole graph."""
        wanted = ctx.needs_input_grad[3:]
        inputs: EdgeInputs = ctx.roles.like(ctx.saved_tensors)
        sums = inputs.like(
            tuple(
                torch.zeros_like(tensor) if wants else tensor.new_empty(0)
                for tensor, wants in zip(inputs.tensors(), wanted, strict=True)
            )
        )
        kind, dtype, enabled = ctx.autocast
        for block in ctx.plan.blocks:
            read = _leaves(inputs.of(block), wanted)
            with torch.enable_grad(), torch.autocast(kind, dtype=dtype, enabled=enabled):
                out = _staged(ctx.stage, read, ctx.plan, block)
            part_of_gradient = gradient[block.first : block.last]
            found = torch.autograd.grad(out, list(_wanted(read, wanted)), part_of_gradient, allow_unused=True)
            del out, read
            for total, part in zip(_wanted(sums.of(block), wanted), found, strict=True):
                if part is not None:
                    total.add_(part)
        totals = zip(sums.tensors(), wanted, strict=True)
        return (None, None, None, *(total if wants else None for total, wants in totals))


def _leaves(inputs: EdgeInputs, wanted: tuple[bool, ...]) -> EdgeInputs:
    """Return the inputs cut off from the graph, those whose gradient is wanted as leaves; parameters stay."""
    last = len(inputs.tensors()) - len(inputs.parameters)
    cut = (
        tensor.detach().requires_grad_(wants) if position < last else tensor
        for position, (tensor, wants) in enumerate(zip(inputs.tensors(), wanted, strict=True))
    )
    return inputs.like(tuple(cut))


def _wanted(inputs: EdgeInputs, wanted: tuple[bool, ...]) -> Iterator[Tensor]:
    """Yield the tensors whose gradient is asked for."""
    return (tensor for tensor, wants in zip(inputs.tensors(), wanted, strict=True) if wants)
