"""Layers that compute by edge blocks: which can, how they are wrapped, and the tables they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch_geometric.nn import EdgeConv, GATConv, GATv2Conv, GCNConv, GINConv, MessagePassing, SAGEConv

from gnn_checkpointing.checkpointing.adapters import edge_conv, gat, gatv2, gcn, generic, gin, sage
from gnn_checkpointing.checkpointing.block_by_block import BlockWork, EdgeInputs, block_by_block
from gnn_checkpointing.checkpointing.block_plan import SortedEdges, block_size, sorted_edges
from gnn_checkpointing.refusal import Refusal

Layer = TypeVar("Layer", bound=nn.Module)


class Adapter(Protocol):
    """One convolution's forward pass in three stages, of which only the middle one touches edges."""

    def refusal(self, conv: Any) -> str | None:
        """Return why the layer cannot be cut into blocks, or None."""

    def edge_inputs(self, conv: Any, x: Tensor, weight: Tensor | None) -> EdgeInputs:
        """Return what the per-edge stage reads; the maps of nodes are made here."""

    def edge_stage(self, conv: Any, inputs: EdgeInputs, source: Tensor, destination: Tensor, num_nodes: int) -> Tensor:
        """Return the aggregated messages of a block's destination nodes, `[block nodes, ...]`."""

    def finish(self, conv: Any, out: Tensor, x: Tensor) -> Tensor:
        """Return the layer's output `[num_nodes, out_channels]` from the joined aggregates."""


# The exact type: a subclass may compute something else, and takes the generic path.
_ADAPTERS: dict[type, Adapter] = {
    GCNConv: gcn,
    SAGEConv: sage,
    GINConv: gin,
    GATConv: gat,
    GATv2Conv: gatv2,
    EdgeConv: edge_conv,
}

Worker = Callable[[nn.Module], BlockWork]
"""Makes a policy's work for one layer; raises `Refusal` where the policy cannot do it."""


def adapter_of(conv: nn.Module) -> Adapter:
    """Return the three stages of a layer's forward pass: its own where it is known, else the generic ones."""
    return _ADAPTERS.get(type(conv), generic)


class SharedEdges:
    """The sorted edges of the graph seen last, shared by all layers of a model, so that its tables exist once."""

    def __init__(self, edges_per_block: int | None, edges_per_node: int) -> None:
        self._edges_per_block = edges_per_block
        self._edges_per_node = edges_per_node
        self._seen: tuple[Tensor, int, int] | None = None
        self._edges: SortedEdges | None = None

    def of(self, edge_index: Tensor, num_nodes: int) -> SortedEdges:
        """Return the sorted edges of this graph; a tensor changed in place since is sorted anew."""
        seen = self._seen
        if (
            self._edges is None
            or seen is None
            or seen[0] is not edge_index
            or seen[1:] != (edge_index._version, num_nodes)
        ):
            self.keep(edge_index, num_nodes, sorted_edges(edge_index, num_nodes))
        assert self._edges is not None
        return self._edges

    def keep(self, edge_index: Tensor, num_nodes: int, edges: SortedEdges) -> None:
        """Take `edges` for the sorted edges of `edge_index` from now on."""
        self._seen, self._edges = (edge_index, edge_index._version, num_nodes), edges

    def size(self, num_nodes: int, channels: int, x: Tensor) -> int:
        """Return the edges of a block: as many as were asked for, else what suits the graph and the machine."""
        return self._edges_per_block or block_size(num_nodes, channels, self._edges_per_node, x.device)

    @property
    def largest_block(self) -> int:
        """Edges of the largest block of the current graph; 0 before the first forward pass."""
        return 0 if self._edges is None else self._edges.largest_block

    def tensors(self) -> Iterator[Tensor]:
        """Yield what the tables of the current graph keep in memory."""
        if self._edges is not None:
            yield from self._edges.tensors()


def block_layer(conv: Layer, worker: Worker, edges_per_block: int | None, edges_per_node: int, policy: str) -> Layer:
    """Make one PyG layer compute by edge blocks, in place, and return it; raises `Refusal` where it cannot."""
    _wrap(conv, _work(conv, worker, policy), SharedEdges(checked_size(edges_per_block), edges_per_node), policy)
    return conv


def block_model(
    model: nn.Module, worker: Worker, edges_per_block: int | None, edges_per_node: int, policy: str
) -> None:
    """Make every message passing layer of `model` compute by edge blocks, with one set of tables for all."""
    layers = [module for module in model.modules() if isinstance(module, MessagePassing)]
    if not layers:
        raise Refusal(f"policy {policy}: {type(model).__name__} has no PyG message passing layer")
    works = [_work(layer, worker, policy) for layer in layers]
    shared = SharedEdges(checked_size(edges_per_block), edges_per_node)
    for layer, work in zip(layers, works, strict=True):
        _wrap(layer, work, shared, policy)


def policy_tensors(model: nn.Module) -> list[Tensor]:
    """Return the tables that a policy keeps in memory beside the model's own tensors."""
    return [tensor for shared in shared_edges(model) for tensor in shared.tensors()]


def largest_block_edges(model: nn.Module) -> int | None:
    """Return the edges of the largest block that the model's layers work on at a time; None without blocks."""
    drawn = [getattr(module, "_largest_block_edges", 0) for module in model.modules()]
    return max([shared.largest_block for shared in shared_edges(model)] + drawn, default=0) or None


def shared_edges(model: nn.Module) -> list[SharedEdges]:
    """Return the tables that the model's blocked layers read, each once."""
    found = (getattr(module, "_shared_edges", None) for module in model.modules())
    return list({id(shared): shared for shared in found if shared is not None}.values())


def checked_size(edges_per_block: int | None) -> int | None:
    """Return the edges of a block that were asked for, or refuse an impossible number."""
    if edges_per_block is not None and edges_per_block < 1:
        raise Refusal(f"edges_per_block is {edges_per_block}; give a positive number of edges, or None")
    return edges_per_block


def _work(conv: nn.Module, worker: Worker, policy: str) -> BlockWork:
    """Return the policy's work for a layer, or refuse a layer that blocks would change, with the reason."""
    reason = _common_refusal(conv) or adapter_of(conv).refusal(conv)
    if reason:
        raise Refusal(f"{policy} cannot wrap {type(conv).__name__}: {reason}")
    return worker(conv)


def _common_refusal(conv: Any) -> str | None:
    if not isinstance(conv, MessagePassing):
        return "it is not a PyG MessagePassing layer"
    if hasattr(conv, "_shared_edges"):
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


def _wrap(conv: nn.Module, work: BlockWork, shared: SharedEdges, policy: str) -> None:
    conv.forward = partial(_blocked, conv, work, shared, policy)
    conv._shared_edges = shared  # type: ignore[assignment] # found again by shared_edges


def _blocked(
    conv: nn.Module,
    work: BlockWork,
    shared: SharedEdges,
    policy: str,
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None = None,
    edge_attr: Tensor | None = None,
) -> Tensor:
    """Compute `conv(x, edge_index, edge_weight)` by blocks; PyG's own models name `edge_attr`, too, mostly as None."""
    if edge_attr is not None:
        raise Refusal(f"{policy}: {type(conv).__name__} with edge_attr: features of edges are not cut into blocks")
    if edge_index.layout != torch.strided:
        raise Refusal(f"{policy}: a sparse product makes no messages; there is nothing to cut into blocks")
    edges = shared.of(edge_index, x.size(0))
    weight = None if edge_weight is None else edges.in_order(edge_weight)
    blocks = edges.blocks(shared.size(edges.num_nodes, _message_channels(conv, x), x))
    return adapter_of(conv).finish(conv, block_by_block(work, x, weight, edges, blocks), x)


def _message_channels(conv: Any, x: Tensor) -> int:
    """Return how wide a message is about: as wide as the wider side of the layer."""
    out_channels = getattr(conv, "out_channels", 0)
    heads = getattr(conv, "heads", 1)
    return max(x.size(-1), out_channels * heads if isinstance(out_channels, int) and isinstance(heads, int) else 0)
