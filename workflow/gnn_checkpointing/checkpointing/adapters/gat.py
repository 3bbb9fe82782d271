"""GATConv by edge blocks: linear map and attention terms of the nodes outside, softmax and messages inside."""

from __future__ import annotations

from torch import Tensor
from torch_geometric.nn import GATConv

from gnn_checkpointing.checkpointing.block_plan import BlockPlan, EdgeBlock


def refusal(conv: GATConv) -> str | None:
    """Refuse edge features and separate maps of sources and destinations."""
    if conv.lin_edge is not None:
        return "edge features are not carried into blocks; build it without edge_dim"
    if conv.lin is None:
        return "it maps sources and destinations apart; build it with one in_channels"
    return None


def node_maps(conv: GATConv, x: Tensor) -> tuple[Tensor, ...]:
    """Return mapped nodes `[num_nodes, heads, channels]` and both attention terms `[num_nodes, heads]`."""
    mapped = conv.lin(x).view(-1, conv.heads, conv.out_channels)
    return mapped, (mapped * conv.att_src).sum(dim=-1), (mapped * conv.att_dst).sum(dim=-1)


def edge_stage(
    conv: GATConv,
    plan: BlockPlan,
    block: EdgeBlock,
    weight: Tensor | None,  # noqa: ARG001 - GATConv reads no edge weights
    *maps: Tensor,
) -> Tensor:
    """Return the attended neighbours of the block `[block nodes, heads, channels]`."""
    mapped, term_source, term_destination = maps
    source, destination = plan.source[block.start : block.stop], plan.destination(block)
    alpha_i = term_destination[block.first : block.last].index_select(0, destination)
    alpha_j = term_source.index_select(0, source)
    alpha = conv.edge_update(alpha_j, alpha_i, None, destination, None, block.num_nodes)
    messages = conv.message(mapped.index_select(0, source), alpha)
    out: Tensor = conv.aggregate(messages, destination, None, block.num_nodes)
    return out


def finish(conv: GATConv, out: Tensor, x: Tensor) -> Tensor:
    """Join or average the heads, add residual and bias."""
    out = out.flatten(1) if conv.concat else out.mean(dim=1)
    if conv.res is not None:
        out = out + conv.res(x)
    return out if conv.bias is None else out + conv.bias
