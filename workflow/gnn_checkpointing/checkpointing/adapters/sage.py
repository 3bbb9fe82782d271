"""SAGEConv by edge blocks: neighbours aggregated inside, both linear maps outside."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor
from torch_geometric.nn import SAGEConv

from gnn_checkpointing.checkpointing.block_by_block import EdgeInputs


def refusal(conv: SAGEConv) -> str | None:
    """Refuse an aggregation with weights of its own: they would be read outside the blocks' sight."""
    if any(True for _ in conv.aggr_module.parameters()):
        return f"its aggregation {conv.aggr_module} has parameters of its own"
    return None


def edge_inputs(conv: SAGEConv, x: Tensor, weight: Tensor | None) -> EdgeInputs:  # noqa: ARG001 - reads no weights
    """Return what neighbours send `[num_nodes, in_channels]`."""
    return EdgeInputs(sources=(conv.lin(x).relu() if conv.project else x,))


def edge_stage(conv: SAGEConv, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
    """Return the aggregated neighbours of the block `[block nodes, in_channels]`."""
    messages = conv.message(inputs.sources[0].index_select(0, source))
    out: Tensor = conv.aggregate(messages, destination, None, num_nodes)
    return out


def finish(conv: SAGEConv, out: Tensor, x: Tensor) -> Tensor:
    """Map the aggregates and the nodes themselves, and normalise where the layer does."""
    result: Tensor = conv.lin_l(out)
    if conv.root_weight:
        result = result + conv.lin_r(x)
    return F.normalize(result, p=2.0, dim=-1) if conv.normalize else result
