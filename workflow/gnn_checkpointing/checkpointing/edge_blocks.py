"""Policy `edge_blocks`: per-edge work is done and recomputed block by block, so its memory does not grow with density.

Edges are sorted by destination and cut into blocks that hold all edges of their destination nodes; a softmax over a
node's neighbours therefore stays exact. A layer keeps its input; all else is computed again in the backward pass, by
PyTorch's own operators, one block after the other.

Analytic floor of the activation peak, for L layers of F channels on N nodes and blocks of B edges: L N F 4 bytes, each
layer's input, and one block. For GATv2 a block is six tensors of B F 4 bytes: three that autograd keeps (x_j, the sum
of both ends, its leaky ReLU) and three gradients that are alive at once while they are differentiated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.changes import Changes
from gnn_checkpointing.checkpointing.cut_layer import CutLayer, cut_layer_of
from gnn_checkpointing.checkpointing.cutting import Plan
from gnn_checkpointing.checkpointing.drawn_blocks import block_drawn_layer, drawn_layers
from gnn_checkpointing.checkpointing.graph_tables import GraphTables
from gnn_checkpointing.checkpointing.kernels import load
from gnn_checkpointing.checkpointing.trial import layer_refusal
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study import block_rule
from gnn_checkpointing.study.policy_names import PolicyName

Layer = TypeVar("Layer", bound=nn.Module)


def message_passing_layers(model: nn.Module) -> list[MessagePassing]:
    """The PyG message passing layers of a model, each once."""
    return [module for module in model.modules() if isinstance(module, MessagePassing)]


def cut_layers(model: nn.Module, changes: Changes, name: PolicyName, *, lenient: bool) -> None:
    """Make every message passing layer of `model` compute by edge blocks, and every layer that draws its own graph.

    Raises `Refusal` for a layer that blocks would change, before any layer is wrapped; where `lenient`, a layer whose
    messages turn out to depend on each other is computed whole.
    """
    policy, edges_per_node = name.kind, block_rule.EDGES_PER_NODE[name.kind]
    layers, drawn = message_passing_layers(model), drawn_layers(model)
    if not layers and not drawn:
        raise Refusal(f"policy {policy}: {type(model).__name__} has no PyG message passing layer")
    for layer in layers:
        if reason := layer_refusal(layer):
            raise Refusal(f"{policy} cannot wrap {type(layer).__name__}: {reason}")
    for module in drawn:
        block_drawn_layer(module, changes, name.count, edges_per_node)
    if policy == "fused_edge_blocks":
        load()  # or say why there is no compiler, before anything is wrapped
    tables = GraphTables()
    plan = Plan(policy, name.count, edges_per_node, fused=policy == "fused_edge_blocks", lenient=lenient)
    for layer in layers:
        CutLayer(layer, tables, plan).install(changes)


def policy_tensors(model: nn.Module) -> list[Tensor]:
    """The tables that a policy keeps in memory beside the model's own tensors."""
    return [tensor for tables in tables_of(model) for tensor in tables.tensors()]


def largest_block_edges(model: nn.Module) -> int | None:
    """Edges of the largest block that the model's layers work on at a time; None without blocks."""
    drawn = [getattr(module, "_largest_block_edges", 0) for module in model.modules()]
    return max([tables.largest_block() for tables in tables_of(model)] + drawn, default=0) or None


def tables_of(model: nn.Module) -> list[GraphTables]:
    """The tables that the model's cut layers read, each once."""
    return list({id(cut.tables): cut.tables for cut in _cuts(model)}.values())


def _cuts(model: nn.Module) -> Iterator[CutLayer]:
    for module in model.modules():
        if (cut := cut_layer_of(module)) is not None:
            yield cut
