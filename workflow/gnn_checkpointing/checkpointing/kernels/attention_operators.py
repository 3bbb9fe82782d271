"""Attention's two operators: what torch's dispatcher calls, in C++ on CPU and in Triton on CUDA.

As operators they have shapes for fake tensors, with which peaks are predicted, and show up in traces under their names.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor

from gnn_checkpointing.checkpointing.kernels.build import load, triton_kernels
from gnn_checkpointing.checkpointing.kernels.checks import NUMBERS
from gnn_checkpointing.checkpointing.kernels.tables import Graph, c_graph

KINDS = {"gatv2": "kGatv2", "gat": "kGat", "transformer": "kTransformer"}
"""Each kind of score, and its name in csrc/attention.h."""


class _Arguments(ctypes.Structure):
    """`struct Arguments` of csrc/attention.h."""

    _fields_ = (
        ("graph", Graph),
        ("heads", ctypes.c_int64),
        *(
            (name, ctypes.c_void_p)
            for name in ("keys", "queries", "values", "attention", "edge", "gradient", "log_denominators")
        ),
        *((name, ctypes.c_double) for name in ("slope", "dropout")),
        ("seed", ctypes.c_uint64),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("out", "kept", "grad_keys", "grad_queries", "grad_values", "grad_attention", "grad_edge"),
                "scratch",
            )
        ),
        *((name, ctypes.c_int64) for name in ("scratch_edges", "groups")),
    )


def _run(
    kind: str, graph: Graph, summed: Tensor, tensors: dict[str, Tensor | None], numbers: dict[str, float], back: bool
) -> None:
    if 0 in summed.shape[1:]:
        return
    arguments = _Arguments(graph=graph, heads=summed.size(1), **numbers)
    for name, tensor in tensors.items():
        setattr(arguments, name, None if tensor is None else tensor.data_ptr())
    library = load(
        "attention",
        NUMBER=NUMBERS[summed.dtype],
        CHANNELS=summed.size(2),
        KIND=KINDS[kind],
        EDGED="false" if tensors["edge"] is None else "true",
    )
    (library.backward if back else library.forward)(ctypes.byref(arguments))


@torch.library.custom_op("gnn_checkpointing::attention_forward", mutates_args=(), device_types="cpu")
def attention_forward(
    kind: str,
    source: Tensor,
    pointer: Tensor,
    order: Tensor,
    num_sources: int,
    keys: Tensor,
    queries: Tensor,
    values: Tensor | None,
    attention: Tensor | None,
    edge: Tensor | None,
    negative_slope: float,
    dropout: float,
    seed: int,
) -> tuple[Tensor, Tensor]:
    """The aggregates and log denominators; `attention.forward` checks what it is given."""
    summed = keys if values is None else values
    out, kept = _aggregates(pointer, summed)
    _run(
        kind,
        c_graph(source, pointer, order, num_sources),
        summed,
        {
            **{"keys": keys, "queries": queries, "values": summed, "attention": attention, "edge": edge},
            **{"out": out, "kept": kept},
        },
        {"slope": negative_slope, "dropout": dropout, "seed": seed},
        back=False,
    )
    return out, kept


def _aggregates(pointer: Tensor, summed: Tensor) -> tuple[Tensor, Tensor]:
    nodes = pointer.size(0) - 1
    return summed.new_empty(nodes, summed.size(1), summed.size(2)), summed.new_empty(nodes, summed.size(1))


@attention_forward.register_kernel("cuda")
def _(kind: str, *given: Any) -> tuple[Tensor, Tensor]:
    source, pointer, order, _, *inputs = given[:9]
    keys, _, values = inputs[:3]
    made = _aggregates(pointer, keys if values is None else values)
    triton_kernels("attention").forward(kind, (source, pointer, order), inputs, made, given[9:12])
    return made


@attention_forward.register_fake
def _(*given: Any) -> tuple[Tensor, Tensor]:
    pointer, keys, values = given[2], given[5], given[7]
    return _aggregates(pointer, keys if values is None else values)


@torch.library.custom_op("gnn_checkpointing::attention_backward", mutates_args=(), device_types="cpu")
def attention_backward(
    kind: str,
    source: Tensor,
    pointer: Tensor,
    order: Tensor,
    num_sources: int,
    gradient: Tensor,
    log_denominators: Tensor,
    keys: Tensor,
    queries: Tensor,
    values: Tensor | None,
    attention: Tensor | None,
    edge: Tensor | None,
    negative_slope: float,
    dropout: float,
    seed: int,
    source_pointer: Tensor | None,  # noqa: ARG001 - CUDA's kernels read it
    source_destination: Tensor | None,  # noqa: ARG001 - CUDA's kernels read it
    source_edge: Tensor | None,  # noqa: ARG001 - CUDA's kernels read it
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradients, empty where an input is not there; `attention.backward` checks what it is given."""
    summed = keys if values is None else values
    of_keys, of_queries, of_values, of_attention, of_edge = made = _gradients(keys, queries, values, attention, edge)
    of_keys.zero_()
    of_queries.zero_()
    of_values.zero_()
    groups, edges_of_group = _groups(pointer, source.size(0))
    threads = torch.get_num_threads()
    turns = summed.size(1) % threads != 0
    scratch = summed.new_empty(2 * threads * summed.size(1) * edges_of_group if turns else 0)
    by_group = summed.new_zeros(groups, *of_attention.shape)
    _run(
        kind,
        c_graph(source, pointer, order, num_sources),
        summed,
        {
            **{"keys": keys, "queries": queries, "values": summed, "attention": attention, "edge": edge},
            **{"gradient": gradient, "log_denominators": log_denominators},
            **{"grad_keys": of_keys, "grad_queries": of_queries},
            "grad_values": of_keys if values is None else of_values,
            **{"grad_attention": by_group, "grad_edge": of_edge, "scratch": scratch},
        },
        {
            **{"slope": negative_slope, "dropout": dropout, "seed": seed},
            **{"groups": groups, "scratch_edges": edges_of_group},
        },
        back=True,
    )
    if attention is not None:
        of_attention.copy_(by_group.double().cumsum(0)[-1])  # one order, whatever the number of threads
    return made


_EDGES_OF_GROUP = 4096


def _groups(pointer: Tensor, num_edges: int) -> tuple[int, int]:
    """How many groups of whole nodes the gradient takes, and at most how many edges each has.

    A function of the graph alone, so that sums by group are the same for any number of threads.
    """
    num_nodes = pointer.size(0) - 1
    groups = min(max(num_edges // _EDGES_OF_GROUP, 1), 1024)
    largest_degree = int(pointer.diff().max()) if num_nodes else 0
    return groups, (num_edges + 4 * num_nodes) // groups + largest_degree + 4


def _gradients(
    keys: Tensor, queries: Tensor, values: Tensor | None, attention: Tensor | None, edge: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Memory for the gradients; an input that is not there has an empty one."""
    of = [keys.new_empty(0) if tensor is None else torch.empty_like(tensor) for tensor in (values, attention, edge)]
    return torch.empty_like(keys), torch.empty_like(queries), of[0], of[1], of[2]


@attention_backward.register_kernel("cuda")
def _(kind: str, *given: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    source, pointer, order, _, gradient, log_denominators, *inputs = given[:11]
    made = _gradients(*inputs)
    tables, by_source = (source, pointer, order), given[14:17]
    kept = (gradient, log_denominators)
    triton_kernels("attention").backward(kind, tables, by_source, kept, inputs, made, given[11:14])
    return made


@attention_backward.register_fake
def _(*given: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    return _gradients(*given[7:12])
