"""How a graph's edges are cut into blocks: sorted by destination, every block whole for its destination nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

EDGES_PER_NODE = 8
"""Default block: as many edges as 8 per node. A block's messages then weigh about as much as the node maps of a few
layers, so that neither dominates the peak, and what a block costs beside its arithmetic stays a small share."""


@dataclass(frozen=True)
class EdgeBlock:
    """The edges of destination nodes `first` to `last` (exclusive), with positions in the sorted list of edges."""

    first: int
    last: int
    start: int
    stop: int

    @property
    def num_nodes(self) -> int:
        """Destination nodes of the block."""
        return self.last - self.first


@dataclass(frozen=True)
class BlockPlan:
    """Edges of one graph in blocks.

    `source` is int64 `[num_edges]` in sorted order, `pointer` int64 `[num_nodes + 1]` holds where each destination's
    edges start, `order` int32 or int64 `[num_edges]` maps sorted positions to the given ones (None: were sorted).
    """

    source: Tensor
    pointer: Tensor
    order: Tensor | None
    blocks: tuple[EdgeBlock, ...]

    def destination(self, block: EdgeBlock) -> Tensor:
        """Return the block's destinations, counted from its first node, int64 `[block edges]`.

        Made anew for each use: keeping it for all edges would double what the plan holds.
        """
        degrees = self.pointer[block.first : block.last + 1].diff()
        return torch.repeat_interleave(degrees, output_size=block.stop - block.start)

    def in_order(self, per_edge: Tensor) -> Tensor:
        """Return per-edge values `[num_edges, ...]` in the plan's order."""
        return per_edge if self.order is None else per_edge.index_select(0, self.order)

    def tensors(self) -> Iterator[Tensor]:
        """Yield what the plan keeps in memory."""
        yield self.source
        yield self.pointer
        if self.order is not None:
            yield self.order


def plan_blocks(edge_index: Tensor, num_nodes: int, edges_per_block: int | None = None) -> BlockPlan:
    """Return the plan for `edge_index` `[2, num_edges]`; a graph already sorted by destination is not copied."""
    source, destination = edge_index[0], edge_index[1]
    order: Tensor | None = None
    if not bool((destination[1:] >= destination[:-1]).all()):
        order = torch.argsort(destination, stable=True)
        source = source.index_select(0, order)
        if order.numel() < 2**31:
            order = order.to(torch.int32)
    pointer = torch.zeros(num_nodes + 1, dtype=torch.int64, device=edge_index.device)
    torch.cumsum(torch.bincount(destination, minlength=num_nodes), 0, out=pointer[1:])
    size = edges_per_block or EDGES_PER_NODE * num_nodes
    return BlockPlan(source, pointer, order, _cut(pointer, size))


def _cut(pointer: Tensor, size: int) -> tuple[EdgeBlock, ...]:
    """Cut greedily: each block takes nodes while it has at most `size` edges, and at least one node."""
    starts = pointer.cpu()
    num_nodes = starts.numel() - 1
    blocks, first = [], 0
    while first < num_nodes:
        start = int(starts[first])
        last = int(torch.searchsorted(starts, start + size, right=True)) - 1
        last = min(max(last, first + 1), num_nodes)
        blocks.append(EdgeBlock(first, last, start, int(starts[last])))
        first = last
    return tuple(blocks)
