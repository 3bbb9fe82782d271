"""Faster versions of PyG's functions, with the same results, for the code of cut layers.

A layer's own code runs unchanged, but finds other functions among its module's globals. Self-loops and degree
normalisation are computed once per graph: with default arguments a layer makes a new list of edges in each forward
pass, which takes memory that grows with the edges and would have to be sorted again. The softmax over a node's
neighbours has its own gradient and finds its maximum in one pass; PyG's softmax takes two passes, and autograd six
more. Sums and means are not recomputed in the backward pass, which needs only their shape. The gradient of a maximum or
minimum leaves out an unread part: PyTorch also computes the gradient of the initial zeros, which takes as long as all
the rest.
"""

import builtins
import functools
import types
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn import MessagePassing, aggr
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.utils import add_remaining_self_loops, add_self_loops, remove_self_loops
from torch_geometric.utils import softmax as softmax_of_pyg

from gnn_checkpointing.checkpointing.given import writes_globals
from gnn_checkpointing.checkpointing.graph_tables import GraphTables, content_digest
from gnn_checkpointing.checkpointing.hooks import hooked
from gnn_checkpointing.checkpointing.reentry import graphs_seen_by

_OF_GRAPHS: tuple[Callable[..., Any], ...] = (gcn_norm, add_self_loops, add_remaining_self_loops, remove_self_loops)
_TINY = 1e-16
"""PyG adds this number to the sum of a softmax."""
_REDUCE = aggr.Aggregation.reduce
_REDUCTIONS = (aggr.SumAggregation, aggr.MeanAggregation, aggr.MaxAggregation, aggr.MinAggregation)
_FORWARD: dict[type, Any] = {kind: kind.forward for kind in _REDUCTIONS}


def _named(function: Any, known: tuple[Callable[..., Any], ...]) -> dict[str, Callable[..., Any]]:
    """The `known` functions among the globals that a function reads, by name; none if it assigns to globals."""
    if not isinstance(function, types.FunctionType) or writes_globals(function.__code__):
        return {}
    found = {name: function.__globals__.get(name) for name in function.__code__.co_names}
    return {name: value for name, value in found.items() if any(value is one for one in known)}  # type: ignore[misc]


class _Globals(dict[str, Any]):
    """The current globals of a function's module, with other values for some names."""

    def __init__(self, present: dict[str, Any], names: dict[str, Any]) -> None:
        super().__init__(names, __builtins__=present.get("__builtins__", builtins))
        self._present = present

    def __missing__(self, name: str) -> Any:
        return self._present[name]


def _seeing(function: Any, names: dict[str, Any]) -> types.FunctionType:
    """The same function with other values for some of its module's globals."""
    seen = types.FunctionType(
        function.__code__,
        _Globals(function.__globals__, names),
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    seen.__kwdefaults__ = function.__kwdefaults__
    return seen


def with_remembered_graphs(conv: MessagePassing, tables: GraphTables) -> Callable[..., Any]:
    """The layer's own forward method, with functions of the graph computed once per graph."""
    forward = type(conv).forward
    if known := _named(forward, _OF_GRAPHS):
        forward = _seeing(forward, {name: _remembering(function, conv, tables) for name, function in known.items()})
    return functools.partial(forward, conv)


def _remembering(function: Callable[..., Any], conv: MessagePassing, tables: GraphTables) -> Callable[..., Any]:
    @functools.wraps(function)
    def remembered(edge_index: Any, *args: Any, **kwargs: Any) -> Any:
        key = _key((function.__name__, args, tuple(sorted(kwargs.items()))))
        plain = isinstance(edge_index, Tensor) and type(edge_index) is Tensor and edge_index.layout == torch.strided
        if not plain or key is None:
            return function(edge_index, *args, **kwargs)
        make = functools.partial(function, edge_index, *args, **kwargs)
        return tables.remembered(edge_index, key, make, graphs_seen_by(conv))

    return remembered


def _key(value: Any) -> Hashable:
    """A key for arguments, tensors by content; None if they have no key, or if one of them needs a gradient."""
    if isinstance(value, tuple | list):
        keys = tuple(_key(part) for part in value)
        return None if None in keys else keys
    if isinstance(value, Tensor):
        if value.requires_grad or value.layout != torch.strided or value.element_size() not in (4, 8):
            return None
        if isinstance(value, torch._subclasses.FakeTensor) or value.is_complex():
            return None
        whole = torch.int32 if value.element_size() == 4 else torch.int64
        return (value.dtype, content_digest(value.detach().contiguous().view(whole)))
    return (type(value).__name__, value) if isinstance(value, Hashable) else None


def method_of(conv: MessagePassing, name: str) -> Callable[..., Any]:
    """The layer's method, with the softmax below in place of PyG's if its code calls that."""
    method: Callable[..., Any] = getattr(conv, name)
    faster = _with_softmax(getattr(method, "__func__", None))
    return method if faster is None else types.MethodType(faster, conv)


def _with_softmax(function: Any) -> types.FunctionType | None:
    names = _named(function, (softmax_of_pyg,))
    return _seeing(function, dict.fromkeys(names, softmax)) if names else None


def softmax(
    src: Tensor, index: Tensor | None = None, ptr: Tensor | None = None, num_nodes: int | None = None, dim: int = 0
) -> Tensor:
    """PyG's softmax of `src` over the entries with the same `index`."""
    if index is None or ptr is not None or num_nodes is None or dim != 0 or src.dim() > 2:
        whole: Tensor = softmax_of_pyg(src, index, ptr, num_nodes, dim)
        return whole
    shares: Tensor = _Softmax.apply(src, index, num_nodes)  # type: ignore[no-untyped-call]
    return shares


class _Softmax(torch.autograd.Function):
    """Softmax that saves its result p alone: with g the gradient of p, the gradient of s is p (g - sum of p g)."""

    @staticmethod
    def forward(ctx: Any, src: Tensor, index: Tensor, num_nodes: int) -> Tensor:
        """Divide the exponentials, shifted by the maximum, by their sums."""
        shape = (num_nodes, *src.shape[1:])
        at = index.view(-1, *(1,) * (src.dim() - 1)).expand_as(src)
        largest = src.new_full(shape, float("-inf")).scatter_reduce_(0, at, src, "amax")
        shares = (src - largest.index_select(0, index)).exp_()
        sums = src.new_zeros(shape).index_add_(0, index, shares).add_(_TINY)
        shares.div_(sums.index_select(0, index))
        ctx.num_nodes = num_nodes
        ctx.save_for_backward(shares, index)
        return shares

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the gradient by functions that can be differentiated again."""
        shares, index = ctx.saved_tensors
        products = shares * gradient
        sums = products.new_zeros(ctx.num_nodes, *shares.shape[1:]).index_add(0, index, products)
        return products - shares * sums.index_select(0, index), None, None


def aggregate_unread(conv: MessagePassing, messages: Any, destination: Tensor, num_nodes: int) -> Tensor | None:
    """Aggregate messages whose values are only differentiated, not read; None for aggregations without a faster way.

    The result for a sum or mean is a placeholder with the right shape and gradient.
    """
    module = conv.aggr_module
    own = getattr(conv.aggregate, "__func__", None) is not MessagePassing.aggregate or not aggregates_as_pyg(module)
    if own or hooked(module) or not isinstance(messages, Tensor) or not messages.is_floating_point():
        return None
    # On other devices than CPUs, PyG may call another library for extrema.
    ways = _SUMS | (_EXTREMA if messages.device.type == "cpu" else {})
    if type(module) not in ways:
        return None
    function, how = ways[type(module)]
    found: Tensor = function.apply(messages, destination, num_nodes, conv.node_dim, how)
    return found


def aggregates_as_pyg(module: torch.nn.Module) -> bool:
    """Whether an aggregation is PyG's sum, mean, maximum or minimum, and nobody has replaced its code."""
    replaced = vars(module).keys() & {"forward", "reduce"} or aggr.Aggregation.reduce is not _REDUCE
    return type(module).forward is _FORWARD.get(type(module)) and not replaced


class _Unread(torch.autograd.Function):
    """A sum or mean by `index` along `dim` whose values are never read."""

    @staticmethod
    def forward(ctx: Any, messages: Tensor, index: Tensor, num_nodes: int, dim: int, mean: bool) -> Tensor:
        """Expand one zero to the shape of the result, without memory for more."""
        ctx.dim, ctx.num_nodes, ctx.mean = dim, num_nodes, mean
        ctx.save_for_backward(index)
        shape = list(messages.shape)
        shape[dim] = num_nodes
        return messages.new_zeros(1).expand(shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Give each message its destination's gradient, divided by the number of messages for a mean."""
        (index,) = ctx.saved_tensors
        if ctx.mean:
            shape = [1] * gradient.dim()
            shape[ctx.dim] = ctx.num_nodes
            # Not bincount: the shape of its result is unknown for fake tensors.
            counts = gradient.new_zeros(ctx.num_nodes).index_add_(0, index, gradient.new_ones(1).expand(len(index)))
            gradient = gradient / counts.clamp_(min=1).view(shape)
        return gradient.index_select(ctx.dim, index), None, None, None, None


class _Extremum(torch.autograd.Function):
    """Maximum or minimum of messages, with exactly the gradient of PyTorch's `scatter_reduce`, digit for digit.

    All messages equal to the extremum share its gradient evenly. An extremum of zero has one more sharer, the zero that
    the output contained before any message.
    """

    @staticmethod
    def forward(ctx: Any, messages: Tensor, index: Tensor, num_nodes: int, dim: int, reduce: str) -> Tensor:
        """Compute the extrema; zeros for nodes without messages."""
        shape = list(messages.shape)
        shape[dim] = num_nodes
        over = [1] * messages.dim()
        over[dim] = -1
        at = index.view(over).expand_as(messages)
        found = messages.new_zeros(shape).scatter_reduce_(dim, at, messages, reduce, include_self=False)
        ctx.dim = dim
        ctx.save_for_backward(messages, index, found)
        return found

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Give each sharer its part of the gradient."""
        messages, index, found = ctx.saved_tensors
        shares = found.index_select(ctx.dim, index).eq_(messages)
        sharers = found.eq(0).to(found.dtype).index_add_(ctx.dim, index, shares)
        return (gradient / sharers).index_select(ctx.dim, index).mul_(shares), None, None, None, None


_SUMS: dict[type, tuple[Any, Any]] = {aggr.SumAggregation: (_Unread, False), aggr.MeanAggregation: (_Unread, True)}
_EXTREMA: dict[type, tuple[Any, Any]] = {
    aggr.MaxAggregation: (_Extremum, "amax"),
    aggr.MinAggregation: (_Extremum, "amin"),
}
