"""Attention of GATv2, GAT and TransformerConv over whole graphs: forward, and the gradient from one number per head.

`csrc/attention.h` derives both passes. `keys` belong to sources, `queries` to destinations, both as the scores read
them; `values` are what is summed:

| kind | keys | queries | values | attention | edge |
|---|---|---|---|---|---|
| gatv2 | x_l `[Ns, H, C]` | x_r `[Nd, H, C]` | None: the keys | `[H, C]` | `[E, H, C]` or None |
| gat | `[Ns, H]` | `[Nd, H]` | `[Ns, H, C]` | None | `[E, H]` or None |
| transformer | `[Ns, H, C]` | `[Nd, H, C]` | `[Ns, H, C]` | None | `[E, H, C]` or None |

`edge` is in the caller's order of edges. With `dropout` the mask has PyG's law, and is a function of `seed`, edge and
head alone.
"""

from __future__ import annotations

import ctypes
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from gnn_checkpointing.checkpointing.kernels.build import load, triton_kernels
from gnn_checkpointing.checkpointing.kernels.checks import NUMBERS, check_probability, checked
from gnn_checkpointing.checkpointing.kernels.tables import Graph, GraphTables, c_graph, transposed

Kind = Literal["gatv2", "gat", "transformer"]

_KINDS = {"gatv2": "kGatv2", "gat": "kGat", "transformer": "kTransformer"}


class Gradients(NamedTuple):
    """The gradients of the inputs; None for an input that the kind has not."""

    keys: Tensor
    queries: Tensor
    values: Tensor | None
    attention: Tensor | None
    edge: Tensor | None


def forward(
    kind: Kind,
    tables: GraphTables,
    keys: Tensor,
    queries: Tensor,
    values: Tensor | None = None,
    attention: Tensor | None = None,
    edge: Tensor | None = None,
    *,
    negative_slope: float = 0.2,
    dropout: float = 0.0,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """The aggregates `[Nd, H, C]`, and the logarithms of the softmax's denominators `[Nd, H]` to keep."""
    inputs = _inputs(kind, tables, keys, queries, values, attention, edge)
    check_probability(dropout)
    made: tuple[Tensor, Tensor] = torch.ops.gnn_checkpointing.attention_forward(
        kind, *_flat(tables), *inputs, negative_slope, dropout, seed
    )
    return made


def backward(
    kind: Kind,
    tables: GraphTables,
    gradient: Tensor,
    log_denominators: Tensor,
    keys: Tensor,
    queries: Tensor,
    values: Tensor | None = None,
    attention: Tensor | None = None,
    edge: Tensor | None = None,
    *,
    negative_slope: float = 0.2,
    dropout: float = 0.0,
    seed: int = 0,
) -> Gradients:
    """The gradients of all inputs, given that of the aggregates and what `forward` gave to keep."""
    inputs = _inputs(kind, tables, keys, queries, values, attention, edge)
    check_probability(dropout)
    of_values = keys if values is None else values
    heads, channels = of_values.shape[1:]
    nodes = tables.num_destinations
    given = checked(
        {
            "gradient": (gradient, (nodes, heads, channels)),
            "log_denominators": (log_denominators, (nodes, heads)),
        },
        keys,
    )
    made = torch.ops.gnn_checkpointing.attention_backward(
        kind, *_flat(tables), *given, *inputs, negative_slope, dropout, seed, *transposed(tables)
    )
    of_keys, of_queries, *rest = made
    optional = [None if tensor is None else found for tensor, found in zip(inputs[2:], rest, strict=True)]
    return Gradients(of_keys, of_queries, *optional)


def _inputs(
    kind: str,
    tables: GraphTables,
    keys: Tensor,
    queries: Tensor,
    values: Tensor | None,
    attention: Tensor | None,
    edge: Tensor | None,
) -> list[Tensor | None]:
    """The inputs contiguous, each checked to have the shape that the module's table says."""
    if kind not in _KINDS:
        raise ValueError(f"attention of kind {kind!r}: allowed are {', '.join(_KINDS)}")
    for name, tensor, wanted in (("values", values, kind != "gatv2"), ("attention", attention, kind == "gatv2")):
        if (tensor is not None) != wanted:
            raise ValueError(f"attention of kind {kind} {'needs' if wanted else 'takes no'} {name}")
    summed = keys if values is None else values
    if summed.dim() != 3:
        raise ValueError(f"the summed values have shape {list(summed.shape)}: expected [nodes, heads, channels]")
    head = tuple(summed.shape[1:])
    scored = head[:1] if kind == "gat" else head
    return checked(
        {
            "keys": (keys, (tables.num_sources, *scored)),
            "queries": (queries, (tables.num_destinations, *scored)),
            "values": (values, (tables.num_sources, *head)),
            "attention": (attention, head),
            "edge": (edge, (tables.num_edges, *scored)),
        },
        keys,
    )


def _flat(tables: GraphTables) -> tuple[Tensor, Tensor, Tensor, int]:
    return tables.source, tables.pointer, tables.order, tables.num_sources


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
        KIND=_KINDS[kind],
        EDGED="false" if tensors["edge"] is None else "true",
    )
    (library.backward if back else library.forward)(ctypes.byref(arguments))


@torch.library.custom_op("gnn_checkpointing::attention_forward", mutates_args=(), device_types="cpu")
def _forward(
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


@_forward.register_kernel("cuda")
def _(kind: str, *given: Any) -> tuple[Tensor, Tensor]:
    source, pointer, order, _, *inputs = given[:9]
    keys, _, values = inputs[:3]
    made = _aggregates(pointer, keys if values is None else values)
    triton_kernels("attention").forward(kind, (source, pointer, order), inputs, made, given[9:12])
    return made


@_forward.register_fake
def _(*given: Any) -> tuple[Tensor, Tensor]:
    pointer, keys, values = given[2], given[5], given[7]
    return _aggregates(pointer, keys if values is None else values)


@torch.library.custom_op("gnn_checkpointing::attention_backward", mutates_args=(), device_types="cpu")
def _backward(
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


@_backward.register_kernel("cuda")
def _(kind: str, *given: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    source, pointer, order, _, gradient, log_denominators, *inputs = given[:11]
    made = _gradients(*inputs)
    tables, by_source = (source, pointer, order), given[14:17]
    kept = (gradient, log_denominators)
    triton_kernels("attention").backward(kind, tables, by_source, kept, inputs, made, given[11:14])
    return made


@_backward.register_fake
def _(*given: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    return _gradients(*given[7:12])
