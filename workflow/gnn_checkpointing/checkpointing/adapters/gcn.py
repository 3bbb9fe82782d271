"""GCNConv by edge blocks: the linear map outside, weighted sum of neighbours inside."""

from __future__ import annotations

from torch import Tensor
from torch_geometric.nn import GCNConv

from gnn_checkpointing.checkpointing.block_by_block import EdgeInputs


def refusal(conv: GCNConv) -> str | None:
    """Refuse a layer that normalises in forward."""
    if conv.normalize:
        return (
            "it normalises in forward; build it with normalize=False and pass the edge weights of "
            "torch_geometric.nn.conv.gcn_conv.gcn_norm, computed once"
        )
    return None


def edge_inputs(conv: GCNConv, x: Tensor, weight: Tensor | None) -> EdgeInputs:
    """Return the mapped nodes `[num_nodes, out_channels]` and the edge weights `[num_edges]`."""
    return EdgeInputs(sources=(conv.lin(x),), per_edge=() if weight is None else (weight,))


def edge_stage(conv: GCNConv, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
    """Return the weighted sums of the block's neighbours `[block nodes, out_channels]`."""
    weight = inputs.per_edge[0] if inputs.per_edge else None
    messages = conv.message(inputs.sources[0].index_select(0, source), weight)
    out: Tensor = conv.aggregate(messages, destination, None, num_nodes)
    return out


def finish(conv: GCNConv, out: Tensor, x: Tensor) -> Tensor:  # noqa: ARG001 - one signature for all adapters
    """Add the bias."""
    return out if conv.bias is None else out + conv.bias
