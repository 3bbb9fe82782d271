"""SAGEConv by edge blocks: neighbours aggregated inside, both linear maps outside."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor
from torch_geometric.nn import SAGEConv

from gnn_checkpointing.checkpointing.block_plan import BlockPlan, EdgeBlock


def refusal(conv: SAGEConv) -> str | None:  # noqa: ARG001 - one signature for all adapters
    """Refuse nothing beyond what holds for every layer."""
    return None


def node_maps(conv: SAGEConv, x: Tensor) -> tuple[Tensor, ...]:
    """Return what neighbours send `[num_nodes, in_channels]`."""
    return (conv.lin(x).relu() if conv.project else x,)


def edge_stage(
    conv: SAGEConv,
    plan: BlockPlan,
    block: EdgeBlock,
    weight: Tensor | None,  # noqa: ARG001 - SAGEConv reads no edge weights
    *maps: Tensor,
) -> Tensor:
    """Return the aggregated neighbours of the block `[block nodes, in_channels]`."""
    x_j = maps[0].index_select(0, plan.source[block.start : block.stop])
    out: Tensor = conv.aggregate(conv.message(x_j), plan.destination(block), None, block.num_nodes)
    return out


def finish(conv: SAGEConv, out: Tensor, x: Tensor) -> Tensor:
    """Map the aggregates and the nodes themselves, and normalise where the layer does."""
    result: Tensor = conv.lin_l(out)
    if conv.root_weight:
        result = result + conv.lin_r(x)
    return F.normalize(result, p=2.0, dim=-1) if conv.normalize else result
