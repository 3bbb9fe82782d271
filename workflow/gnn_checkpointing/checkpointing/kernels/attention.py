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

from typing import Literal, NamedTuple

from torch import Tensor

from gnn_checkpointing.checkpointing.kernels.attention_operators import KINDS, attention_backward, attention_forward
from gnn_checkpointing.checkpointing.kernels.checks import check_probability, checked
from gnn_checkpointing.checkpointing.kernels.tables import GraphTables, transposed

Kind = Literal["gatv2", "gat", "transformer"]


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
    made: tuple[Tensor, Tensor] = attention_forward(kind, *_flat(tables), *inputs, negative_slope, dropout, seed)
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
    made = attention_backward(kind, *_flat(tables), *given, *inputs, negative_slope, dropout, seed, *transposed(tables))
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
    if kind not in KINDS:
        raise ValueError(f"attention of kind {kind!r}: allowed are {', '.join(KINDS)}")
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
