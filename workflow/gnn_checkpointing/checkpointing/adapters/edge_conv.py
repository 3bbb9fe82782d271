"""EdgeConv by edge blocks: its MLP reads both ends of an edge, so all of it is inside."""

from __future__ import annotations

from torch import Tensor, nn
from torch_geometric.nn import EdgeConv

from gnn_checkpointing.checkpointing.block_by_block import EdgeInputs


def refusal(conv: EdgeConv) -> str | None:
    """Refuse dropout in the MLP, and an aggregation with weights of its own."""
    if any(isinstance(part, nn.modules.dropout._DropoutNd) and part.p > 0 for part in conv.nn.modules()):
        return "the dropout of its MLP would draw other masks block by block; drop outside the layer"
    if any(True for _ in conv.aggr_module.parameters()):
        return f"its aggregation {conv.aggr_module} has parameters of its own"
    return None


def edge_inputs(conv: EdgeConv, x: Tensor, weight: Tensor | None) -> EdgeInputs:  # noqa: ARG001 - reads no weights
    """Return the nodes as both ends of an edge `[num_nodes, in_channels]`, and the MLP's parameters."""
    return EdgeInputs(sources=(x,), destinations=(x,), parameters=tuple(conv.nn.parameters()))


def edge_stage(conv: EdgeConv, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
    """Return the aggregated messages of the block `[block nodes, out_channels]`."""
    x_i = inputs.destinations[0].index_select(0, destination)
    messages = conv.message(x_i, inputs.sources[0].index_select(0, source))
    out: Tensor = conv.aggregate(messages, destination, None, num_nodes)
    return out


def finish(conv: EdgeConv, out: Tensor, x: Tensor) -> Tensor:  # noqa: ARG001 - one signature for all adapters
    """Return the aggregates: nothing follows them."""
    return out
