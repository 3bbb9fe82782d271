"""How cut calls are computed by kernels: attention, and neighbours' rows reduced, in both passes.

Features of edges are mapped block by block, so that their maps are never stored for all edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gnn_checkpointing.checkpointing.block_arguments import Call
from gnn_checkpointing.checkpointing.cut_call import CutCall, Outputs
from gnn_checkpointing.checkpointing.kernels import GraphTables, attention, extremum, weighted

Gradients = tuple[list[Tensor | None], list[Tensor | None]]


@dataclass(frozen=True)
class KernelExecutor:
    """Computes cut calls by a kernel."""

    kernel: Kernel
    tables: GraphTables
    draws = False

    def forward(self, cut: CutCall) -> tuple[Outputs, Outputs]:
        """The aggregates, and what is kept of each node."""
        return self.kernel.forward(self.tables, cut)

    def gradients(
        self,
        cut: CutCall,
        kept: Outputs,
        gradients: Sequence[Tensor | None],
        wanted: Sequence[bool],
        parameters: Outputs,
    ) -> Gradients:
        """The gradients of the call's tensors and of `parameters`."""
        (gradient,) = gradients
        if gradient is None:
            return [None] * len(wanted), [None] * len(parameters)
        return self.kernel.gradients(self.tables, cut, kept, gradient, wanted, parameters)


@dataclass(frozen=True)
class EdgeFeatures:
    """Features of edges, and how the layer maps a block of them."""

    position: int
    map: Callable[[Tensor], Tensor]

    def of(self, cut: CutCall, places: Tensor | slice) -> Tensor:
        """Mapped features of the edges at `places`."""
        return self.map(cut.call.tensors[self.position][places])

    def learned(self, cut: CutCall, places: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Features of the edges at `places`, and their map as a function of them."""
        leaf = cut.call.tensors[self.position][places].detach().requires_grad_()
        with torch.enable_grad():
            return leaf, self.map(leaf)


@dataclass(frozen=True)
class AttentionKernel:
    """Attention over incoming edges. `values` and `scores` are positions in the call, `vector` a weight's name."""

    conv: Any
    kind: attention.Kind
    keys: int
    queries: int
    values: int | None
    vector: str | None
    edges: EdgeFeatures | None

    def forward(self, tables: GraphTables, cut: CutCall) -> tuple[Outputs, Outputs]:
        """Attended neighbours `[num_nodes, heads, channels]`, log denominators, and the seed of the masks."""
        seed = torch.randint(2**62, (1,)) if self._dropout() else torch.zeros(1, dtype=torch.int64)
        outs = []
        for part, nodes, places in _parts(tables, cut, self.edges):
            given = self._given(cut, nodes) | {"edge": self.edges and self.edges.of(cut, places)}
            outs.append(attention.forward(self.kind, part, **given, **self._options(seed, nodes)))
        out, log_denominators = (torch.cat(parts) if len(outs) > 1 else parts[0] for parts in zip(*outs, strict=True))
        return (out,), (log_denominators, seed)

    def gradients(
        self,
        tables: GraphTables,
        cut: CutCall,
        kept: Outputs,
        gradient: Tensor,
        wanted: Sequence[bool],
        weights: Outputs,
    ) -> Gradients:
        """The gradients of keys, queries, values, features of edges and weights."""
        sums = _Sums(cut.call, wanted, weights)
        for part, nodes, places in _parts(tables, cut, self.edges):
            features = self.edges and self.edges.learned(cut, places)
            given = self._given(cut, nodes) | {"edge": features and features[1].detach()}
            options = self._options(kept[1], nodes)
            found = attention.backward(self.kind, part, gradient[nodes], kept[0][nodes], **given, **options)
            sums.add(self.keys, found.keys)
            sums.add(self.queries, found.queries, nodes)
            if self.values is not None:
                sums.add(self.values, found.values)
            if self.vector is not None and found.attention is not None:
                sums.add_weight(getattr(self.conv, self.vector), found.attention)
            if self.edges and features:
                sums.add_edges(self.edges.position, places, *features, found.edge)
        return sums.tensors, sums.weights

    def _given(self, cut: CutCall, nodes: slice) -> dict[str, Any]:
        tensors = cut.call.tensors
        return {
            "keys": tensors[self.keys],
            "queries": tensors[self.queries][nodes],
            "values": None if self.values is None else tensors[self.values],
            "attention": None if self.vector is None else getattr(self.conv, self.vector).detach().squeeze(0),
        }

    def _options(self, seed: Tensor, nodes: slice) -> dict[str, Any]:
        # A part numbers its edges from 0: its own seed keeps its masks from being those of the part before.
        own = int(seed) + (nodes.start or 0)
        return {"negative_slope": getattr(self.conv, "negative_slope", 0.0), "dropout": self._dropout(), "seed": own}

    def _dropout(self) -> float:
        return float(self.conv.dropout) if self.conv.training else 0.0


@dataclass(frozen=True)
class RowsKernel:
    """Neighbours' rows, weighted or not, with features of edges added or not, and reduced."""

    rows: int
    weight: int | None
    reduce: Any
    edges: EdgeFeatures | None = None

    def forward(self, tables: GraphTables, cut: CutCall) -> tuple[Outputs, Outputs]:
        """The reduced rows `[num_nodes, channels]`; nothing is kept."""
        x, weight = self._given(cut)
        if self.reduce in ("max", "min"):
            return (extremum.forward(tables, x, reduce=self.reduce),), ()
        outs = []
        for part, _, places in _parts(tables, cut, self.edges):
            edge = None if self.edges is None else self.edges.of(cut, places)
            outs.append(weighted.forward(part, x, weight, edge, reduce=self.reduce))
        return (torch.cat(outs) if len(outs) > 1 else outs[0],), ()

    def gradients(
        self,
        tables: GraphTables,
        cut: CutCall,
        kept: Outputs,  # noqa: ARG002 - one signature for all kernels
        gradient: Tensor,
        wanted: Sequence[bool],
        weights: Outputs,
    ) -> Gradients:
        """The gradients of rows, weights per edge, features of edges and the weights that map them."""
        sums, (x, weight) = _Sums(cut.call, wanted, weights), self._given(cut)
        if self.reduce in ("max", "min"):
            if wanted[self.rows]:
                sums.add(self.rows, extremum.backward(tables, gradient, x, reduce=self.reduce))
            return sums.tensors, sums.weights
        of_weight = self.weight is not None and wanted[self.weight]
        if not (wanted[self.rows] or of_weight or self.edges is not None):
            return sums.tensors, sums.weights
        for part, nodes, places in _parts(tables, cut, self.edges):
            features = None if self.edges is None else self.edges.learned(cut, places)
            edge = None if features is None else features[1].detach()
            found = weighted.backward(part, gradient[nodes], x, weight, edge, reduce=self.reduce, of_weight=of_weight)
            sums.add(self.rows, found.x)
            if self.weight is not None and of_weight:
                sums.add(self.weight, found.weight)
            if self.edges and features:
                sums.add_edges(self.edges.position, places, *features, found.edge)
        return sums.tensors, sums.weights

    def _given(self, cut: CutCall) -> tuple[Tensor, Tensor | None]:
        return cut.call.tensors[self.rows], None if self.weight is None else cut.call.tensors[self.weight]


Kernel = AttentionKernel | RowsKernel
"""A known call; with the graph's tables it is an executor."""


class _Sums:
    """Gradients added up over the parts of a graph."""

    def __init__(self, call: Call, wanted: Sequence[bool], weights: Outputs) -> None:
        self._call, self._wanted, self._weights = call, wanted, weights
        self.tensors: list[Tensor | None] = [None] * len(call.tensors)
        self.weights: list[Tensor | None] = [None] * len(weights)

    def add(self, position: int, part: Tensor | None, nodes: slice | Tensor = slice(None)) -> None:
        """Add `part` to the gradient of one tensor, at some of its rows."""
        if part is None or not self._wanted[position]:
            return
        total = self.tensors[position]
        if total is None and isinstance(nodes, slice) and part.shape == self._call.tensors[position].shape:
            self.tensors[position] = part
            return
        if total is None:
            total = self.tensors[position] = torch.zeros_like(self._call.tensors[position])
        total[nodes] += part

    def add_weight(self, weight: Tensor, part: Tensor) -> None:
        """Add to the gradient of a weight, where it wants one."""
        for position, known in enumerate(self._weights):
            if known is weight:
                total = self.weights[position]
                part = part.view_as(weight)
                self.weights[position] = part if total is None else total + part

    def add_edges(self, position: int, places: Tensor | slice, leaf: Tensor, mapped: Tensor, of_mapped: Any) -> None:
        """Carry the gradient of mapped features of edges back to the features and the weights that map them."""
        of_leaf, *of_weights = torch.autograd.grad(mapped, [leaf, *self._weights], of_mapped, allow_unused=True)
        self.add(position, of_leaf, places)
        for weight, part in zip(self._weights, of_weights, strict=True):
            if part is not None:
                self.add_weight(weight, part)


def _parts(
    tables: GraphTables, cut: CutCall, edges: EdgeFeatures | None
) -> Iterator[tuple[GraphTables, slice, Tensor | slice]]:
    """Tables of a part of the graph, its destinations, the places of its edges; the whole graph without `edges`."""
    if edges is None:
        yield tables, slice(None), slice(None)
        return
    for block in cut.blocks:
        places = tables.order[block.start : block.stop]
        part = GraphTables(
            source=tables.source[block.start : block.stop],
            pointer=tables.pointer[block.first : block.last + 1] - block.start,
            order=torch.arange(block.num_edges, dtype=tables.order.dtype),
            num_sources=tables.num_sources,
        )
        yield part, slice(block.first, block.last), places
