"""What each layer of a model does under its policy, as a table to print."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import nn
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.cut_layer import cut_layer_of
from gnn_checkpointing.checkpointing.trial import layer_refusal


@dataclass(frozen=True)
class LayerExplanation:
    """One message passing layer: its name, class and policy, why it has that policy, and bytes where they are known.

    `message_bytes` is one tensor of all its messages, which it would hold without a policy; `block_bytes` is what it
    holds of them at a time. Both are known after a forward pass.
    """

    name: str
    layer: str
    policy: str
    reason: str
    message_bytes: int | None = None
    block_bytes: int | None = None


@dataclass(frozen=True)
class Explanation:
    """The layers of a model, in order; printed, it is a table."""

    layers: tuple[LayerExplanation, ...]

    def __str__(self) -> str:
        """The table, a line for each layer."""
        rows = [("layer", "class", "policy", "messages at a time", "reason")]
        rows += [(row.name or "(model)", row.layer, row.policy, _held(row), row.reason) for row in self.layers]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[4]]) for row in rows]
        return "\n".join(line.rstrip() for line in lines)


def explain(model: nn.Module) -> Explanation:
    """The policy of each message passing layer of `model`, with the reason; bytes once a batch has passed through.

    >>> import torch
    >>> from torch_geometric.nn import GraphSAGE
    >>> from gnn_checkpointing import apply, explain
    >>> model = apply(GraphSAGE(64, 64, num_layers=2), "edge_blocks(16384)")
    >>> out = model(torch.randn(1024, 64), torch.arange(65536).remainder(1024).repeat(2, 1))
    >>> print(explain(model))
    layer    class     policy       messages at a time  reason
    convs.0  SAGEConv  edge_blocks  4.0 of 16.0 MiB     4 blocks of at most 16,384 edges
    convs.1  SAGEConv  edge_blocks  4.0 of 16.0 MiB     4 blocks of at most 16,384 edges
    """
    parts = dict(model.named_modules())
    recomputed = [name for name, part in parts.items() if isinstance(vars(part).get("forward"), partial)]
    layers = [(name, layer) for name, layer in parts.items() if isinstance(layer, MessagePassing)]
    return Explanation(tuple(_explained(name, layer, recomputed) for name, layer in layers))


def _explained(name: str, layer: nn.Module, recomputed: list[str]) -> LayerExplanation:
    cut, kind = cut_layer_of(layer), type(layer).__name__
    if cut is not None:
        policy = "layers+edge_blocks" if name in recomputed else cut.computes_by
        return LayerExplanation(name, kind, policy, cut.reason, cut.message_bytes, cut.block_bytes)
    if name in recomputed:
        return LayerExplanation(name, kind, "layers", layer_refusal(layer) or "as asked for")
    for around in recomputed:
        if around and name.startswith(f"{around}."):
            return LayerExplanation(name, kind, "layers", f"{around} is recomputed whole")
    return LayerExplanation(name, kind, "none", "no policy is on this layer")


def _held(row: LayerExplanation) -> str:
    if row.message_bytes is None or row.block_bytes is None:
        return "?"
    return f"{row.block_bytes / 2**20:.1f} of {row.message_bytes / 2**20:.1f} MiB"
