"""A layer's per-edge stage, block by block: nothing of a block outlives it, in the forward or the backward pass.

The same as `torch.utils.checkpoint` around each block, with one node in the autograd graph for all of them: on CPU a
block then costs about half a millisecond less, and gradients of destination nodes are made for the block alone. The
maps of nodes that the blocks read are recomputed as well, so that a layer keeps its input and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gnn_checkpointing.checkpointing.block_plan import EdgeBlock, SortedEdges


@dataclass(frozen=True)
class EdgeInputs:
    """What a per-edge stage reads, by how a block reads it.

    `sources`: node maps `[num_nodes, ...]` read at any source node; `destinations`: node maps read at the block's
    own nodes; `per_edge`: values `[num_edges, ...]` in sorted order; `parameters`: of the layer, read whole.
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

    def detached(self) -> EdgeInputs:
        """Return the same values outside the autograd graph; parameters stay themselves."""
        cut = (tensor.detach() for tensor in self.tensors()[: -len(self.parameters) or None])
        return self.like((*cut, *self.parameters))

    def of(self, block: EdgeBlock) -> EdgeInputs:
        """Return what `block` reads; slices are views."""
        nodes, edges = slice(block.first, block.last), slice(block.start, block.stop)
        return EdgeInputs(
            self.sources,
            tuple(tensor[nodes] for tensor in self.destinations),
            tuple(tensor[edges] for tensor in self.per_edge),
            self.parameters,
        )


class BlockWork(Protocol):
    """What is done to a block of one layer, and how it is differentiated."""

    conv: nn.Module
    draws: bool
    """Whether the stage may draw random numbers, which the backward pass then draws again."""

    def inputs(self, x: Tensor, weight: Tensor | None) -> EdgeInputs:
        """Return what the blocks read, made from `x` `[num_nodes, channels]` and weights `[num_edges]` in order."""

    def forward(
        self, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return a block's aggregates `[block nodes, ...]`, and per-node values that its backward pass will read."""

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
        """Return the gradients of `inputs.tensors()`, from that of the block's aggregates; None where not `wanted`."""


def block_by_block(
    work: BlockWork, x: Tensor, weight: Tensor | None, edges: SortedEdges, blocks: tuple[EdgeBlock, ...]
) -> Tensor:
    """Return the aggregates of every block, joined: `[num_nodes, ...]`; all is recomputed in the backward pass."""
    parameters = tuple(work.conv.parameters())
    # torch does not annotate Function.apply.
    out: Tensor = _BlockByBlock.apply(work, edges, blocks, x, weight, *parameters)  # type: ignore[no-untyped-call]
    return out


class _BlockByBlock(torch.autograd.Function):
    """Keeps `x`, the weights and what the work asks to keep per node."""

    @staticmethod
    def forward(
        ctx: Any,
        work: BlockWork,
        edges: SortedEdges,
        blocks: tuple[EdgeBlock, ...],
        x: Tensor,
        weight: Tensor | None,
        *parameters: Tensor,
    ) -> Tensor:
        """Run every block without recording."""
        ctx.restored = _ambient(x, work.draws)
        # Detached: whether a gradient is wanted would be a difference between layers to a compiler of kernels.
        inputs = work.inputs(x.detach(), None if weight is None else weight.detach())
        joined: list[Tensor] = []
        for block in blocks:
            source, destination = edges.ends(block)
            out, kept = work.forward(inputs.of(block), source, destination, block.num_nodes)
            for position, part in enumerate((out, *kept)):
                if len(joined) == position:
                    joined.append(part.new_empty((edges.num_nodes, *part.shape[1:])))
                joined[position][block.first : block.last] = part
        ctx.work, ctx.edges, ctx.blocks, ctx.parameters = work, edges, blocks, parameters
        ctx.save_for_backward(x, weight, *joined[1:])
        return joined[0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Recompute block by block, adding each block's gradients to those of the whole graph."""
        wants = ctx.needs_input_grad[3:]
        x, weight, *kept = ctx.saved_tensors
        x = x.detach().requires_grad_(wants[0])
        weight = None if weight is None else weight.detach().requires_grad_(wants[1])
        with ctx.restored():
            with torch.enable_grad():
                inputs: EdgeInputs = ctx.work.inputs(x, weight)
            sums = _summed_gradients(ctx.work, inputs, ctx.edges, ctx.blocks, tuple(kept), gradient)
        given = [x, weight, *ctx.parameters]
        leaves = [tensor for tensor, wanted in zip(given, wants, strict=True) if wanted]
        found = iter(_carried_back(inputs, sums, leaves))
        return (None, None, None, *(next(found) if wanted else None for wanted in wants))


def _summed_gradients(
    work: BlockWork,
    inputs: EdgeInputs,
    edges: SortedEdges,
    blocks: tuple[EdgeBlock, ...],
    kept: tuple[Tensor, ...],
    gradient: Tensor,
) -> EdgeInputs:
    """Return the gradients of `inputs`, each summed over the blocks; empty where no gradient is wanted."""
    wanted = tuple(tensor.requires_grad for tensor in inputs.tensors())
    sums = inputs.like(
        tuple(
            torch.zeros_like(tensor, requires_grad=False) if wants else tensor.new_empty(0)
            for tensor, wants in zip(inputs.tensors(), wanted, strict=True)
        )
    )
    if not any(wanted):
        return sums
    read = inputs.detached()
    for block in blocks:
        source, destination = edges.ends(block)
        rows = slice(block.first, block.last)
        found = work.gradients(
            read.of(block),
            source,
            destination,
            block.num_nodes,
            tuple(values[rows] for values in kept),
            gradient[rows],
            wanted,
        )
        for total, part in zip(sums.of(block).tensors(), found, strict=True):
            if part is not None:
                total.add_(part)
        del found
    return sums


def _carried_back(inputs: EdgeInputs, sums: EdgeInputs, leaves: list[Tensor]) -> list[Tensor | None]:
    """Return the gradients of `leaves`: through the maps of nodes, and directly where a stage reads a parameter."""
    last = len(inputs.tensors()) - len(inputs.parameters)
    ends = [
        (tensor, total)
        for tensor, total in zip(inputs.tensors()[:last], sums.tensors()[:last], strict=True)
        if tensor.requires_grad
    ]
    found: list[Tensor | None] = [None] * len(leaves)
    if ends and leaves:
        outputs, totals = zip(*ends, strict=True)
        found = list(torch.autograd.grad(outputs, leaves, totals, allow_unused=True))
    for parameter, total in zip(inputs.parameters, sums.parameters, strict=True):
        for position, leaf in enumerate(leaves):
            if leaf is parameter:
                before = found[position]
                found[position] = total if before is None else before + total
    return found


def _ambient(x: Tensor, draws: bool) -> Callable[[], AbstractContextManager[None]]:
    """Return a context that brings back the precision of now and, where the stage `draws`, the random state."""
    kind = x.device.type
    dtype, enabled = torch.get_autocast_dtype(kind), torch.is_autocast_enabled(kind)
    state = torch.get_rng_state() if draws else None
    on_device = torch.cuda.get_rng_state(x.device) if draws and x.is_cuda else None

    @contextmanager
    def restored() -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(torch.autocast(kind, dtype=dtype, enabled=enabled))
            if state is not None:
                stack.enter_context(torch.random.fork_rng(devices=[x.device] if x.is_cuda else []))
                torch.set_rng_state(state)
                if on_device is not None:
                    torch.cuda.set_rng_state(on_device, x.device)
            yield

    return restored
