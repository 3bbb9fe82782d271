"""GCNConv by edge blocks: the linear map outside, weighted sum of neighbours inside."""

from __future__ import annotations

from torch import Tensor
from torch_geometric.nn import GCNConv

from gnn_checkpointing.checkpointing.block_plan import BlockPlan, EdgeBlock


def refusal(conv: GCNConv) -> str | None:
    """Refuse a layer that normalises in forward."""
    if conv.normalize:
        return (
            "it normalises in forward; build it with normalize=False and pass the edge weights of "
            "torch_geometric.nn.conv.gcn_conv.gcn_norm, computed once"
        )
    return None


def node_maps(conv: GCNConv, x: Tensor) -> tuple[Tensor, ...]:
    """Return the mapped nodes `[num_nodes, out_channels]`."""
    return (conv.lin(x),)


def edge_stage(conv: GCNConv, plan: BlockPlan, block: EdgeBlock, weight: Tensor | None, *maps: Tensor) -> Tensor:
    """Return the weighted sums of the block's neighbours `[block nodes, out_channels]`."""
    edges = slice(block.start, block.stop)
    x_j = maps[0].index_select(0, plan.source[edges])
    messages = conv.message(x_j, None if weight is None else weight[edges])
    out: Tensor = conv.aggregate(messages, plan.destination(block), None, block.num_nodes)
    return out


def finish(conv: GCNConv, out: Tensor, x: Tensor) -> Tensor:  # noqa: ARG001 - one signature for all adapters
    """Add the bias."""
    return out if conv.bias is None else out + conv.bias
