"""Policy `edge_blocks`: per-edge work is done and recomputed block by block, so its memory does not grow with density.

Edges are sorted by destination and cut into blocks that hold all edges of their destination nodes; a softmax over a
node's neighbours therefore stays exact. Each block's per-edge stage is run again in the backward pass; what remains
is one layer's node maps per layer and one block's messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol, TypeVar

from torch import Tensor, nn
from torch_geometric.nn import GATConv, GATv2Conv, GCNConv, MessagePassing, SAGEConv

from gnn_checkpointing.checkpointing.adapters import gat, gatv2, gcn, generic, sage
from gnn_checkpointing.checkpointing.block_by_block import EdgeInputs, block_by_block
from gnn_checkpointing.checkpointing.block_plan import BlockPlan, plan_blocks
from gnn_checkpointing.refusal import Refusal

Layer = TypeVar("Layer", bound=nn.Module)


class Adapter(Protocol):
    """One convolution's forward pass in three stages, of which only the middle one touches edges."""

    def refusal(self, conv: Any) -> str | None:
        """Return why the layer cannot be cut into blocks, or None."""

    def edge_inputs(self, conv: Any, x: Tensor, weight: Tensor | None) -> EdgeInputs:
        """Return what the per-edge stage reads; the maps of nodes are made here, once."""

    def edge_stage(self, conv: Any, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
        """Return the aggregated messages of a block's destination nodes, `[block nodes, ...]`."""

    def finish(self, conv: Any, out: Tensor, x: Tensor) -> Tensor:
        """Return the layer's output `[num_nodes, out_channels]` from the joined aggregates."""


# The exact type: a subclass may compute something else, and takes the generic path.
_ADAPTERS: dict[type, Adapter] = {
    GCNConv: gcn,
    SAGEConv: sage,
    GATConv: gat,
    GATv2Conv: gatv2,
}


class BlockPlans:
    """The plan of the graph seen last, shared by all layers of a model, so that its tables exist once."""

    def __init__(self, edges_per_block: int | None) -> None:
        self.edges_per_block = edges_per_block
        self._seen: tuple[Tensor, int, int] | None = None
        self._plan: BlockPlan | None = None

    def plan(self, edge_index: Tensor, num_nodes: int) -> BlockPlan:
        """Return the plan of this graph; a tensor changed in place since is planned anew."""
        seen = self._seen
        if (
            self._plan is None
            or seen is None
            or seen[0] is not edge_index
            or seen[1:] != (edge_index._version, num_nodes)
        ):
            self._plan = plan_blocks(edge_index, num_nodes, self.edges_per_block)
            self._seen = (edge_index, edge_index._version, num_nodes)
        return self._plan

    def tensors(self) -> Iterator[Tensor]:
        """Yield what the current plan keeps in memory."""
        if self._plan is not None:
            yield from self._plan.tensors()


def edge_blocks(conv: Layer, edges_per_block: int | None = None) -> Layer:
    """Make one PyG layer compute by edge blocks, in place, and return it.

    The layer is called as before, `conv(x, edge_index)` or `conv(x, edge_index, edge_weight)`, with `x`
    `[num_nodes, channels]`. Raises `Refusal` where blocks would change what the layer computes.
    """
    _wrap(conv, BlockPlans(_checked_size(edges_per_block)))
    return conv


def block_all_layers(model: nn.Module, edges_per_block: int | None = None) -> None:
    """Make every message passing layer of `model` compute by edge blocks, with one plan for all."""
    layers = [module for module in model.modules() if isinstance(module, MessagePassing)]
    if not layers:
        raise Refusal(f"policy edge_blocks: {type(model).__name__} has no PyG message passing layer")
    for layer in layers:
        _check(layer)
    plans = BlockPlans(_checked_size(edges_per_block))
    for layer in layers:
        _wrap(layer, plans)


def policy_tensors(model: nn.Module) -> list[Tensor]:
    """Return the tables that a policy keeps in memory beside the model's own tensors."""
    plans = {id(found): found for module in model.modules() if (found := getattr(module, "_block_plans", None))}
    return [tensor for found in plans.values() for tensor in found.tensors()]


def _checked_size(edges_per_block: int | None) -> int | None:
    if edges_per_block is not None and edges_per_block < 1:
        raise Refusal(f"edges_per_block is {edges_per_block}; give a positive number of edges, or None")
    return edges_per_block


def _check(conv: nn.Module) -> None:
    """Refuse a layer that blocks would change, with the reason."""
    reason = _common_refusal(conv) or _ADAPTERS.get(type(conv), generic).refusal(conv)
    if reason:
        raise Refusal(f"edge_blocks cannot wrap {type(conv).__name__}: {reason}")


def _common_refusal(conv: Any) -> str | None:
    if not isinstance(conv, MessagePassing):
        return "it is not a PyG MessagePassing layer"
    if hasattr(conv, "_block_plans"):
        return "it computes by edge blocks already"
    if conv.flow != "source_to_target":
        return f"its flow is {conv.flow}; blocks are cut by destination and need source_to_target"
    if getattr(conv, "add_self_loops", False):
        return (
            "it adds self-loops in forward; build it with add_self_loops=False and add them once, outside, with "
            "torch_geometric.utils.add_self_loops"
        )
    dropout = getattr(conv, "dropout", 0.0)
    if isinstance(dropout, float | int) and dropout > 0:
        return "its dropout inside the per-edge stage would draw other masks block by block; drop outside the layer"
    if any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in conv.modules()):
        return "the BatchNorm inside it would see blocks instead of the whole graph"
    return None


def _wrap(conv: nn.Module, plans: BlockPlans) -> None:
    _check(conv)
    conv.forward = partial(_blocked, conv, conv.forward, plans)
    conv._block_plans = plans  # type: ignore[assignment] # found again by policy_tensors


def _blocked(
    conv: nn.Module,
    forward: Callable[..., Any],
    plans: BlockPlans,
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None = None,
) -> Tensor:
    """Compute `conv(x, edge_index, edge_weight)` by blocks."""
    plan = plans.plan(edge_index, x.size(0))
    weight = None if edge_weight is None else plan.in_order(edge_weight)
    adapter = _ADAPTERS.get(type(conv))
    if adapter is None:
        return generic.blocked(forward, x, plan, weight)
    out = block_by_block(partial(adapter.edge_stage, conv), adapter.edge_inputs(conv, x, weight), plan)
    return adapter.finish(conv, out, x)
