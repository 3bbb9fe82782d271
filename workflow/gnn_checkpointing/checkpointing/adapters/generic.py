"""Any PyG layer that accepts bipartite input `(x, x of the block)`: its node maps are recomputed in each block."""

from __future__ import annotations

import typing
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.block_plan import BlockPlan, EdgeBlock


def refusal(conv: MessagePassing) -> str | None:
    """Refuse a layer whose forward pass does not say that it takes a pair of source and destination nodes."""
    if getattr(conv, "normalize", False) and hasattr(conv, "improved"):
        return "it normalises in forward; normalise once, outside"
    if not _accepts_pair(typing.get_type_hints(type(conv).forward).get("x")):
        return "its forward pass does not accept bipartite input (x, x_destination), and it has no adapter"
    return None


def _accepts_pair(hint: object) -> bool:
    if typing.get_origin(hint) is tuple:
        return True
    return any(_accepts_pair(part) for part in typing.get_args(hint))


def blocked(forward: Callable[..., Tensor], x: Tensor, plan: BlockPlan, weight: Tensor | None) -> Tensor:
    """Return the layer's output `[num_nodes, out_channels]`, block by block.

    Under `torch.utils.checkpoint`, which restores the random state: a layer that is not known here might draw.
    """
    parts = [checkpoint(_one_block, forward, x, plan, block, weight, use_reentrant=False) for block in plan.blocks]
    return torch.cat(parts)


def _one_block(
    forward: Callable[..., Tensor], x: Tensor, plan: BlockPlan, block: EdgeBlock, weight: Tensor | None
) -> Tensor:
    edges = slice(block.start, block.stop)
    edge_index = torch.stack([plan.source[edges], plan.destination(block)])
    weights = () if weight is None else (weight[edges],)
    return forward((x, x[block.first : block.last]), edge_index, *weights)
