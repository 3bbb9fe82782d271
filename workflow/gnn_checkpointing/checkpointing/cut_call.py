"""A call of `propagate` in parts: what it reads, what one part of it computes, and who may compute it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from torch import Tensor
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.block_arguments import BlockReader, Call, Leaves, Role
from gnn_checkpointing.checkpointing.block_plan import EdgeBlock, SortedEdges
from gnn_checkpointing.checkpointing.faster_parts import aggregate_unread, method_of

Outputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class CutCall:
    """A call of `propagate` with all that is needed to compute it in parts of at most `edges_per_block` edges."""

    conv: MessagePassing
    call: Call
    edges: SortedEdges
    roles: dict[str, Role]
    edges_per_block: int

    @property
    def blocks(self) -> tuple[EdgeBlock, ...]:
        """The parts, each whole for its destinations."""
        return self.edges.blocks(self.edges_per_block)

    def on(self, tensors: Sequence[Tensor]) -> CutCall:
        """The same call on other tensors."""
        return replace(self, call=self.call.with_tensors(tensors))

    def reader(self) -> BlockReader:
        """A reader of its arguments."""
        return BlockReader(self.conv, self.call, self.edges, self.roles)


class Executor(Protocol):
    """A way to compute a cut call and its gradients."""

    @property
    def draws(self) -> bool:
        """Whether the gradients may draw random numbers, which must be those of the forward pass."""

    def forward(self, cut: CutCall) -> tuple[Outputs, Outputs]:
        """The aggregates `[..., num_nodes, ...]`, and values per node that the backward pass will read."""

    def gradients(
        self,
        cut: CutCall,
        kept: Outputs,
        gradients: Sequence[Tensor | None],
        wanted: Sequence[bool],
        parameters: Outputs,
    ) -> tuple[Sequence[Tensor | None], Sequence[Tensor | None]]:
        """The gradients of `cut.call.tensors` where `wanted`, and those of `parameters`."""


def stage(
    cut: CutCall,
    reader: BlockReader,
    block: EdgeBlock,
    ends: tuple[Tensor, Tensor],
    leaves: Leaves,
    *,
    unread: bool = False,
) -> tuple[Tensor, ...]:
    """What the layer aggregates for the block's nodes, by its own methods; `unread`: only to be differentiated."""
    conv, call = cut.conv, cut.call

    def arguments(method: str, values: dict[str, Any]) -> dict[str, Any]:
        names = conv.inspector.get_param_names(method)
        found = reader.arguments(names, values, block, ends, leaves)
        return found | {name: value for name, value in updated.items() if name in names}

    updated: dict[str, Any] = {}
    if call.edge_values is not None and call.edge_result is not None:
        updated[call.edge_result] = method_of(conv, "edge_update")(**arguments("edge_update", call.edge_values))
    messages = method_of(conv, "message")(**arguments("message", call.values))
    if unread and (shape := aggregate_unread(conv, messages, ends[1], block.num_nodes)) is not None:
        return (shape,)
    out = conv.aggregate(messages, **arguments("aggregate", call.values))
    return tuple(out) if isinstance(out, tuple | list) else (out,)
