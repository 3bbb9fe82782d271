"""Any PyG layer that accepts bipartite input `(x, x of the block)`: its node maps are recomputed in each block."""

from __future__ import annotations

import typing
from collections.abc import Callable

import torch
from torch import Tensor
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.block_plan import BlockPlan, EdgeBlock


def refusal(conv: MessagePassing) -> str | None:
    """Refuse a layer whose forward pass does not say that it takes a pair of source and destination nodes."""
    if getattr(conv, "normalize", False) and hasattr(conv, "improved"):
        return "it normalises in forward; normalise once, outside"
    accepted = typing.get_type_hints(type(conv).forward).get("x")
    if not _accepts_pair(accepted):
        return "its forward pass does not accept bipartite input (x, x_destination), and it has no adapter"
    return None


def _accepts_pair(hint: object) -> bool:
    if typing.get_origin(hint) is tuple:
        return True
    return any(_accepts_pair(part) for part in typing.get_args(hint))


def node_maps(conv: MessagePassing, x: Tensor) -> tuple[Tensor, ...]:  # noqa: ARG001 - one signature for all
    """Return the nodes as they are; the layer maps them itself."""
    return (x,)


def edge_stage(
    forward: Callable[..., Tensor], plan: BlockPlan, block: EdgeBlock, weight: Tensor | None, *maps: Tensor
) -> Tensor:
    """Return the layer's own output for the block's destination nodes `[block nodes, out_channels]`."""
    (x,) = maps
    edges = slice(block.start, block.stop)
    edge_index = torch.stack([plan.source[edges], plan.destination(block)])
    weights = () if weight is None else (weight[edges],)
    return forward((x, x[block.first : block.last]), edge_index, *weights)


def finish(conv: MessagePassing, out: Tensor, x: Tensor) -> Tensor:  # noqa: ARG001 - one signature for all
    """Return the joined blocks."""
    return out
