"""A graph as the kernels read it: edges sorted by destination, and by source where a gradient needs that."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

_INT32_MAX = 2**31 - 1


@dataclass(frozen=True)
class BySource:
    """The edges once more, sorted by source: those of j are `pointer[j]` to `pointer[j + 1]`."""

    pointer: Tensor
    """`[num_sources + 1]`"""
    destination: Tensor
    """`[num_edges]`: each edge's destination"""
    edge: Tensor
    """`[num_edges]`: each edge's position in the caller's order"""


@dataclass(frozen=True)
class GraphTables:
    """Edges sorted by destination, then by source; numbers of 4 bytes where all fit, else of 8."""

    source: Tensor
    """`[num_edges]`: each edge's source"""
    pointer: Tensor
    """`[num_destinations + 1]`: the edges into i are `pointer[i]` to `pointer[i + 1]`"""
    order: Tensor
    """`[num_edges]`: each edge's position in the caller's order"""
    num_sources: int

    @property
    def num_destinations(self) -> int:
        """How many nodes edges may end in."""
        return self.pointer.numel() - 1

    @property
    def num_edges(self) -> int:
        """How many edges there are."""
        return self.source.numel()

    @cached_property
    def by_source(self) -> BySource:
        """The transposed table, made when first asked for."""
        source, places = torch.sort(self.source, stable=True)
        destination = torch.bucketize(places.to(self.pointer.dtype), self.pointer[1:], right=True)
        wide = self.pointer.dtype
        return BySource(
            _pointer(source, self.num_sources, wide), destination.to(wide), self.order.index_select(0, places)
        )

    def tensors(self) -> Iterator[Tensor]:
        """What the tables keep in memory."""
        yield from (self.source, self.pointer, self.order)
        if (by_source := vars(self).get("by_source")) is not None:
            yield from (by_source.pointer, by_source.destination, by_source.edge)

    def to(self, device: torch.device | str) -> GraphTables:
        """The same tables on `device`."""
        return GraphTables(self.source.to(device), self.pointer.to(device), self.order.to(device), self.num_sources)


def transposed(tables: GraphTables) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The transposed table where the gradients of sources read it: on CUDA; on CPU threads own sources instead."""
    if not tables.source.is_cuda:
        return None, None, None
    by_source = tables.by_source
    return by_source.pointer, by_source.destination, by_source.edge


def graph_tables(edge_index: Tensor, num_sources: int, num_destinations: int | None = None) -> GraphTables:
    """The tables of `edge_index` `[2, num_edges]`, sources above destinations; `IndexError` for an index out of range.

    Without `num_destinations` the graph has as many destinations as sources.
    """
    num_destinations = num_sources if num_destinations is None else num_destinations
    if edge_index.dim() != 2 or edge_index.size(0) != 2 or edge_index.dtype not in (torch.int32, torch.int64):
        raise ValueError(
            f"edge_index is {edge_index.dtype} {list(edge_index.shape)}: the kernels read whole numbers [2, num_edges]"
        )
    source, destination = edge_index
    if not isinstance(edge_index, FakeTensor):  # a fake tensor has no values
        _check_range("source", source, num_sources)
        _check_range("destination", destination, num_destinations)
    fits = max(num_sources, num_destinations, edge_index.size(1)) <= _INT32_MAX
    wide = torch.int32 if fits else torch.int64
    by_source = torch.argsort(source, stable=True)
    sorted_destination, places = torch.sort(destination.index_select(0, by_source), stable=True)
    order = by_source.index_select(0, places)
    return GraphTables(
        source=source.index_select(0, order).to(wide),
        pointer=_pointer(sorted_destination, num_destinations, wide),
        order=order.to(wide),
        num_sources=num_sources,
    )


def _pointer(nodes: Tensor, num_nodes: int, wide: torch.dtype) -> Tensor:
    """Where each node's edges begin in sorted `nodes`, and at last where all end."""
    return torch.searchsorted(nodes, torch.arange(num_nodes + 1, dtype=nodes.dtype, device=nodes.device)).to(wide)


def _check_range(role: str, nodes: Tensor, num_nodes: int) -> None:
    if nodes.numel() == 0:
        return
    least, most = (int(bound) for bound in torch.aminmax(nodes))
    if least < 0 or most >= num_nodes:
        wrong = least if least < 0 else most
        raise IndexError(f"edge_index names {role} node {wrong}; the graph has {num_nodes}, numbered from 0")


class Graph(ctypes.Structure):
    """`struct Graph` of csrc/tables.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("destinations", "sources", "edges", "wide", "threads")),
        *((name, ctypes.c_void_p) for name in ("pointer", "source", "order")),
    )


def c_graph(source: Tensor, pointer: Tensor, order: Tensor, num_sources: int) -> Graph:
    """The tables as the C++ kernels take them, to be worked on by as many threads as torch uses."""
    return Graph(
        destinations=pointer.numel() - 1,
        sources=num_sources,
        edges=source.numel(),
        wide=int(source.dtype == torch.int64),
        threads=torch.get_num_threads(),
        pointer=pointer.data_ptr(),
        source=source.data_ptr(),
        order=order.data_ptr(),
    )
