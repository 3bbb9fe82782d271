"""Sums and means of neighbours' rows, weighted or not, over whole graphs: forward and gradient, nothing kept.

`csrc/weighted.cpp` derives both passes. Without `weight` and `edge` this is the aggregation of GIN and SAGE, with
`weight` `[num_edges]` that of GCN and GraphConv, with `edge` `[num_edges, C]` that of GINE: relu(x_j + e). Both are in
the caller's order of edges.
"""

from __future__ import annotations

import ctypes
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from gnn_checkpointing.checkpointing.kernels.build import load, triton_kernels
from gnn_checkpointing.checkpointing.kernels.checks import NUMBERS, checked
from gnn_checkpointing.checkpointing.kernels.tables import Graph, GraphTables, c_graph

Reduce = Literal["sum", "mean"]

_REDUCES = ("sum", "mean")


class Gradients(NamedTuple):
    """The gradients of the inputs; None for one that was not given or not asked for."""

    x: Tensor
    weight: Tensor | None
    edge: Tensor | None


def forward(
    tables: GraphTables, x: Tensor, weight: Tensor | None = None, edge: Tensor | None = None, *, reduce: Reduce = "sum"
) -> Tensor:
    """The aggregates `[num_destinations, C]` of rows `x` `[num_sources, C]`."""
    _check_use(weight, edge, reduce)
    _check_rows("x", x)
    given = checked(_shapes(tables, x.size(1), x, weight, edge), x)
    made: Tensor = torch.ops.gnn_checkpointing.weighted_forward(
        tables.source, tables.pointer, tables.order, tables.num_sources, *given, reduce == "mean"
    )
    return made


def backward(
    tables: GraphTables,
    gradient: Tensor,
    x: Tensor | None = None,
    weight: Tensor | None = None,
    edge: Tensor | None = None,
    *,
    reduce: Reduce = "sum",
    of_weight: bool = False,
) -> Gradients:
    """The gradients, given that of the aggregates; `x` is read for those of weights (`of_weight`) and `edge` alone."""
    _check_use(weight, edge, reduce)
    _check_rows("gradient", gradient)
    reads_x = of_weight or edge is not None
    if reads_x and x is None:
        raise ValueError("the gradients of weights and of edge vectors need x")
    if of_weight and weight is None:
        raise ValueError("the gradient of weights was asked for without weights")
    channels = gradient.size(1)
    given = checked(
        {
            "gradient": (gradient, (tables.num_destinations, channels)),
            **_shapes(tables, channels, x if reads_x else None, weight, edge),
        },
        gradient,
    )
    by_source = tables.by_source
    of_x, of_weights, of_edge = torch.ops.gnn_checkpointing.weighted_backward(
        *(tables.source, tables.pointer, tables.order, tables.num_sources),
        *(by_source.pointer, by_source.destination, by_source.edge),
        *given,
        reduce == "mean",
        of_weight,
    )
    return Gradients(of_x, of_weights if of_weight else None, None if edge is None else of_edge)


def _check_rows(name: str, rows: Tensor) -> None:
    if rows.dim() != 2:
        raise ValueError(f"{name} has shape {list(rows.shape)}: expected [nodes, channels]")


def _check_use(weight: Tensor | None, edge: Tensor | None, reduce: str) -> None:
    if reduce not in _REDUCES:
        raise ValueError(f"weighted sums reduce by {' or '.join(_REDUCES)}, not {reduce!r}")
    if weight is not None and edge is not None:
        raise ValueError("weighted sums take weights or edge vectors, not both")


def _shapes(
    tables: GraphTables, channels: int, x: Tensor | None, weight: Tensor | None, edge: Tensor | None
) -> dict[str, tuple[Tensor | None, tuple[int, ...]]]:
    return {
        "x": (x, (tables.num_sources, channels)),
        "weight": (weight, (tables.num_edges,)),
        "edge": (edge, (tables.num_edges, channels)),
    }


class _Arguments(ctypes.Structure):
    """`struct Arguments` of csrc/weighted.cpp."""

    _fields_ = (
        ("graph", Graph),
        *((name, ctypes.c_void_p) for name in ("source_pointer", "source_destination", "source_edge")),
        *((name, ctypes.c_void_p) for name in ("x", "weight", "edge", "gradient")),
        ("mean", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("out", "grad_weight", "grad_edge")),
    )


def _run(graph: Graph, like: Tensor, tensors: dict[str, Tensor | None], mean: bool, back: bool) -> None:
    if like.size(1) == 0:
        return
    arguments = _Arguments(graph=graph, mean=mean)
    for name, tensor in tensors.items():
        setattr(arguments, name, None if tensor is None else tensor.data_ptr())
    library = load(
        "weighted",
        NUMBER=NUMBERS[like.dtype],
        CHANNELS=like.size(1),
        EDGED="false" if tensors["edge"] is None else "true",
    )
    (library.backward if back else library.forward)(ctypes.byref(arguments))


@torch.library.custom_op("gnn_checkpointing::weighted_forward", mutates_args=(), device_types="cpu")
def _forward(
    source: Tensor,
    pointer: Tensor,
    order: Tensor,
    num_sources: int,
    x: Tensor,
    weight: Tensor | None,
    edge: Tensor | None,
    mean: bool,
) -> Tensor:
    out = _aggregates(pointer, x)
    tensors = {"x": x, "weight": weight, "edge": edge, "out": out}
    _run(c_graph(source, pointer, order, num_sources), x, tensors, mean, back=False)
    return out


def _aggregates(pointer: Tensor, x: Tensor) -> Tensor:
    return x.new_empty(pointer.size(0) - 1, x.size(1))


@_forward.register_kernel("cuda")
def _(*given: Any) -> Tensor:
    source, pointer, order, _, x, weight, edge, mean = given
    out = _aggregates(pointer, x)
    triton_kernels("weighted").forward(pointer, source, order, x, weight, edge, out, mean)
    return out


@_forward.register_fake
def _(*given: Any) -> Tensor:
    pointer, x = given[1], given[4]
    return _aggregates(pointer, x)


@torch.library.custom_op("gnn_checkpointing::weighted_backward", mutates_args=(), device_types="cpu")
def _backward(
    source: Tensor,
    pointer: Tensor,
    order: Tensor,
    num_sources: int,
    source_pointer: Tensor,
    source_destination: Tensor,
    source_edge: Tensor,
    gradient: Tensor,
    x: Tensor | None,
    weight: Tensor | None,
    edge: Tensor | None,
    mean: bool,
    of_weight: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    of_x, of_weights, of_edge = made = _gradients(num_sources, gradient, weight if of_weight else None, edge)
    tensors = {
        **{"source_pointer": source_pointer, "source_destination": source_destination, "source_edge": source_edge},
        **{"x": x, "weight": weight, "edge": edge, "gradient": gradient},
        **{"out": of_x, "grad_weight": of_weights if of_weight else None, "grad_edge": of_edge},
    }
    _run(c_graph(source, pointer, order, num_sources), gradient, tensors, mean, back=True)
    return made


def _gradients(
    num_sources: int, gradient: Tensor, weight: Tensor | None, edge: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Memory for the gradients; one that is not wanted is empty."""
    of_weight, of_edge = (gradient.new_empty(0) if like is None else torch.empty_like(like) for like in (weight, edge))
    return gradient.new_empty(num_sources, gradient.size(1)), of_weight, of_edge


@_backward.register_kernel("cuda")
def _(*given: Any) -> tuple[Tensor, Tensor, Tensor]:
    pointer, num_sources, by_source = given[1], given[3], given[4:7]
    gradient, x, weight, edge, mean, of_weight = given[7:]
    made = _gradients(num_sources, gradient, weight if of_weight else None, edge)
    triton_kernels("weighted").backward(by_source, pointer, gradient, x, weight, edge, made, mean, of_weight)
    return made


@_backward.register_fake
def _(*given: Any) -> tuple[Tensor, Tensor, Tensor]:
    num_sources, gradient, weight, edge, of_weight = given[3], given[7], given[9], given[10], given[12]
    return _gradients(num_sources, gradient, weight if of_weight else None, edge)
