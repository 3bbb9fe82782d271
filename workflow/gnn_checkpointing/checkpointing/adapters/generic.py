"""Any PyG layer that accepts bipartite input `(x, x of the block)`: all that it computes is computed in each block."""

from __future__ import annotations

import typing

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.block_by_block import EdgeInputs


def refusal(conv: MessagePassing) -> str | None:
    """Refuse a layer whose forward pass does not say that it takes a pair of source and destination nodes."""
    if getattr(conv, "normalize", False) and hasattr(conv, "improved"):
        return "it normalises in forward; normalise once, outside"
    if any(isinstance(part, nn.modules.dropout._DropoutNd) and part.p > 0 for part in conv.modules()):
        return "the dropout inside it would draw other masks block by block; drop outside the layer"
    if not _accepts_pair(typing.get_type_hints(type(conv).forward).get("x")):
        return "its forward pass does not accept bipartite input (x, x_destination), and it has no adapter"
    return None


def _accepts_pair(hint: object) -> bool:
    if typing.get_origin(hint) is tuple:
        return True
    return any(_accepts_pair(part) for part in typing.get_args(hint))


def edge_inputs(conv: MessagePassing, x: Tensor, weight: Tensor | None) -> EdgeInputs:
    """Return the nodes as both ends of an edge `[num_nodes, channels]`, the weights and every parameter."""
    per_edge = () if weight is None else (weight,)
    return EdgeInputs(sources=(x,), destinations=(x,), per_edge=per_edge, parameters=tuple(conv.parameters()))


def edge_stage(conv: MessagePassing, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int) -> Tensor:  # noqa: ARG001 - one signature for all adapters
    """Return the layer's output for the block's nodes `[block nodes, out_channels]`, by the class's own forward."""
    ends = (inputs.sources[0], inputs.destinations[0])
    out: Tensor = type(conv).forward(conv, ends, torch.stack([source, destination]), *inputs.per_edge)
    return out


def finish(conv: MessagePassing, out: Tensor, x: Tensor) -> Tensor:  # noqa: ARG001 - one signature for all adapters
    """Return the output: nothing follows it."""
    return out
