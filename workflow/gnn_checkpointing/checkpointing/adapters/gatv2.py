"""GATv2Conv by edge blocks: both linear maps outside; scores, softmax and messages inside."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import GATv2Conv

from gnn_checkpointing.checkpointing.adapters.gat import finish
from gnn_checkpointing.checkpointing.adapters.softmax import softmax_by_destination
from gnn_checkpointing.checkpointing.block_by_block import EdgeInputs

__all__ = ["edge_inputs", "edge_stage", "finish", "refusal"]


def refusal(conv: GATv2Conv) -> str | None:
    """Refuse edge features and an attention vector that is not a plain parameter."""
    if not isinstance(conv.att, nn.Parameter):
        return "its attention vector is parametrised, and blocks would differentiate a copy of it"
    if conv.lin_edge is not None:
        return "edge features are not carried into blocks; build it without edge_dim"
    return None


def edge_inputs(conv: GATv2Conv, x: Tensor, weight: Tensor | None) -> EdgeInputs:  # noqa: ARG001 - reads no weights
    """Return the nodes as sources and as destinations, each `[num_nodes, heads, channels]`, and the attention."""
    as_source = conv.lin_l(x).view(-1, conv.heads, conv.out_channels)
    as_destination = as_source if conv.share_weights else conv.lin_r(x).view(-1, conv.heads, conv.out_channels)
    return EdgeInputs(sources=(as_source,), destinations=(as_destination,), parameters=(conv.att,))


def edge_stage(conv: GATv2Conv, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
    """Return the attended neighbours of the block `[block nodes, heads, channels]`.

    Sources are gathered once for scores and messages; PyG's own forward pass gathers them twice.
    """
    (attention,) = inputs.parameters
    x_j = inputs.sources[0].index_select(0, source)
    x_i = inputs.destinations[0].index_select(0, destination)
    scores = (F.leaky_relu(x_i + x_j, conv.negative_slope) * attention).sum(dim=-1)
    alpha = softmax_by_destination(scores, destination, num_nodes)
    out: Tensor = conv.aggregate(conv.message(x_j, alpha), destination, None, num_nodes)
    return out
