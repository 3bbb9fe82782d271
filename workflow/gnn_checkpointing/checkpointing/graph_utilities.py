"""PyG's functions of a graph alone, computed once per graph: self-loops and degree normalisation.

A layer with default arguments adds self-loops in each forward pass, which makes a new list of edges per layer and step:
memory that grows with the edges, and a graph to be sorted anew. Here a layer's own `forward` runs unchanged, but the
functions below, which it looks up among its module's globals, first ask the model's tables.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Hashable
from functools import partial, wraps
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.utils import add_remaining_self_loops, add_self_loops, remove_self_loops

from gnn_checkpointing.checkpointing.graph_tables import GraphTables, content_digest

_OF_GRAPHS: tuple[Callable[..., Any], ...] = (gcn_norm, add_self_loops, add_remaining_self_loops, remove_self_loops)


def with_remembered_graphs(conv: nn.Module, tables: GraphTables) -> Callable[..., Any]:
    """The layer's own forward method, with functions of the graph computed once per graph."""
    forward = type(conv).forward
    known = _functions_of_graphs(forward)
    if not known:
        return partial(forward, conv)
    seen = types.FunctionType(
        forward.__code__,
        forward.__globals__ | {name: _remembering(function, tables) for name, function in known.items()},
        forward.__name__,
        forward.__defaults__,
        forward.__closure__,
    )
    seen.__kwdefaults__ = forward.__kwdefaults__
    return partial(seen, conv)


@functools.cache
def _functions_of_graphs(forward: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """The functions of a graph alone that a method reads from its module, by name."""
    if not isinstance(forward, types.FunctionType):
        return {}
    found = {name: forward.__globals__.get(name) for name in forward.__code__.co_names}
    return {name: value for name, value in found.items() if any(value is known for known in _OF_GRAPHS)}  # type: ignore[misc]


def _remembering(function: Callable[..., Any], tables: GraphTables) -> Callable[..., Any]:
    @wraps(function)
    def remembered(edge_index: Any, *args: Any, **kwargs: Any) -> Any:
        key = _key((function.__name__, args, tuple(sorted(kwargs.items()))))
        plain = isinstance(edge_index, Tensor) and type(edge_index) is Tensor and edge_index.layout == torch.strided
        if not plain or key is None:
            return function(edge_index, *args, **kwargs)
        return tables.remembered(edge_index, key, lambda: function(edge_index, *args, **kwargs))

    return remembered


def _key(value: Any) -> Hashable:
    """A key for arguments, tensors by content; None where the result may be differentiated by one of them."""
    if isinstance(value, tuple | list):
        keys = tuple(_key(part) for part in value)
        return None if None in keys else keys
    if isinstance(value, Tensor):
        if value.requires_grad or value.layout != torch.strided or value.element_size() not in (4, 8):
            return None
        if isinstance(value, torch._subclasses.FakeTensor) or value.is_complex():
            return None
        whole = torch.int32 if value.element_size() == 4 else torch.int64
        return (value.dtype, value.device, content_digest(value.detach().contiguous().view(whole)))
    return (type(value).__name__, value) if isinstance(value, Hashable) else None
