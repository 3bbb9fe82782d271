"""GATv2Conv by edge blocks: both linear maps outside; scores, softmax and messages inside."""

from __future__ import annotations

from torch import Tensor
from torch_geometric.nn import GATv2Conv

from gnn_checkpointing.checkpointing.adapters.gat import finish
from gnn_checkpointing.checkpointing.block_plan import BlockPlan, EdgeBlock

__all__ = ["edge_stage", "finish", "node_maps", "refusal"]


def refusal(conv: GATv2Conv) -> str | None:
    """Refuse edge features."""
    if conv.lin_edge is not None:
        return "edge features are not carried into blocks; build it without edge_dim"
    return None


def node_maps(conv: GATv2Conv, x: Tensor) -> tuple[Tensor, ...]:
    """Return the nodes as sources and as destinations, each `[num_nodes, heads, channels]`."""
    source = conv.lin_l(x).view(-1, conv.heads, conv.out_channels)
    if conv.share_weights:
        return source, source
    return source, conv.lin_r(x).view(-1, conv.heads, conv.out_channels)


def edge_stage(
    conv: GATv2Conv,
    plan: BlockPlan,
    block: EdgeBlock,
    weight: Tensor | None,  # noqa: ARG001 - GATv2Conv reads no edge weights
    *maps: Tensor,
) -> Tensor:
    """Return the attended neighbours of the block `[block nodes, heads, channels]`.

    Sources are gathered once for scores and messages; PyG's own forward pass gathers them twice.
    """
    as_source, as_destination = maps
    destination = plan.destination(block)
    x_j = as_source.index_select(0, plan.source[block.start : block.stop])
    x_i = as_destination[block.first : block.last].index_select(0, destination)
    alpha = conv.edge_update(x_j, x_i, None, destination, None, block.num_nodes)
    out: Tensor = conv.aggregate(conv.message(x_j, alpha), destination, None, block.num_nodes)
    return out
