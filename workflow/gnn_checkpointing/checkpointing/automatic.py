"""Policy `auto`: each layer gets the strongest policy that computes the same, where the graph makes it worth it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.changes import Changes
from gnn_checkpointing.checkpointing.cut_layer import CutLayer
from gnn_checkpointing.checkpointing.cutting import Plan
from gnn_checkpointing.checkpointing.graph_tables import GraphTables
from gnn_checkpointing.checkpointing.kernels import load
from gnn_checkpointing.checkpointing.layers import recomputed
from gnn_checkpointing.checkpointing.trial import layer_refusal
from gnn_checkpointing.refusal import Unavailable
from gnn_checkpointing.study import block_rule

WORTH_BYTES = 8 * 2**20
"""Of one layer's messages, one tensor `[num_edges, channels]`: below it nothing is worth recomputing."""

WORTH_DEGREE = 8
"""Edges per node: below it a layer's node maps weigh as much as its messages (`report/`: where the lines cross)."""


def wrap_automatically(model: nn.Module, changes: Changes) -> None:
    """Cut every layer that can be cut, recompute the others whole; both only on graphs on which it pays."""
    tables = GraphTables()
    per_node = block_rule.EDGES_PER_NODE["edge_blocks"]
    plan = Plan("edge_blocks", None, per_node, fused=_has_compiler(), lenient=True, worth=worth)
    for layer in model.modules():
        if not isinstance(layer, MessagePassing):
            continue
        if layer_refusal(layer) is None:
            CutLayer(layer, tables, plan).install(changes)
        else:
            changes.set(layer, "forward", partial(_recomputed_where_worth, layer, layer.forward))


def _has_compiler() -> bool:
    try:
        load()
    except Unavailable:
        return False
    return True


def worth(num_edges: int, num_nodes: int, width: int, element_size: int = 4) -> bool:
    """Whether messages `[num_edges, width]` are large enough, on a graph dense enough, to be recomputed."""
    return num_edges >= WORTH_DEGREE * num_nodes and num_edges * width * element_size >= WORTH_BYTES


def _recomputed_where_worth(layer: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    tensors = [part for part in pytree.tree_leaves((args, kwargs)) if isinstance(part, Tensor)]
    edges = max(
        (t.size(1) for t in tensors if t.dim() == 2 and t.size(0) == 2 and not t.is_floating_point()), default=0
    )
    maps = [tensor for tensor in tensors if tensor.is_floating_point() and tensor.dim() > 1]
    nodes = max((tensor.size(-2) for tensor in maps), default=0)
    width = max((tensor.size(-1) for tensor in maps), default=0)
    if torch.is_grad_enabled() and worth(edges, nodes, width):
        return recomputed(layer, forward, *args, **kwargs)
    return forward(*args, **kwargs)
