"""GATConv by edge blocks: linear map and attention terms of the nodes outside, softmax and messages inside."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor
from torch_geometric.nn import GATConv

from gnn_checkpointing.checkpointing.adapters.softmax import softmax_by_destination
from gnn_checkpointing.checkpointing.block_by_block import EdgeInputs


def refusal(conv: GATConv) -> str | None:
    """Refuse edge features and separate maps of sources and destinations."""
    if conv.lin_edge is not None:
        return "edge features are not carried into blocks; build it without edge_dim"
    if conv.lin is None:
        return "it maps sources and destinations apart; build it with one in_channels"
    return None


def edge_inputs(conv: GATConv, x: Tensor, weight: Tensor | None) -> EdgeInputs:  # noqa: ARG001 - reads no weights
    """Return mapped nodes `[num_nodes, heads, channels]` and both attention terms `[num_nodes, heads]`."""
    mapped = conv.lin(x).view(-1, conv.heads, conv.out_channels)
    as_source, as_destination = (mapped * conv.att_src).sum(dim=-1), (mapped * conv.att_dst).sum(dim=-1)
    return EdgeInputs(sources=(mapped, as_source), destinations=(as_destination,))


def edge_stage(conv: GATConv, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
    """Return the attended neighbours of the block `[block nodes, heads, channels]`."""
    mapped, as_source = inputs.sources
    (as_destination,) = inputs.destinations
    alpha_i, alpha_j = as_destination.index_select(0, destination), as_source.index_select(0, source)
    scores = F.leaky_relu(alpha_j + alpha_i, conv.negative_slope)
    alpha = softmax_by_destination(scores, destination, num_nodes)
    messages = conv.message(mapped.index_select(0, source), alpha)
    out: Tensor = conv.aggregate(messages, destination, None, num_nodes)
    return out


def finish(conv: GATConv, out: Tensor, x: Tensor) -> Tensor:
    """Join or average the heads, add residual and bias."""
    out = out.flatten(1) if conv.concat else out.mean(dim=1)
    if conv.res is not None:
        out = out + conv.res(x)
    return out if conv.bias is None else out + conv.bias
