"""What a kernel is called with: tensors checked before it reads memory, and the C structures that carry them."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gnn_checkpointing.checkpointing.kernels.build import load

NUMBERS = {torch.float32: "float", torch.float64: "double"}
"""What the C++ kernels compute in, by torch's name and by C++'s."""

GRAPH = "Tensor source, Tensor pointer, Tensor order, int num_sources"
"""The edges in an operator's schema: `SortedEdges`, field by field."""


def checked(tensors: Mapping[str, tuple[Tensor | None, Sequence[int]]], like: Tensor) -> list[Tensor | None]:
    """The tensors, contiguous, each of the stated shape and of `like`'s type and device; else one `ValueError`."""
    if like.dtype not in NUMBERS:
        raise ValueError(f"the kernels compute in float32 and float64, not {like.dtype}")
    for name, (tensor, shape) in tensors.items():
        if tensor is None:
            continue
        if tensor.dtype != like.dtype or tensor.device != like.device:
            raise ValueError(f"{name} is {tensor.dtype} on {tensor.device}: expected {like.dtype} on {like.device}")
        if list(tensor.shape) != list(shape):
            raise ValueError(f"{name} has shape {list(tensor.shape)}: expected {list(shape)}")
    return [None if tensor is None else tensor.contiguous() for tensor, _ in tensors.values()]


def empty_gradients(*inputs: Tensor | None) -> tuple[Tensor, ...]:
    """Memory for the gradients of `inputs`, of which the first is there; one that is not has an empty one."""
    like = inputs[0]
    assert like is not None
    return tuple(like.new_empty(0) if tensor is None else torch.empty_like(tensor) for tensor in inputs)


class Graph(ctypes.Structure):
    """`struct Graph` of csrc/tables.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("destinations", "sources", "edges", "wide", "threads")),
        *((name, ctypes.c_void_p) for name in ("pointer", "source", "order")),
    )


def c_graph(source: Tensor, pointer: Tensor, order: Tensor, num_sources: int) -> Graph:
    """The edges as the C++ kernels take them, to be worked on by as many threads as torch uses."""
    return Graph(
        destinations=pointer.numel() - 1,
        sources=num_sources,
        edges=source.numel(),
        wide=int(source.dtype == torch.int64),
        threads=torch.get_num_threads(),
        pointer=pointer.data_ptr(),
        source=source.data_ptr(),
        order=order.data_ptr(),
    )


def run(
    family: str, back: bool, arguments: ctypes.Structure, tensors: Mapping[str, Tensor | None], **constants: str | int
) -> None:
    """Run one pass of the `family` compiled with `constants`; `tensors` join the other `arguments`."""
    for name, tensor in tensors.items():
        setattr(arguments, name, None if tensor is None else tensor.data_ptr())
    library = load(family, **constants)
    (library.backward if back else library.forward)(ctypes.byref(arguments))
