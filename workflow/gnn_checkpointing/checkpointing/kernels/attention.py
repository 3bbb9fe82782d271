"""Attention of GATv2, GAT and TransformerConv over whole graphs; keeps one number per node and head for the gradient.

`csrc/attention.h` derives both passes. `keys` belong to sources and `queries` to destinations, in the form in which the
scores read them; `values` are summed:

| kind | keys | queries | values | attention | edge |
|---|---|---|---|---|---|
| gatv2 | x_l `[Ns, H, C]` | x_r `[Nd, H, C]` | None: the keys | `[H, C]` | `[E, H, C]` or None |
| gat | `[Ns, H]` | `[Nd, H]` | `[Ns, H, C]` | None | `[E, H]` or None |
| transformer | `[Ns, H, C]` | `[Nd, H, C]` | `[Ns, H, C]` | None | `[E, H, C]` or None |

`edge` is in the caller's order of edges. With `dropout`, the mask has the same distribution as PyG's, and depends on
nothing but `seed`, edge and head.
"""

import ctypes
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
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

Kind = Literal["gatv2", "gat", "transformer"]

_KINDS = {"gatv2": "kGatv2", "gat": "kGat", "transformer": "kTransformer"}
"""Name of each kind of score in csrc/attention.h."""

_INPUTS = ("keys", "queries", "values", "attention", "edge")


class Gradients(NamedTuple):
    """Gradients of the inputs; None for inputs that were not given."""

    keys: Tensor
    queries: Tensor
    values: Tensor | None
    attention: Tensor | None
    edge: Tensor | None


def forward(
    kind: Kind,
    graph: SortedEdges,
    *inputs: Tensor | None,
    negative_slope: float = 0.2,
    dropout: float = 0.0,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """Compute the aggregates `[Nd, H, C]`, and the scores' shifts `[Nd, H]` to keep for `backward`."""
    given = _checked(kind, graph, inputs, dropout)
    made: tuple[Tensor, Tensor] = _forward(*tables_of(graph), kind, negative_slope, dropout, seed, *given)
    return made


def backward(
    kind: Kind,
    graph: SortedEdges,
    gradient: Tensor,
    shifts: Tensor,
    *inputs: Tensor | None,
    negative_slope: float = 0.2,
    dropout: float = 0.0,
    seed: int = 0,
) -> Gradients:
    """Compute the gradients of all inputs from the aggregates' `gradient` and the `shifts` given by `forward`."""
    given = _checked(kind, graph, inputs, dropout)
    keys, _, values, _, _ = given
    head = (keys if values is None else values).shape[1:]
    kept = checked(
        {
            "gradient": (gradient, (graph.num_nodes, *head)),
            "shifts": (shifts, (graph.num_nodes, head[0])),
        },
        keys,
    )
    # On CPU, each thread owns sources instead.
    by_source = graph.by_source if keys.is_cuda else (None, None, None)
    made = _backward(*tables_of(graph), kind, negative_slope, dropout, seed, *given, *kept, *by_source)
    found: list[Any] = [None if tensor is None else of for tensor, of in zip(given, made, strict=True)]
    return Gradients(*found)


def _checked(kind: str, graph: SortedEdges, inputs: Sequence[Tensor | None], dropout: float) -> list[Any]:
    """Check that the inputs have the shapes in the module's table, and make them contiguous."""
    padded: list[Any] = [*inputs, *[None] * (5 - len(inputs))]
    keys, queries, values, attention, edge = padded
    if kind not in _KINDS:
        raise ValueError(f"attention of kind {kind!r}: allowed are {', '.join(_KINDS)}")
    if not 0 <= dropout <= 1:
        raise ValueError(f"dropout is {dropout}: a probability lies between 0 and 1")
    for name, tensor, wanted in (("values", values, kind != "gatv2"), ("attention", attention, kind == "gatv2")):
        if (tensor is not None) != wanted:
            raise ValueError(f"attention of kind {kind} {'needs' if wanted else 'takes no'} {name}")
    summed = keys if values is None else values
    if summed.dim() != 3:
        raise ValueError(f"the summed values have shape {list(summed.shape)}: expected [nodes, heads, channels]")
    head = tuple(summed.shape[1:])
    scored = head[:1] if kind == "gat" else head
    shapes = {
        "keys": (keys, (graph.num_sources, *scored)),
        "queries": (queries, (graph.num_nodes, *scored)),
        "values": (values, (graph.num_sources, *head)),
        "attention": (attention, head),
        "edge": (edge, (graph.num_edges, *scored)),
    }
    return checked(shapes, keys)


class _Arguments(ctypes.Structure):
    """`struct Arguments` of csrc/attention.h."""

    _fields_ = (
        ("graph", Graph),
        ("heads", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in (*_INPUTS, "gradient", "shifts")),
        *((name, ctypes.c_double) for name in ("slope", "dropout")),
        ("seed", ctypes.c_uint64),
        *((name, ctypes.c_void_p) for name in ("out", "kept", *(f"grad_{name}" for name in _INPUTS), "scratch")),
        *((name, ctypes.c_int64) for name in ("scratch_edges", "groups")),
    )


def _run(given: tuple[Any, ...], filled: dict[str, Tensor | None], back: bool, **numbers: int) -> None:
    """Run the C++ kernel on an operator's arguments; `filled` are the other tensors that it reads and writes."""
    tables, (kind, slope, dropout, seed), inputs = given[:4], given[4:8], dict(zip(_INPUTS, given[8:13], strict=True))
    summed = inputs["values"] = inputs["keys"] if inputs["values"] is None else inputs["values"]
    if 0 in summed.shape[1:]:
        return
    arguments = _Arguments(heads=summed.size(1), slope=slope, dropout=dropout, seed=seed, **numbers)
    constants: dict[str, str | int] = {
        "NUMBER": NUMBERS[summed.dtype],
        "CHANNELS": summed.size(2),
        "KIND": _KINDS[kind],
        "EDGED": "false" if inputs["edge"] is None else "true",
    }
    run("attention", back, arguments, tables, inputs | filled, **constants)


def _aggregates(*given: Any) -> tuple[Tensor, Tensor]:
    pointer, keys, values = given[1], given[8], given[10]
    summed, nodes = keys if values is None else values, pointer.size(0) - 1
    return summed.new_empty(nodes, *summed.shape[1:]), summed.new_empty(nodes, summed.size(1))


def _gradients(*given: Any) -> tuple[Tensor, ...]:
    return empty_gradients(*given[8:13])


def _backward_on_cpu(made: tuple[Tensor, ...], *given: Any) -> None:
    of_keys, of_queries, of_values, of_attention, of_edge = made
    (gradient, shifts), values, attention = given[13:15], given[10], given[11]
    for summed in (of_keys, of_values):
        summed.zero_()
    groups, edges_of_group = _groups(given[1], given[0].size(0))
    threads, heads = torch.get_num_threads(), gradient.size(1)
    scratch = gradient.new_empty(2 * threads * heads * edges_of_group if heads % threads else 0)
    by_group = gradient.new_zeros(groups, *of_attention.shape)
    tensors = {
        **{"gradient": gradient, "shifts": shifts, "scratch": scratch},
        **{"grad_keys": of_keys, "grad_queries": of_queries, "grad_attention": by_group, "grad_edge": of_edge},
        "grad_values": of_keys if values is None else of_values,
    }
    _run(given, tensors, back=True, groups=groups, scratch_edges=edges_of_group)
    if attention is not None:
        of_attention.copy_(by_group[0])


_EDGES_OF_GROUP = 4096


def _groups(pointer: Tensor, num_edges: int) -> tuple[int, int]:
    """Number of groups of whole nodes in the backward pass, and an upper bound on the edges of each group.

    Both depend on the graph alone, so that sums by group are the same for any number of threads.
    """
    num_nodes = pointer.size(0) - 1
    groups = min(max(num_edges // _EDGES_OF_GROUP, 1), 1024)
    largest_degree = int(pointer.diff().max()) if num_nodes else 0
    return groups, (num_edges + 4 * num_nodes) // groups + largest_degree + 4


_ARGUMENTS = (
    "str kind, float slope, float dropout, int seed, "
    "Tensor keys, Tensor queries, Tensor? values, Tensor? attention, Tensor? edge"
)
_forward = operator(
    "attention_forward",
    _ARGUMENTS,
    "(Tensor, Tensor)",
    _aggregates,
    lambda made, *given: _run(given, dict(zip(("out", "kept"), made, strict=True)), back=False),
    lambda made, *given: triton_kernels("attention").forward(given[:3], given[4:8], given[8:], made),
)
_backward = operator(
    "attention_backward",
    f"{_ARGUMENTS}, Tensor gradient, Tensor shifts, {BY_SOURCE}",
    "(Tensor, Tensor, Tensor, Tensor, Tensor)",
    _gradients,
    _backward_on_cpu,
    lambda made, *given: triton_kernels("attention").backward(
        given[:3], given[15:], given[4:8], given[8:13], given[13:15], made
    ),
)
