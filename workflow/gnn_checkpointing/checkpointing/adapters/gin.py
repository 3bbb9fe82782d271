"""GINConv by edge blocks: neighbours summed inside, the node itself and the MLP outside."""

from __future__ import annotations

from torch import Tensor
from torch_geometric.nn import GINConv

from gnn_checkpointing.checkpointing.block_by_block import EdgeInputs


def refusal(conv: GINConv) -> str | None:
    """Refuse an aggregation with weights of its own: they would be read outside the blocks' sight."""
    if any(True for _ in conv.aggr_module.parameters()):
        return f"its aggregation {conv.aggr_module} has parameters of its own"
    return None


def edge_inputs(conv: GINConv, x: Tensor, weight: Tensor | None) -> EdgeInputs:  # noqa: ARG001 - reads no weights
    """Return what neighbours send `[num_nodes, in_channels]`."""
    return EdgeInputs(sources=(x,))


def edge_stage(conv: GINConv, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
    """Return the aggregated neighbours of the block `[block nodes, in_channels]`."""
    messages = conv.message(inputs.sources[0].index_select(0, source))
    out: Tensor = conv.aggregate(messages, destination, None, num_nodes)
    return out


def finish(conv: GINConv, out: Tensor, x: Tensor) -> Tensor:
    """Add the nodes themselves and map the sums."""
    result: Tensor = conv.nn(out + (1 + conv.eps) * x)
    return result
