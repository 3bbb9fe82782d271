"""Calls of kernels: check tensors before any memory is read, and register each pass as a custom operator of torch.

As operators, the passes have shapes for fake tensors and appear in traces under their names; torch's dispatcher chooses
C++ on CPU and Triton on CUDA.
"""

import ctypes
import importlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from gnn_checkpointing.checkpointing.block_plan import SortedEdges
from gnn_checkpointing.checkpointing.kernels.build import load

NUMBERS = {torch.float32: "float", torch.float64: "double"}
"""Number types of the C++ kernels: torch's type and its name in C++."""

BY_SOURCE = "Tensor? source_pointer, Tensor? destination, Tensor? source_order"
"""`SortedEdges.by_source` in an operator's schema."""


_NAMESPACE = "gnn_checkpointing"
# `torch.library.custom_op` does the same, but adds 50 us of Python to each call.
_LIBRARY: Any = torch.library.Library(_NAMESPACE, "FRAGMENT")  # type: ignore[no-untyped-call]


def tables_of(graph: SortedEdges) -> tuple[Tensor, Tensor, Tensor | None, int]:
    """The edge tables in the order in which operators take them."""
    return graph.source, graph.pointer, graph.order, graph.num_sources


def operator(
    name: str,
    arguments: str,
    results: str,
    made: Callable[..., Any],
    on_cpu: Callable[..., None],
    on_cuda: Callable[..., None],
) -> Callable[..., Any]:
    """Register one pass of a kernel as an operator: `made` allocates its results, `on_cpu` and `on_cuda` fill them.

    `arguments` and `results` are parts of the schema. The edge tables are not named there: they come first, and are
    passed on to all three functions as well.
    """

    def filled(fill: Callable[..., None]) -> Callable[..., Any]:
        def run(*given: Any) -> Any:
            results = made(*given)
            fill(results, *given)
            return results

        return run

    tables = "Tensor source, Tensor pointer, Tensor? order, int num_sources"
    _LIBRARY.define(f"{name}({tables}, {arguments}) -> {results}")
    _LIBRARY.impl(name, filled(on_cpu), "CPU")
    _LIBRARY.impl(name, filled(beside_its_tensors(on_cuda)), "CUDA")
    torch.library.register_fake(f"{_NAMESPACE}::{name}", made, lib=_LIBRARY)
    registered: Callable[..., Any] = getattr(getattr(torch.ops, _NAMESPACE), name).default
    return registered


def beside_its_tensors(fill: Callable[..., None]) -> Callable[..., None]:
    """Run `fill` on the GPU of its tensors; Triton would start kernels on the current GPU, which may be another one."""

    def run(results: Any, source: Tensor, *given: Any) -> None:
        with torch.cuda.device(source.device):
            fill(results, source, *given)

    return run


def triton_kernels(family: str) -> ModuleType:
    """The family's CUDA kernels, imported only when needed, since they need triton."""
    return importlib.import_module(f"gnn_checkpointing.checkpointing.kernels.triton_{family}")


def checked(tensors: Mapping[str, tuple[Tensor | None, Sequence[int]]], like: Tensor) -> list[Tensor | None]:
    """Make tensors contiguous; raises `ValueError` for a wrong shape, or a type or device different from `like`'s."""
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
    """Uninitialised gradients of `inputs`; the first must not be None, a missing input gets a tensor of no elements."""
    like = inputs[0]
    assert like is not None
    return tuple(like.new_empty(0) if tensor is None else torch.empty_like(tensor) for tensor in inputs)


class Graph(ctypes.Structure):
    """`struct Graph` of csrc/tables.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("destinations", "sources", "edges", "wide", "threads")),
        *((name, ctypes.c_void_p) for name in ("pointer", "source", "order")),
    )


def _address(tensor: Tensor | None) -> int | None:
    """Where a tensor begins; `data_ptr` would copy it if it shares its memory until somebody writes."""
    if tensor is None:
        return None
    if not hasattr(torch._C, "_data_address"):  # then `given.as_given` shares no memory
        return tensor.data_ptr()
    start: int = torch._C._data_address(tensor)
    return start + int(tensor.storage_offset()) * tensor.element_size()


def run(
    family: str,
    back: bool,
    arguments: ctypes.Structure,
    tables: Sequence[Any],
    tensors: Mapping[str, Tensor | None],
    **constants: str | int,
) -> None:
    """Run one pass of the `family` compiled with `constants`, on as many threads as torch uses.

    Adds the edge tables and the addresses of `tensors` to `arguments`.
    """
    source, pointer, order, num_sources = tables
    arguments.graph = Graph(
        *(pointer.numel() - 1, num_sources, source.numel(), source.dtype == torch.int64, torch.get_num_threads()),
        *(_address(table) for table in (pointer, source, order)),
    )
    for name, tensor in tensors.items():
        setattr(arguments, name, _address(tensor))
    library = load(family, **constants)
    (library.backward if back else library.forward)(ctypes.byref(arguments))
