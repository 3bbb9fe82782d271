"""The largest or smallest of the neighbours' rows, a column at a time, over whole graphs: forward and gradient.

`csrc/extremum.cpp` derives both passes, and says how ties share a gradient: as they do in PyG on CPU.
"""

from __future__ import annotations

import ctypes
from typing import Any, Literal

import torch
from torch import Tensor

from gnn_checkpointing.checkpointing.kernels.build import load, triton_kernels
from gnn_checkpointing.checkpointing.kernels.checks import NUMBERS, checked
from gnn_checkpointing.checkpointing.kernels.tables import Graph, GraphTables, c_graph, transposed

Reduce = Literal["max", "min"]

_SIGNS = {"max": 1, "min": -1}


def forward(tables: GraphTables, x: Tensor, *, reduce: Reduce = "max") -> Tensor:
    """The extrema `[num_destinations, C]` of rows `x` `[num_sources, C]`; zeros for a node without edges."""
    made: Tensor = torch.ops.gnn_checkpointing.extremum_forward(
        tables.source, tables.pointer, tables.order, *_rows(tables, x, None, reduce), reduce
    )
    return made


def backward(tables: GraphTables, gradient: Tensor, x: Tensor, *, reduce: Reduce = "max") -> Tensor:
    """The gradient of `x`, given that of the extrema."""
    made: Tensor = torch.ops.gnn_checkpointing.extremum_backward(
        tables.source,
        tables.pointer,
        tables.order,
        *_rows(tables, x, gradient, reduce),
        reduce,
        *transposed(tables)[:2],
    )
    return made


def _rows(tables: GraphTables, x: Tensor, gradient: Tensor | None, reduce: str) -> list[Tensor]:
    """`x`, and the gradient where there is one, contiguous and of the right shape."""
    if reduce not in _SIGNS:
        raise ValueError(f"an extremum is {' or '.join(_SIGNS)}, not {reduce!r}")
    if x.dim() != 2:
        raise ValueError(f"x has shape {list(x.shape)}: expected [nodes, channels]")
    given = checked(
        {
            "x": (x, (tables.num_sources, x.size(1))),
            "gradient": (gradient, (tables.num_destinations, x.size(1))),
        },
        x,
    )
    return [tensor for tensor in given if tensor is not None]


class _Arguments(ctypes.Structure):
    """`struct Arguments` of csrc/extremum.cpp."""

    _fields_ = (("graph", Graph), *((name, ctypes.c_void_p) for name in ("x", "gradient", "out", "grad")))


def _run(graph: Graph, x: Tensor, tensors: dict[str, Tensor], reduce: str, back: bool) -> None:
    if x.size(1) == 0:
        return
    arguments = _Arguments(graph=graph, x=x.data_ptr(), **{name: part.data_ptr() for name, part in tensors.items()})
    library = load("extremum", NUMBER=NUMBERS[x.dtype], CHANNELS=x.size(1), SIGN=_SIGNS[reduce])
    (library.backward if back else library.forward)(ctypes.byref(arguments))


@torch.library.custom_op("gnn_checkpointing::extremum_forward", mutates_args=(), device_types="cpu")
def _forward(source: Tensor, pointer: Tensor, order: Tensor, x: Tensor, reduce: str) -> Tensor:
    out = _aggregates(pointer, x)
    _run(c_graph(source, pointer, order, x.size(0)), x, {"out": out}, reduce, back=False)
    return out


def _aggregates(pointer: Tensor, x: Tensor) -> Tensor:
    return x.new_empty(pointer.size(0) - 1, x.size(1))


@_forward.register_kernel("cuda")
def _(*given: Any) -> Tensor:
    source, pointer, _, x, reduce = given
    out = _aggregates(pointer, x)
    triton_kernels("extremum").forward(pointer, source, x, out, _SIGNS[reduce])
    return out


@_forward.register_fake
def _(*given: Any) -> Tensor:
    pointer, x = given[1], given[3]
    return _aggregates(pointer, x)


@torch.library.custom_op("gnn_checkpointing::extremum_backward", mutates_args=(), device_types="cpu")
def _backward(
    source: Tensor,
    pointer: Tensor,
    order: Tensor,
    x: Tensor,
    gradient: Tensor,
    reduce: str,
    source_pointer: Tensor | None,  # noqa: ARG001 - CUDA's kernels read it
    source_destination: Tensor | None,  # noqa: ARG001 - CUDA's kernels read it
) -> Tensor:
    grad = torch.zeros_like(x)
    _run(c_graph(source, pointer, order, x.size(0)), x, {"gradient": gradient, "grad": grad}, reduce, back=True)
    return grad


@_backward.register_kernel("cuda")
def _(*given: Any) -> Tensor:
    source, pointer, _, x, gradient, reduce, *by_source = given
    grad = torch.empty_like(x)
    triton_kernels("extremum").backward((pointer, source), by_source, x, gradient, grad, _SIGNS[reduce])
    return grad


@_backward.register_fake
def _(*given: Any) -> Tensor:
    return torch.empty_like(given[3])
