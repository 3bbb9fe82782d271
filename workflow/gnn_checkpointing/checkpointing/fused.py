"""Which calls of `propagate` the kernels know, and how they compute them: no value per edge exists in either pass.

A layer is known by its methods: a class that computes its messages by PyG's own code for GAT, GATv2, TransformerConv or
GINE, or that sends a neighbour's row as it is or times a weight, and aggregates by PyG's sum, mean, maximum or minimum.
Features of edges are mapped block by block, so that their maps are never stored for all edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.nn import MessagePassing, aggr

from gnn_checkpointing.checkpointing.block_arguments import Call, Slot, end_of
from gnn_checkpointing.checkpointing.block_by_block import CutCall, Outputs
from gnn_checkpointing.checkpointing.kernels import GraphTables, attention, extremum, weighted

Gradients = tuple[list[Tensor | None], list[Tensor | None]]

_REDUCES: dict[type, str] = {
    aggr.SumAggregation: "sum",
    aggr.MeanAggregation: "mean",
    aggr.MaxAggregation: "max",
    aggr.MinAggregation: "min",
}
_ROWS = {kind.message for kind in (MessagePassing, pyg.SAGEConv, pyg.GINConv, pyg.SignedConv, pyg.MFConv)}
_WEIGHTED_ROWS = {
    kind.message
    for kind in (
        *(pyg.GCNConv, pyg.GraphConv, pyg.GatedGraphConv, pyg.ARMAConv, pyg.SGConv, pyg.SSGConv, pyg.APPNP),
        *(pyg.TAGConv, pyg.GCN2Conv, pyg.LGConv, pyg.SimpleConv, pyg.ClusterGCNConv, pyg.MixHopConv, pyg.PDNConv),
    )
}


class Kernel(Protocol):
    """A known call; with the graph's tables it is an executor."""

    def forward(self, tables: GraphTables, cut: CutCall) -> tuple[Outputs, Outputs]:
        """The aggregates, and what is kept of each node."""

    def gradients(
        self,
        tables: GraphTables,
        cut: CutCall,
        kept: Outputs,
        gradient: Tensor,
        wanted: Sequence[bool],
        weights: Outputs,
    ) -> Gradients:
        """The gradients of the call's tensors and of `weights`."""


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


def kernel_for(conv: MessagePassing, call: Call) -> Kernel | None:
    """The kernel that computes this call, or None where there is none."""
    floats = [tensor for tensor in call.tensors if tensor.is_floating_point()]
    known = {tensor.dtype for tensor in floats} in ({torch.float32}, {torch.float64})
    if not known or any(tensor.device.type != "cpu" for tensor in call.tensors):
        return None
    if type(conv).aggregate is not MessagePassing.aggregate or type(conv.aggr_module) not in _REDUCES:
        return None
    # Somebody's own methods on this one layer, or hooks on its aggregation.
    if vars(conv).keys() & {"message", "aggregate", "edge_update"} or _hooked(conv.aggr_module):
        return None
    for recognise in (_attention, _rows, _rows_and_edges):
        if (kernel := recognise(conv, call)) is not None:
            return kernel
    return None


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)


@dataclass(frozen=True)
class _Edges:
    """Features of edges, and how the layer maps a block of them."""

    position: int
    map: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class _Attention:
    """Attention over incoming edges. `values` and `scores` are positions in the call, `vector` a weight's name."""

    conv: Any
    kind: attention.Kind
    keys: int
    queries: int
    values: int | None
    vector: str | None
    edges: _Edges | None

    def forward(self, tables: GraphTables, cut: CutCall) -> tuple[Outputs, Outputs]:
        """Attended neighbours `[num_nodes, heads, channels]`, log denominators, and the seed of the masks."""
        seed = torch.randint(2**62, (1,)) if self._dropout() else torch.zeros(1, dtype=torch.int64)
        outs = []
        for part, nodes, places in _parts(tables, cut, self.edges):
            mapped = None if self.edges is None else self.edges.map(cut.call.tensors[self.edges.position][places])
            given = self._given(cut, nodes) | {"edge": mapped}
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
            leaf = mapped = None
            if self.edges is not None:
                leaf = cut.call.tensors[self.edges.position][places].detach().requires_grad_()
                with torch.enable_grad():
                    mapped = self.edges.map(leaf)
            given = self._given(cut, nodes) | {"edge": None if mapped is None else mapped.detach()}
            options = self._options(kept[1], nodes)
            found = attention.backward(self.kind, part, gradient[nodes], kept[0][nodes], **given, **options)
            sums.add(self.keys, found.keys)
            sums.add(self.queries, found.queries, nodes)
            if self.values is not None:
                sums.add(self.values, found.values)
            if self.vector is not None and found.attention is not None:
                sums.add_weight(getattr(self.conv, self.vector), found.attention)
            if self.edges is not None and leaf is not None and mapped is not None:
                sums.add_edges(self.edges.position, places, leaf, mapped, found.edge)
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
class _Rows:
    """Neighbours' rows, weighted or not, with features of edges added or not, and reduced."""

    rows: int
    weight: int | None
    reduce: Any
    edges: _Edges | None = None

    def forward(self, tables: GraphTables, cut: CutCall) -> tuple[Outputs, Outputs]:
        """The reduced rows `[num_nodes, channels]`; nothing is kept."""
        x, weight = self._given(cut)
        if self.reduce in ("max", "min"):
            return (extremum.forward(tables, x, reduce=self.reduce),), ()
        outs = []
        for part, _, places in _parts(tables, cut, self.edges):
            edge = None if self.edges is None else self.edges.map(cut.call.tensors[self.edges.position][places])
            outs.append(weighted.forward(part, x, weight, edge, reduce=self.reduce))
        return (torch.cat(outs) if len(outs) > 1 else outs[0],), ()

    def gradients(
        self,
        tables: GraphTables,
        cut: CutCall,
        kept: Outputs,
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
            leaf = mapped = None
            if self.edges is not None:
                leaf = cut.call.tensors[self.edges.position][places].detach().requires_grad_()
                with torch.enable_grad():
                    mapped = self.edges.map(leaf)
            edge = None if mapped is None else mapped.detach()
            found = weighted.backward(part, gradient[nodes], x, weight, edge, reduce=self.reduce, of_weight=of_weight)
            sums.add(self.rows, found.x)
            if self.weight is not None and of_weight:
                sums.add(self.weight, found.weight)
            if self.edges is not None and leaf is not None and mapped is not None:
                sums.add_edges(self.edges.position, places, leaf, mapped, found.edge)
        return sums.tensors, sums.weights

    def _given(self, cut: CutCall) -> tuple[Tensor, Tensor | None]:
        return cut.call.tensors[self.rows], None if self.weight is None else cut.call.tensors[self.weight]


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
    tables: GraphTables, cut: CutCall, edges: _Edges | None
) -> Iterator[tuple[GraphTables, slice, Tensor | slice]]:
    """Tables of a part of the graph, its destinations, and the given places of its edges; all at once without `edges`."""
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


def _attention(conv: Any, call: Call) -> Kernel | None:
    kind = type(conv)
    if type(conv.aggr_module) is not aggr.SumAggregation or not isinstance(getattr(conv, "dropout", None), float | int):
        return None
    edge_values = call.edge_values or {}
    if kind.message is pyg.TransformerConv.message and call.edge_values is None:
        slots = [call.values.get(name) for name in ("key", "query", "value")]
        return _attention_of(conv, call, "transformer", slots, None, call.values.get("edge_attr"), _heads)
    if getattr(kind, "edge_update", None) is pyg.GATv2Conv.edge_update and kind.message is pyg.GATv2Conv.message:
        pair = edge_values.get("x")
        same = end_of(conv, call.values.get("x"), "j") == end_of(conv, pair, "j")
        if not same or not isinstance(vars(conv)["_parameters"].get("att"), nn.Parameter | Tensor):
            return None
        slots = [end_of(conv, pair, "j"), end_of(conv, pair, "i"), None]
        return _attention_of(conv, call, "gatv2", slots, "att", edge_values.get("edge_attr"), _heads)
    if getattr(kind, "edge_update", None) is pyg.GATConv.edge_update and kind.message is pyg.GATConv.message:
        pair = edge_values.get("alpha")
        slots = [end_of(conv, pair, "j"), end_of(conv, pair, "i"), end_of(conv, call.values.get("x"), "j")]
        features = edge_values.get("edge_attr") if conv.lin_edge is not None else None
        return _attention_of(conv, call, "gat", slots, None, features, _scores)
    return None


def _attention_of(
    conv: Any,
    call: Call,
    kind: Any,
    slots: list[Any],
    vector: str | None,
    features: Any,
    mapping: Callable[..., Tensor],
) -> Kernel | None:
    keys, queries, values = slots
    summed = keys if values is None else values
    if not all(isinstance(slot, Slot) for slot in (keys, queries, summed)) or not (
        features is None or isinstance(features, Slot)
    ):
        return None
    if call.tensors[summed.position].dim() != 3:
        return None
    edges = None if features is None else _Edges(features.position, lambda edge: mapping(conv, edge))
    return _Attention(
        conv, kind, keys.position, queries.position, None if values is None else values.position, vector, edges
    )


def _heads(conv: Any, features: Tensor) -> Tensor:
    """Features of edges as GATv2 and TransformerConv read them, `[num_edges, heads, channels]`."""
    features = features.view(-1, 1) if features.dim() == 1 else features
    mapped: Tensor = conv.lin_edge(features)
    return mapped.view(-1, conv.heads, conv.out_channels)


def _scores(conv: Any, features: Tensor) -> Tensor:
    """Features of edges as GAT reads them, `[num_edges, heads]`."""
    scores: Tensor = (_heads(conv, features) * conv.att_edge).sum(dim=-1)
    return scores


def _rows(conv: Any, call: Call) -> Kernel | None:
    """Rows as they are, or times a weight per edge."""
    message, reduce = type(conv).message, _REDUCES[type(conv.aggr_module)]
    rows = end_of(conv, call.values.get("x"), "j")
    if call.edge_values is not None or conv.node_dim not in (-2, 0) or not isinstance(rows, Slot):
        return None
    if call.tensors[rows.position].dim() != 2 or (message not in _ROWS and message not in _WEIGHTED_ROWS):
        return None
    weight = call.values.get("edge_weight") if message in _WEIGHTED_ROWS else None
    if weight is None:
        return _Rows(rows.position, None, reduce)
    vector = isinstance(weight, Slot) and call.tensors[weight.position].dim() == 1
    if not vector or reduce in ("max", "min"):
        return None
    return _Rows(rows.position, weight.position, reduce)


def _rows_and_edges(conv: Any, call: Call) -> Kernel | None:
    """GINE: relu(x_j + e_e), with the features of edges mapped where the layer has a map."""
    if type(conv).message is not pyg.GINEConv.message or type(conv.aggr_module) is not aggr.SumAggregation:
        return None
    rows, features = end_of(conv, call.values.get("x"), "j"), call.values.get("edge_attr")
    if not (isinstance(rows, Slot) and isinstance(features, Slot)):
        return None
    if any(call.tensors[slot.position].dim() != 2 for slot in (rows, features)):
        return None
    lin = conv.lin
    if lin is None and call.tensors[features.position].size(1) != call.tensors[rows.position].size(1):
        return None
    return _Rows(rows.position, None, "sum", _Edges(features.position, (lambda edge: edge) if lin is None else lin))
