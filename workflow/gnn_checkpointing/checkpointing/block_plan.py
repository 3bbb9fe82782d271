"""A graph's edges sorted by destination and cut into blocks, each with all edges of its destination nodes."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

from gnn_checkpointing.study.block_size import block_edges, cpu_bounds, cuda_bounds

_CACHE_FOLDER = Path("/sys/devices/system/cpu/cpu0/cache")


@dataclass(frozen=True)
class EdgeBlock:
    """Edges into nodes `first` to `last` (exclusive): `start` to `stop` (exclusive) in the sorted list of edges."""

    first: int
    last: int
    start: int
    stop: int
    ends_empty: bool = field(default=False, compare=False)
    """Whether its last node has no edges."""

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
    """A graph's edges sorted by destination, and the blocks into which they have been cut so far.

    `source` `[num_edges]` holds the sources in sorted order, `pointer` `[num_nodes + 1]` the first edge of each
    destination, `order` `[num_edges]` the original position of each sorted edge (None if the edges were sorted).
    Integers are int32 if that is enough. `num_nodes` counts destinations, `num_sources` counts possible sources.
    """

    source: Tensor
    pointer: Tensor
    order: Tensor | None
    num_sources: int
    _cuts: dict[int, tuple[EdgeBlock, ...]] = field(default_factory=dict, repr=False)

    @property
    def num_nodes(self) -> int:
        """Destination nodes of the graph."""
        return self.pointer.numel() - 1

    @property
    def num_edges(self) -> int:
        """Edges of the graph."""
        return self.source.numel()

    def places(self, block: EdgeBlock) -> Tensor | slice:
        """Positions of the block's edges in the original list of edges."""
        if self.order is None:
            return slice(block.start, block.stop)
        return self.order[block.start : block.stop]

    def blocks(self, size: int) -> tuple[EdgeBlock, ...]:
        """Blocks of at most `size` edges each, or all edges of one node; made once for each size."""
        if size not in self._cuts:
            self._cuts[size] = _cut(self.pointer, size)
        return self._cuts[size]

    @property
    def largest_block(self) -> int:
        """Number of edges in the largest block cut so far; 0 if there is none."""
        return max((block.num_edges for blocks in self._cuts.values() for block in blocks), default=0)

    def ends(self, block: EdgeBlock) -> tuple[Tensor, Tensor]:
        """The block's sources, and its destinations counted from its first node; int64 `[block edges]`.

        Destinations are recomputed at each use: keeping them for all edges would double the memory.
        """
        degrees = self.pointer[block.first : block.last + 1].to(torch.int64).diff()
        source = self.source[block.start : block.stop].to(torch.int64)
        return source, torch.repeat_interleave(degrees, output_size=block.num_edges)

    @functools.cached_property
    def by_source(self) -> tuple[Tensor, Tensor, Tensor]:
        """The edges sorted by source: where each source's edges start, their destinations and original positions.

        Computed at first use, and only for edges that `kernel_edges` has sorted.
        """
        assert self.order is not None
        source, places = torch.sort(self.source, stable=True)
        wide = self.pointer.dtype
        destination = torch.bucketize(places.to(wide), self.pointer[1:], right=True).to(wide)
        return _pointer(source, self.num_sources, wide), destination, self.order.index_select(0, places)

    def tensors(self) -> Iterator[Tensor]:
        """Yield all tensors that are kept in memory."""
        yield from (self.source, self.pointer)
        if self.order is not None:
            yield self.order
        yield from vars(self).get("by_source", ())


def sorted_edges(source: Tensor, destination: Tensor, num_sources: int, num_nodes: int) -> SortedEdges:
    """Sort the edges from `source` to `destination`, int `[num_edges]` each, by destination.

    Raises `IndexError`, as PyG does, if an edge refers to a node that does not exist.
    """
    _check_range(source, num_sources, "source")
    _check_range(destination, num_nodes, "destination")
    order: Tensor | None = None
    if not bool((destination[1:] >= destination[:-1]).all()):
        order = torch.argsort(destination, stable=True)
        source = source.index_select(0, order)
        order = _narrow(order, order.numel())
    pointer = torch.zeros(num_nodes + 1, dtype=torch.int64, device=source.device)
    torch.cumsum(torch.bincount(destination, minlength=num_nodes), 0, out=pointer[1:])
    # Always a copy: later changes to the caller's tensor must not reach the table.
    return SortedEdges(_narrow(source, num_sources), pointer, order, num_sources)


def kernel_edges(edge_index: Tensor, num_sources: int, num_nodes: int | None = None) -> SortedEdges:
    """Sort edges `[2, num_edges]` (sources, destinations) by destination, then by source, as the kernels read them.

    All resulting tensors have the same integer type. Without `num_nodes`, there are as many destinations as sources.
    Raises `IndexError` for an index out of range.
    """
    num_nodes = num_sources if num_nodes is None else num_nodes
    if edge_index.dim() != 2 or edge_index.size(0) != 2 or edge_index.dtype not in (torch.int32, torch.int64):
        raise ValueError(
            f"edge_index is {edge_index.dtype} {list(edge_index.shape)}: the kernels read whole numbers [2, num_edges]"
        )
    source, destination = edge_index
    _check_range(source, num_sources, "source")
    _check_range(destination, num_nodes, "destination")
    wide = torch.int32 if max(num_sources, num_nodes, edge_index.size(1)) < 2**31 else torch.int64
    by_source = torch.argsort(source, stable=True)
    sorted_destination, places = torch.sort(destination.index_select(0, by_source), stable=True)
    order = by_source.index_select(0, places)
    pointer = _pointer(sorted_destination, num_nodes, wide)
    return SortedEdges(source.index_select(0, order).to(wide), pointer, order.to(wide), num_sources)


def _pointer(nodes: Tensor, num_nodes: int, wide: torch.dtype) -> Tensor:
    """Positions in the sorted `nodes` where each node's edges start, followed by the end of the last one's."""
    return torch.searchsorted(nodes, torch.arange(num_nodes + 1, dtype=nodes.dtype, device=nodes.device)).to(wide)


def _narrow(index: Tensor, bound: int) -> Tensor:
    """A copy of `index`, as int32 if `bound` fits."""
    return index.to(torch.int32 if bound < 2**31 else torch.int64, copy=True)


def _check_range(index: Tensor, num_nodes: int, role: str) -> None:
    if index.numel() == 0 or isinstance(index, FakeTensor):  # a fake tensor has no values
        return
    lowest, highest = (int(bound) for bound in torch.aminmax(index))
    if lowest < 0 or highest >= num_nodes:
        raise IndexError(
            f"edge_index names {role} node {lowest if lowest < 0 else highest} of {num_nodes} {role} nodes; "
            f"indices must be between 0 and {num_nodes - 1}"
        )


def block_size(num_nodes: int, row: int, edges_per_node: int, device: torch.device) -> int:
    """The default number of edges in a block on `device` for messages of `row` bytes (`study/block_size.py`)."""
    if device.type == "cuda":
        bounds = cuda_bounds(torch.cuda.get_device_properties(device).total_memory)
    else:
        bounds = cpu_bounds(_last_level_cache())
    return block_edges(num_nodes, row, edges_per_node, *bounds)


@functools.cache
def _last_level_cache() -> int | None:
    """Bytes of the largest cache that the system reports; None if it reports none."""
    sizes = [path.read_text().strip() for path in _CACHE_FOLDER.glob("index*/size")]
    return max((int(size[:-1]) * 1024 for size in sizes if size.endswith("K")), default=None)


def _cut(pointer: Tensor, size: int) -> tuple[EdgeBlock, ...]:
    """Cut greedily: a block takes nodes as long as it has at most `size` edges, and at least one node with edges.

    Nodes without edges join the block before them, if any: PyG's median fails on blocks that start with such a node.
    """
    starts = pointer.cpu()
    num_nodes = starts.numel() - 1
    num_edges = int(starts[-1])
    blocks, first = [], 0
    while first < num_nodes:
        start = int(starts[first])
        last = int(torch.searchsorted(starts, start + size, right=True)) - 1
        stop = int(starts[max(last, first)])
        if stop == start:  # the next node with edges has more than `size` of them
            stop = int(starts[min(int(torch.searchsorted(starts, start, right=True)), num_nodes)])
        last = num_nodes if stop == num_edges else int(torch.searchsorted(starts, stop, right=True)) - 1
        blocks.append(EdgeBlock(first, last, start, stop, ends_empty=int(starts[last - 1]) == stop))
        first = last
    return tuple(blocks)
