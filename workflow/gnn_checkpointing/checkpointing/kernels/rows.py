"""Reduce neighbours' rows over whole graphs by sum, mean, maximum or minimum: forward pass and gradient, nothing kept.

`csrc/weighted.cpp` and `csrc/extremum.cpp` derive both passes; ties share a gradient as in PyG on CPU. A sum or mean
without `weight` and `edge` is the aggregation of GIN and SAGE; with `weight` `[num_edges]`, that of GCN and GraphConv;
with `edge` `[num_edges, C]`, that of GINE: relu(x_j + e). Both are in the caller's order of edges, except that an
`ordered` weight (on CPU) is in the order in which the pass reads it: by destination forward, by source backward.
"""

import ctypes
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from torch import Tensor

from gnn_checkpointing.checkpointing.block_plan import SortedEdges
from gnn_checkpointing.checkpointing.kernels.operators import (
    BY_SOURCE,
    NUMBERS,
    Graph,
    checked,
    empty_gradients,
    operator,
    run,
    tables_of,
    triton_kernels,
)

Reduce = Literal["sum", "mean", "max", "min"]

_SIGNS = {"max": 1, "min": -1}
_READ = ("source_pointer", "destination", "source_order", "gradient", "x", "weight", "edge")


class Gradients(NamedTuple):
    """Gradients of the inputs; None for inputs that were not given or whose gradient was not requested."""

    x: Tensor
    weight: Tensor | None
    edge: Tensor | None


def forward(
    graph: SortedEdges,
    x: Tensor,
    weight: Tensor | None = None,
    edge: Tensor | None = None,
    *,
    reduce: Reduce = "sum",
    ordered: bool = False,
) -> Tensor:
    """Compute the aggregates `[num_nodes, C]` of rows `x` `[num_sources, C]`; zeros for nodes without edges."""
    given = _checked(graph, None, x, weight, edge, reduce)
    source, pointer, order, num_sources = tables_of(graph)
    made: Tensor = _forward(source, pointer, None if ordered else order, num_sources, *given[1:], reduce)
    return made


def backward(
    graph: SortedEdges,
    gradient: Tensor,
    x: Tensor | None = None,
    weight: Tensor | None = None,
    edge: Tensor | None = None,
    *,
    reduce: Reduce = "sum",
    of_weight: bool = False,
    ordered: bool = False,
) -> Gradients:
    """Compute gradients from the aggregates' `gradient`; sums and means read `x` only for `of_weight` and `edge`."""
    reads_x = of_weight or edge is not None or reduce in _SIGNS
    if reads_x and x is None:
        raise ValueError("the gradients of weights, of edge vectors and of extrema need x")
    if of_weight and weight is None:
        raise ValueError("the gradient of weights was asked for without weights")
    given = _checked(graph, gradient, x if reads_x else None, weight, edge, reduce)
    # On CPU, an extremum's backward pass runs over destinations, and each thread owns columns.
    by_source = graph.by_source if gradient.is_cuda or reduce not in _SIGNS else (None, None, None)
    by_source = (*by_source[:2], None) if ordered else by_source
    of_x, of_weights, of_edge = _backward(*tables_of(graph), *by_source, *given, reduce, of_weight)
    return Gradients(of_x, of_weights if of_weight else None, None if edge is None else of_edge)


def _checked(
    graph: SortedEdges,
    gradient: Tensor | None,
    x: Tensor | None,
    weight: Tensor | None,
    edge: Tensor | None,
    reduce: str,
) -> list[Any]:
    """Check the gradient, `x`, weights and edge vectors, and make them contiguous."""
    if reduce not in ("sum", "mean", *_SIGNS):
        raise ValueError(f"rows are reduced by sum, mean, max or min, not {reduce!r}")
    if weight is not None and edge is not None:
        raise ValueError("sums take weights or edge vectors, not both")
    if reduce in _SIGNS and any(part is not None for part in (weight, edge)):
        raise ValueError(f"reducing by {reduce} takes neither weights nor edge vectors")
    name, rows = ("x", x) if gradient is None else ("gradient", gradient)
    assert rows is not None
    if rows.dim() != 2:
        raise ValueError(f"{name} has shape {list(rows.shape)}: expected [nodes, channels]")
    channels = rows.size(1)
    shapes = {
        "gradient": (gradient, (graph.num_nodes, channels)),
        "x": (x, (graph.num_sources, channels)),
        "weight": (weight, (graph.num_edges,)),
        "edge": (edge, (graph.num_edges, channels)),
    }
    return checked(shapes, rows)


class _Arguments(ctypes.Structure):
    """`struct Arguments` of csrc/rows.h."""

    _fields_ = (
        ("graph", Graph),
        *((name, ctypes.c_void_p) for name in _READ[:3]),
        *((name, ctypes.c_void_p) for name in ("x", "weight", "edge", "gradient")),
        ("mean", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("out", "grad_weight", "grad_edge")),
    )


def _run(out: Tensor, tables: Sequence[Any], reduce: str, tensors: dict[str, Tensor | None], back: bool) -> None:
    """Run the C++ kernel; `tensors` are the inputs and the other results, with rows as long as those of `out`."""
    if out.size(1) == 0:
        return
    constants: dict[str, str | int] = {"NUMBER": NUMBERS[out.dtype], "CHANNELS": out.size(1)}
    if reduce in _SIGNS:
        constants["SIGN"] = _SIGNS[reduce]
    else:
        constants["EDGED"] = "false" if tensors["edge"] is None else "true"
    family = "extremum" if reduce in _SIGNS else "weighted"
    run(family, back, _Arguments(mean=reduce == "mean"), tables, {**tensors, "out": out}, **constants)


def _aggregates(*given: Any) -> Tensor:
    pointer, x = given[1], given[4]
    made: Tensor = x.new_empty(pointer.size(0) - 1, x.size(1))
    return made


def _gradients(*given: Any) -> tuple[Tensor, ...]:
    """Uninitialised gradients of x, weights and edge vectors; those not wanted have no elements."""
    num_sources, gradient, weight, edge, of_weight = given[3], given[7], given[9], given[10], given[12]
    of_x = gradient.new_empty(num_sources, gradient.size(1))
    return of_x, *empty_gradients(gradient, weight if of_weight else None, edge)[1:]


def _backward_on_cpu(made: tuple[Tensor, ...], *given: Any) -> None:
    (of_x, of_weight, of_edge), (reduce, wants_weight) = made, given[11:]
    if reduce in _SIGNS:
        of_x.zero_()
    filled = {"grad_weight": of_weight if wants_weight else None, "grad_edge": of_edge}
    _run(of_x, given[:4], reduce, dict(zip(_READ, given[4:11], strict=True)) | filled, back=True)


_forward = operator(
    "rows_forward",
    "Tensor x, Tensor? weight, Tensor? edge, str reduce",
    "Tensor",
    _aggregates,
    lambda out, *given: _run(out, given[:4], given[7], dict(zip(_READ[4:], given[4:7], strict=True)), back=False),
    lambda out, *given: triton_kernels("rows").forward(given[:3], given[4:7], out, given[7]),
)
_backward = operator(
    "rows_backward",
    f"{BY_SOURCE}, Tensor gradient, Tensor? x, Tensor? weight, Tensor? edge, str reduce, bool of_weight",
    "(Tensor, Tensor, Tensor)",
    _gradients,
    _backward_on_cpu,
    lambda made, *given: triton_kernels("rows").backward(given[:3], given[4:7], given[7:11], made, *given[11:]),
)
