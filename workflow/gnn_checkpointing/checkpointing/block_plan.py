"""How a graph's edges are cut into blocks: sorted by destination, every block whole for its destination nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from gnn_checkpointing.study.block_rule import LARGEST_BYTES, SMALLEST_BYTES, block_edges, cuda_bounds

_CACHE_FOLDER = Path("/sys/devices/system/cpu/cpu0/cache")


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

    @property
    def num_edges(self) -> int:
        """Edges of the block."""
        return self.stop - self.start


@dataclass(frozen=True)
class SortedEdges:
    """A graph's edges by destination, and the ways in which they have been cut.

    `source` is int64 `[num_edges]` in sorted order, `pointer` int64 `[num_nodes + 1]` holds where each destination's
    edges start, `order` int32 or int64 `[num_edges]` maps sorted positions to the given ones (None: were sorted).
    """

    source: Tensor
    pointer: Tensor
    order: Tensor | None
    _cuts: dict[int, tuple[EdgeBlock, ...]] = field(default_factory=dict, repr=False)

    @property
    def num_nodes(self) -> int:
        """Nodes of the graph."""
        return self.pointer.numel() - 1

    def in_order(self, per_edge: Tensor) -> Tensor:
        """Return per-edge values `[num_edges, ...]` in sorted order."""
        return per_edge if self.order is None else per_edge.index_select(0, self.order)

    def blocks(self, size: int) -> tuple[EdgeBlock, ...]:
        """Return blocks of at most `size` edges each, as far as their nodes allow; made once for each size."""
        if size not in self._cuts:
            self._cuts[size] = _cut(self.pointer, size)
        return self._cuts[size]

    @property
    def largest_block(self) -> int:
        """Edges of the largest block that was cut so far; 0 where none was."""
        return max((block.num_edges for blocks in self._cuts.values() for block in blocks), default=0)

    def ends(self, block: EdgeBlock) -> tuple[Tensor, Tensor]:
        """Return the block's sources, and its destinations counted from its first node; int64 `[block edges]`.

        Destinations are made anew for each use: keeping them for all edges would double what stays in memory.
        """
        degrees = self.pointer[block.first : block.last + 1].diff()
        return self.source[block.start : block.stop], torch.repeat_interleave(degrees, output_size=block.num_edges)

    def tensors(self) -> Iterator[Tensor]:
        """Yield what is kept in memory."""
        yield self.source
        yield self.pointer
        if self.order is not None:
            yield self.order


def sorted_edges(edge_index: Tensor, num_nodes: int) -> SortedEdges:
    """Return `edge_index` `[2, num_edges]` by destination; a graph already sorted by destination is not copied."""
    source, destination = edge_index[0], edge_index[1]
    order: Tensor | None = None
    if not bool((destination[1:] >= destination[:-1]).all()):
        order = torch.argsort(destination, stable=True)
        source = source.index_select(0, order)
        if order.numel() < 2**31:
            order = order.to(torch.int32)
    pointer = torch.zeros(num_nodes + 1, dtype=torch.int64, device=edge_index.device)
    torch.cumsum(torch.bincount(destination, minlength=num_nodes), 0, out=pointer[1:])
    return SortedEdges(source, pointer, order)


def block_size(num_nodes: int, channels: int, edges_per_node: int, device: torch.device) -> int:
    """Return how many edges a block should have on `device` when nobody says (`block_rule.py`).

    The upper bound is the last-level cache, on CUDA a 256th of the memory.
    """
    return block_edges(num_nodes, channels, edges_per_node, *_bounds(device))


def _bounds(device: torch.device) -> tuple[int, int]:
    if device.type == "cuda":
        return cuda_bounds(torch.cuda.get_device_properties(device).total_memory)
    return SMALLEST_BYTES, max(_last_level_cache(), LARGEST_BYTES)


def _last_level_cache() -> int:
    """Return the bytes of the largest cache that the system tells of; 16 MiB where it tells of none."""
    sizes = [path.read_text().strip() for path in _CACHE_FOLDER.glob("index*/size")]
    return max((int(size[:-1]) * 1024 for size in sizes if size.endswith("K")), default=16 * 2**20)


def _cut(pointer: Tensor, size: int) -> tuple[EdgeBlock, ...]:
    """Cut greedily: each block takes nodes while it has at most `size` edges, and two nodes at the least.

    One node alone would be a shape of its own to a compiler of kernels.
    """
    starts = pointer.cpu()
    num_nodes = starts.numel() - 1
    blocks, first = [], 0
    while first < num_nodes:
        start = int(starts[first])
        last = int(torch.searchsorted(starts, start + size, right=True)) - 1
        last = min(max(last, first + 2), num_nodes)
        if num_nodes - last == 1:
            last = num_nodes
        blocks.append(EdgeBlock(first, last, start, int(starts[last])))
        first = last
    return tuple(blocks)
