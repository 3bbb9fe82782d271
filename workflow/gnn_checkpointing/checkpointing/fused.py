"""Choose calls of `propagate` that can be computed faster than by the layer's methods: by kernels, or partly on nodes.

Layers are recognised by their methods. A layer has a kernel if it computes its messages by PyG's own code for GAT,
GATv2, TransformerConv or GINE, or if its message is a neighbour's row, possibly times a weight, and it aggregates by
PyG's sum, mean, maximum or minimum. With a kernel, no value per edge exists in either pass.

The message of EdgeConv is `mlp([x_i, x_j - x_i])`. If the first linear map has the weight W = [A B], its result is
(A - B) x_i + b + B x_j, a sum of two node maps; the rest of the MLP is computed in blocks. The largest product is then
computed on nodes instead of edges, and so are its three products in the backward pass. A trial compares both ways on
the first call; if they differ, the layer keeps its own message.
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.nn import MessagePassing, aggr

from gnn_checkpointing.checkpointing.block_arguments import Call, Slot, end_of
from gnn_checkpointing.checkpointing.block_plan import EdgeBlock
from gnn_checkpointing.checkpointing.compilation import require_compiler
from gnn_checkpointing.checkpointing.cut_call import CutCall, Leaves, stage
from gnn_checkpointing.checkpointing.given import as_given
from gnn_checkpointing.checkpointing.kernel_executors import AttentionKernel, EdgeFeatures, Kernel, RowsKernel
from gnn_checkpointing.checkpointing.kernels import attention
from gnn_checkpointing.checkpointing.kernels.build import load
from gnn_checkpointing.checkpointing.pyg_functions import aggregates_as_pyg
from gnn_checkpointing.checkpointing.recomputation import Recomputation
from gnn_checkpointing.checkpointing.variations import alike
from gnn_checkpointing.refusal import Unavailable

_FEW_EDGES = 4096
"""Number of edges for which a faster way is compared with the layer's methods."""
_EDGE_CONVS = (pyg.EdgeConv.message, pyg.DynamicEdgeConv.message)
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


def kernel_for(conv: MessagePassing, call: Call) -> Kernel | None:
    """The kernel that computes this call, or None."""
    known = {tensor.dtype for tensor in call.tensors} in ({torch.float32}, {torch.float64})
    devices = {tensor.device for tensor in call.tensors}
    if not known or len(devices) != 1 or not _compiles_for(devices.pop().type):
        return None
    if type(conv).aggregate is not MessagePassing.aggregate or not aggregates_as_pyg(conv.aggr_module):
        return None
    # The user has replaced methods on this one layer.
    if vars(conv).keys() & {"message", "aggregate", "edge_update"}:
        return None
    return _attention(conv, call) or _rows(conv, call) or _rows_and_edges(conv, call)


@functools.cache
def _compiles_for(device_type: str) -> bool:
    """Whether kernels can be compiled for a device; a model may have been moved since a policy was applied."""
    try:
        require_kernels(device_type)
    except Unavailable:
        return False
    return True


def require_kernels(device_type: str) -> None:
    """Raise `Unavailable` if this machine lacks a tool needed to compile kernels for this type of device."""
    if device_type == "cpu":
        load()
    elif device_type == "cuda":
        require_compiler("cuda", "fused_edge_blocks")
    else:
        raise Unavailable(f"policy fused_edge_blocks has kernels for CPU and CUDA, not for {device_type}")


def _attention(conv: Any, call: Call) -> Kernel | None:
    kind, edge_values = type(conv), call.edge_values or {}
    if type(conv.aggr_module) is not aggr.SumAggregation or not isinstance(getattr(conv, "dropout", None), float | int):
        return None

    def kernel(
        kind: attention.Kind, keys: Any, queries: Any, values: Any, features: Any, mapping: Callable[..., Tensor]
    ) -> Kernel | None:
        summed = keys if values is None else values
        if not all(isinstance(slot, Slot) for slot in (keys, queries, summed)):
            return None
        if not isinstance(features, Slot | None) or not (features is None or _is_linear(conv.lin_edge)):
            return None
        if call.tensors[summed.position].dim() != 3:
            return None
        edges = None if features is None else EdgeFeatures(features.position, lambda edge: mapping(conv, edge))
        of_values, vector = None if values is None else values.position, "att" if kind == "gatv2" else None
        return AttentionKernel(conv, kind, keys.position, queries.position, of_values, vector, edges)

    if kind.message is pyg.TransformerConv.message and call.edge_values is None:
        keys, queries, values, features = (call.values.get(name) for name in ("key", "query", "value", "edge_attr"))
        return kernel("transformer", keys, queries, values, features, _heads)
    updates = getattr(kind, "edge_update", None)
    if updates is pyg.GATv2Conv.edge_update and kind.message is pyg.GATv2Conv.message:
        keys, queries = (end_of(conv, edge_values.get("x"), end) for end in "ji")
        same = end_of(conv, call.values.get("x"), "j") == keys
        if not same or not isinstance(vars(conv)["_parameters"].get("att"), nn.Parameter | Tensor):
            return None
        return kernel("gatv2", keys, queries, None, edge_values.get("edge_attr"), _heads)
    if updates is pyg.GATConv.edge_update and kind.message is pyg.GATConv.message:
        keys, queries = (end_of(conv, edge_values.get("alpha"), end) for end in "ji")
        features = edge_values.get("edge_attr") if conv.lin_edge is not None else None
        return kernel("gat", keys, queries, end_of(conv, call.values.get("x"), "j"), features, _scores)
    return None


def _is_linear(mapping: nn.Module) -> bool:
    """Whether a kernel may map features block by block: another map may draw, have a state, or compare edges."""
    return type(mapping) in (pyg.Linear, nn.Linear) and "forward" not in vars(mapping)


def _heads(conv: Any, features: Tensor) -> Tensor:
    """Mapped edge features for GATv2 and TransformerConv, `[num_edges, heads, channels]`."""
    features = features.view(-1, 1) if features.dim() == 1 else features
    mapped: Tensor = conv.lin_edge(features)
    return mapped.view(-1, conv.heads, conv.out_channels)


def _scores(conv: Any, features: Tensor) -> Tensor:
    """Scores of edge features for GAT, `[num_edges, heads]`."""
    scores: Tensor = (_heads(conv, features) * conv.att_edge).sum(dim=-1)
    return scores


def _rows(conv: Any, call: Call) -> Kernel | None:
    """The kernel for neighbours' rows, unweighted or times a weight per edge."""
    message, reduce = type(conv).message, _REDUCES[type(conv.aggr_module)]
    rows = end_of(conv, call.values.get("x"), "j")
    if call.edge_values is not None or conv.node_dim not in (-2, 0) or not isinstance(rows, Slot):
        return None
    if call.tensors[rows.position].dim() != 2 or (message not in _ROWS and message not in _WEIGHTED_ROWS):
        return None
    weight = call.values.get("edge_weight") if message in _WEIGHTED_ROWS else None
    if weight is None:
        return RowsKernel(rows.position, None, reduce)
    vector = isinstance(weight, Slot) and call.tensors[weight.position].dim() == 1
    if not vector or reduce in ("max", "min"):
        return None
    return RowsKernel(rows.position, weight.position, reduce)


def _rows_and_edges(conv: Any, call: Call) -> Kernel | None:
    """The kernel for GINE: relu(x_j + e_e), with edge features mapped if the layer has a map for them."""
    if type(conv).message is not pyg.GINEConv.message or type(conv.aggr_module) is not aggr.SumAggregation:
        return None
    rows, features = end_of(conv, call.values.get("x"), "j"), call.values.get("edge_attr")
    if not (isinstance(rows, Slot) and isinstance(features, Slot)):
        return None
    of_rows, of_features = call.tensors[rows.position], call.tensors[features.position]
    if of_rows.dim() != 2 or of_features.dim() != 2 or (conv.lin is None and of_features.size(1) != of_rows.size(1)):
        return None
    if conv.lin is not None and not _is_linear(conv.lin):
        return None
    mapping = (lambda edge: edge) if conv.lin is None else conv.lin
    return RowsKernel(rows.position, None, "sum", EdgeFeatures(features.position, mapping))


def on_nodes(cut: CutCall) -> CutCall | None:
    """An EdgeConv's call with the first linear map computed on nodes; None if the layer is not supported."""
    conv: Any = cut.conv
    own = vars(conv).keys() & {"message", "aggregate"} or type(conv).aggregate is not MessagePassing.aggregate
    if own or type(conv).message not in _EDGE_CONVS or cut.call.edge_values is not None:
        return None
    mlp = conv.nn
    if type(mlp) is not nn.Sequential or len(mlp) < 2 or type(mlp[0]) is not nn.Linear or "forward" in vars(mlp[0]):
        return None
    slots = [end_of(conv, cut.call.values.get("x"), end) for end in "ij"]
    autocast = torch.is_autocast_enabled(cut.edges.pointer.device.type)
    if autocast or not all(isinstance(slot, Slot) for slot in slots):
        return None
    here, there = (as_given(cut.call.tensors[slot.position]) for slot in slots)
    if any(
        r.dim() != 2 or r.dtype != mlp[0].weight.dtype or 2 * r.size(1) != mlp[0].in_features for r in (here, there)
    ):
        return None
    of_node, of_difference = mlp[0].weight.chunk(2, dim=1)
    maps = (
        nn.functional.linear(here, of_node - of_difference, mlp[0].bias),
        nn.functional.linear(there, of_difference),
    )
    rest: Any = _Rest(conv)
    return replace(cut, conv=rest, call=Call(maps, {"p": Slot(0), "q": Slot(1)}), roles={})


class _Rest:
    """Proxy for the layer after its first linear map, with the methods and attributes that blocks use."""

    class inspector:  # noqa: N801 - a layer's attribute
        """The arguments of the methods below."""

        @staticmethod
        def get_param_names(method: str) -> list[str]:
            """Argument names of `message` and `aggregate`."""
            return ["p_i", "q_j"] if method == "message" else ["index", "ptr", "dim_size"]

    def __init__(self, conv: Any) -> None:
        self.layer = conv

    def message(self, p_i: Tensor, q_j: Tensor) -> Tensor:
        """The rest of the MLP, layer by layer."""
        return self.layer.nn[1:](p_i.add_(q_j))  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        """Take everything else from the layer."""
        return getattr(self.layer, name)


def agrees(cut: CutCall, other: CutCall | Kernel) -> bool:
    """Whether another way to compute a call gives what the layer's methods do, for some destinations.

    What these methods call may have been replaced, as PyG's softmax by another one.
    """
    cut, starts, conv = cut.on([tensor.detach() for tensor in cut.call.tensors]), cut.edges.pointer, cut.layer
    # The nodes that have at most so many edges together, or those up to the first one with edges.
    few, one = (int(torch.searchsorted(starts, bound, right=True)) for bound in (_FEW_EDGES, 0))
    block = EdgeBlock(0, max(few - 1, one), 0, int(starts[max(few - 1, one)]))

    def same() -> bool:
        conv.eval()  # dropout masks differ
        own, *others = (
            stage(way, block, cut.edges.ends(block), Leaves()) if isinstance(way, CutCall) else way.forward(cut)[0]
            for way in (cut, other)
        )
        return all(alike(out, whole[: len(out)]) for out, whole in zip(own, *others, strict=True))

    return Recomputation(conv, device=starts.device).again(same)  # type: ignore[no-any-return]
