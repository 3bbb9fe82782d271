"""Policies by edge blocks: per-edge work is done and recomputed block by block, so memory does not grow with density.

Edges are sorted by destination and cut into blocks that hold all edges of their destination nodes; a softmax over a
node's neighbours therefore stays exact. A layer keeps its input; everything else is recomputed in the backward pass,
one block after another, by PyTorch's own operators. `fused_edge_blocks` and `auto` use kernels where there are any.

Analytic lower bound of the activation peak, for L layers of F channels on N nodes and blocks of B edges: L N F 4 bytes
for the layers' inputs, plus one block. For GATv2 a block is six tensors of B F 4 bytes: three that autograd keeps (x_j,
the sum of both ends, its leaky ReLU) and three gradients that exist at the same time in the backward pass.

Policy `auto` cuts every layer that can be cut and recomputes the others whole, both only on graphs where it pays.
"""

from collections.abc import Callable
from functools import partial
from inspect import signature
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils.checkpoint import checkpoint
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.attached import put, refuse_copies, require_module
from gnn_checkpointing.checkpointing.block_plan import block_size
from gnn_checkpointing.checkpointing.cut_layer import CutLayer, cut_layer_of
from gnn_checkpointing.checkpointing.cutting import Plan
from gnn_checkpointing.checkpointing.fused import require_kernels
from gnn_checkpointing.checkpointing.graph_tables import GraphTables
from gnn_checkpointing.checkpointing.layers import recomputed
from gnn_checkpointing.checkpointing.message_code import forward_of
from gnn_checkpointing.checkpointing.trial import layer_refusal
from gnn_checkpointing.refusal import Refusal, Unavailable
from gnn_checkpointing.study import policy_names
from gnn_checkpointing.study.policy_names import PolicyName

WORTH_BYTES = 8 * 2**20
"""Size of one layer's messages, one tensor `[num_edges, channels]`, below which nothing is worth recomputing."""

WORTH_DEGREE = 8
"""Edges per node below which a layer's node maps are as large as its messages (`report/`: where the lines cross)."""


def message_passing_layers(model: nn.Module) -> list[MessagePassing]:
    """The PyG message passing layers of a model, each once."""
    return [module for module in model.modules() if isinstance(module, MessagePassing)]


def cut_layers(model: nn.Module, name: PolicyName, lenient: bool) -> None:
    """Make all message passing layers of `model`, and all layers that build their own graph, compute in edge blocks.

    Raises `Refusal`, before any layer is wrapped, if blocks would change the results of a layer. With `lenient`, a
    layer whose messages turn out to depend on each other runs whole.
    """
    policy = name.kind
    layers = message_passing_layers(model)
    if not layers and not _drawing_layers(model):
        raise Refusal(f"policy {policy}: {type(model).__name__} has no PyG message passing layer")
    for layer in layers:
        if reason := layer_refusal(layer):
            raise Refusal(f"{policy} cannot wrap {type(layer).__name__}: {reason}")
    if policy == "fused_edge_blocks":
        require_kernels(_device_type(model))  # or say what is missing, before any layer is cut
    tables, plan = GraphTables(), Plan(policy, name.count, fused=policy == "fused_edge_blocks", lenient=lenient)
    _cut_drawing_layers(model, plan)
    for layer in layers:
        CutLayer(layer, tables, plan).install()


def _drawing_layers(model: nn.Module) -> list[Any]:
    """Layers that build their own graph, and compute on its edges in a method `aggregated(x, neighbours, first)`."""
    methods = [(module, getattr(module, "aggregated", None)) for module in model.modules()]
    own = [(module, method) for module, method in methods if isinstance(method, MethodType)]
    return [module for module, method in own if [*signature(method).parameters] == ["x", "neighbours", "first"]]


def _cut_drawing_layers(model: nn.Module, plan: Plan) -> None:
    for layer in _drawing_layers(model):
        put(layer, "aggregated", partial(_blocked, layer, layer.aggregated, plan))


def _blocked(layer: nn.Module, whole: Callable[..., Tensor], plan: Plan, x: Tensor, neighbours: Tensor) -> Tensor:
    """Aggregate in blocks in a layer that builds its own graph; all nodes have k neighbours, so blocks are node ranges.

    `whole(x, neighbours, first)` aggregates for the nodes from `first` on, `[batch, channels, some nodes]`, given `x`
    `[batch, channels, nodes]` and `neighbours`, int64 `[batch, some nodes, k]`. A Vision GNN's max-relative convolution
    keeps one difference per edge and channel, 4 bytes, for the gradient of the maximum. Here the differences are
    recomputed block by block in the backward pass; only the graph is kept, 8 bytes per edge for any number of channels.
    Ties of a maximum share its gradient as before; gradients differ only by the order of summation.
    """
    batch, nodes, k = neighbours.shape
    row = x.size(1) * x.element_size()
    if plan.worth is not None and not plan.worth(batch * nodes * k, batch * nodes, row):
        return whole(x, neighbours)
    neighbours = neighbours.contiguous()  # a view of dilated neighbours would keep the skipped ones, too
    per_node = policy_names.EDGES_PER_NODE[plan.policy]
    edges = plan.edges_per_block or block_size(batch * nodes, row, per_node, x.device)
    step = max(1, min(nodes, edges // (batch * k)))
    layer._largest_block_edges = batch * step * k  # type: ignore[assignment] # read by largest_block_edges
    parts = [
        # No random state is kept: a block draws no random numbers, and the graph was built before.
        checkpoint(whole, x, neighbours[:, first : first + step], first, use_reentrant=False, preserve_rng_state=False)
        for first in range(0, nodes, step)
    ]
    return torch.cat(parts, dim=2)


def wrap_automatically(model: nn.Module) -> None:
    """Cut every layer that can be cut and recompute the others whole, both only on graphs where it pays."""
    try:
        require_kernels(_device_type(model))
        compiles = True
    except Unavailable:
        compiles = False
    tables, plan = GraphTables(), Plan("edge_blocks", None, fused=compiles, lenient=True, worth=worth)
    _cut_drawing_layers(model, plan)
    for layer in message_passing_layers(model):
        if layer_refusal(layer) is None:
            CutLayer(layer, tables, plan).install()
        else:
            put(layer, "forward", partial(_recomputed_where_worth, layer, forward_of(layer)))


def _device_type(model: nn.Module) -> str:
    return next((parameter.device.type for parameter in model.parameters()), "cpu")


def worth(num_edges: int, num_nodes: int, row: int) -> bool:
    """Whether messages of `row` bytes are large enough, on a graph dense enough, to be recomputed."""
    return num_edges >= WORTH_DEGREE * num_nodes and num_edges * row >= WORTH_BYTES


def _recomputed_where_worth(layer: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    refuse_copies(layer)
    tensors = [part for part in pytree.tree_leaves((args, kwargs)) if isinstance(part, Tensor)]
    edges = max(
        (t.size(1) for t in tensors if t.dim() == 2 and t.size(0) == 2 and not t.is_floating_point()), default=0
    )
    maps = [tensor for tensor in tensors if tensor.is_floating_point() and tensor.dim() > 1]
    nodes = max((tensor.size(-2) for tensor in maps), default=0)
    row = max((tensor.size(-1) * tensor.element_size() for tensor in maps), default=0)
    if torch.is_grad_enabled() and worth(edges, nodes, row):
        return recomputed(layer, forward, *args, **kwargs)
    return forward(*args, **kwargs)


def policy_tensors(model: nn.Module) -> list[Tensor]:
    """Tensors that a policy keeps in memory in addition to the model's own."""
    require_module(model)
    return [tensor for tables in tables_of(model) for tensor in tables.tensors()]


def largest_block_edges(model: nn.Module) -> int | None:
    """Number of edges in the largest block that the model's layers compute at a time; None without blocks."""
    require_module(model)
    drawn = [getattr(module, "_largest_block_edges", 0) for module in model.modules()]
    cut = [edges.largest_block for tables in tables_of(model) for edges in tables.all_sorted()]
    return max(drawn + cut, default=0) or None


def tables_of(model: nn.Module) -> list[GraphTables]:
    """Graph tables that the model's cut layers read, each once."""
    cuts = [cut for module in model.modules() if (cut := cut_layer_of(module)) is not None]
    return list({id(cut.tables): cut.tables for cut in cuts}.values())
