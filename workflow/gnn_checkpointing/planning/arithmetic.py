"""The laws' arithmetic: bytes and seconds of one policy on one graph, and the largest graph that fits.

Plain floating-point operations in a stated order: `templates/html/scripts/planner.js` does the same ones, and a test
compares the two to the last digit shown.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from gnn_checkpointing.planning.knowledge import ATTENTION, Growth, PlannedLaw, PolicyKnowledge, Sizes
from gnn_checkpointing.study.block_rule import block_edges
from gnn_checkpointing.study.policy_names import EAGER, parse_policy

REACH = 4.0
"""How many times fewer or more nodes or edges than were measured a time is still predicted for."""

NEARBY = 2.0
"""Within how many times its nodes and edges a measured graph speaks for another one."""

_RECOMPUTES = EAGER - {"none"} | {"offloaded", "reversible"}
"""Policies that do all that none does, and more."""

DROPPED_BYTES = 4
"""Of a share of attention: what it was multiplied with."""

_KEEPS_ALL = ("selective", "offloaded")

OF_EDGES = ("edges", "edges_at_once")
"""Columns whose rows are messages."""

MOST_NODES, MOST_EDGES = 10**12, 10**15
"""Where the searches for the largest graph end: what still fits there has no end that matters, and whole numbers up to
there are exact in floating point."""


@dataclass(frozen=True)
class Interval:
    """A predicted number of bytes or seconds and the ends of its interval."""

    estimate: float
    low: float
    high: float


def grown(growth: Growth, sizes: Sizes, width: int) -> float:
    """A growth's number for a model of these sizes, one layer of which works with rows of `width` values."""
    return (
        growth.layer_channels * (sizes.num_layers * sizes.hidden_channels)
        + growth.layer_heads * (sizes.num_layers * sizes.heads)
        + growth.channels * width
        + growth.heads * sizes.heads
        + growth.features * sizes.num_features
        + growth.rest
    )


def edges_at_once(known: PolicyKnowledge, num_nodes: float, num_edges: float, sizes: Sizes) -> float:
    """The edges whose messages a layer holds at a time: all of them, or a block's."""
    if known.blocks is None:
        return num_edges
    rule = known.blocks
    block = rule.edges or block_edges(
        int(num_nodes), sizes.hidden_channels, rule.edges_per_node, rule.smallest_bytes, rule.largest_bytes
    )
    return min(num_edges + (num_nodes if known.self_loops else 0), block)


def value(
    law: PlannedLaw, num_nodes: float, num_edges: float, at_once: float, sizes: Sizes, reads_features: bool
) -> float:
    """A law's bytes or seconds; beyond its graphs a curved law grows as the graph does, and no faster."""
    growth = 1.0
    if law.link == "exponential" or any("edges_squared" in piece for piece in law.pieces):
        growth = max(num_nodes / law.num_nodes[1], num_edges / law.num_edges[1], 1.0)
        num_nodes, num_edges = min(num_nodes, law.num_nodes[1]), min(num_edges, law.num_edges[1])
    widest = max(sizes.hidden_channels, sizes.num_features) if reads_features else sizes.hidden_channels
    sums = []
    for piece in law.pieces:
        total = 0.0
        for column, term in piece.items():
            width = widest if column in OF_EDGES else sizes.hidden_channels
            total += grown(term, sizes, width) * _column(column, num_nodes, num_edges, at_once, law.knee)
        sums.append(total)
    largest = max(sums)
    if law.link == "exponential":
        largest = math.exp(largest) * grown(law.factor, sizes, sizes.hidden_channels)
    return largest * growth


def resident(known: PolicyKnowledge, num_nodes: float, num_edges: float, sizes: Sizes) -> float:
    """The bytes that live before a step."""
    terms = known.resident
    parameters = terms.parameters * (sizes.num_layers * (sizes.hidden_channels * sizes.hidden_channels))
    per_node = terms.per_node + terms.per_feature * sizes.num_features
    return parameters + per_node * num_nodes + terms.per_edge * num_edges


def with_self_loops(known: PolicyKnowledge, num_nodes: float, num_edges: float) -> float:
    """The edges with one more for each node, which a convolution that always adds its own has already."""
    return num_edges if known.self_loops else num_edges + num_nodes


def dropout_bytes(known: PolicyKnowledge, num_nodes: float, num_edges: float, sizes: Sizes) -> float:
    """The bytes of attention dropout: what is kept of each share of attention, in every layer that keeps its messages.

    Compiled kernels draw them again.
    """
    kind = parse_policy(known.policy).kind
    if known.convolution not in ATTENTION or kind not in EAGER | {"offloaded"}:
        return 0.0
    layers = sizes.num_layers if kind == "none" else math.ceil(sizes.num_layers / _segments(known.policy, sizes))
    return DROPPED_BYTES * layers * sizes.heads * edges_at_once(known, num_nodes, num_edges, sizes)


def _segments(policy: str, sizes: Sizes) -> int:
    name = parse_policy(policy)
    return name.count or 1 if name.kind == "segments" else 1 if name.kind in _KEEPS_ALL else sizes.num_layers


def peak(
    known: PolicyKnowledge, num_nodes: float, num_edges: float, sizes: Sizes, attention_dropout: bool = False
) -> Interval:
    """The peak memory of a training step in bytes, resident included."""
    at_once = edges_at_once(known, num_nodes, num_edges, sizes)
    activation = value(known.activation, num_nodes, num_edges, at_once, sizes, known.reads_features)
    if attention_dropout:
        activation += dropout_bytes(known, num_nodes, num_edges, sizes)
    before = resident(known, num_nodes, num_edges, sizes)
    reach = known.activation.half_width
    return Interval(activation + before, activation * (1 - reach) + before, activation * (1 + reach) + before)


@dataclass(frozen=True)
class Time:
    """Seconds of a step; far from what was measured a bound on them, by which policies cannot be ranked.

    Each policy's bound comes from the edge of its own study's range: a small one says that little was measured.
    """

    interval: Interval | None = None
    at_least: float | None = None
    at_most: float | None = None


def measured_faster(known: PolicyKnowledge, num_nodes: float, num_edges: float) -> bool:
    """Whether the policy's step was measured to be shorter than none's on a graph of about that size."""
    return any(near(measured, (num_nodes, num_edges)) for measured in known.faster_at)


def near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two graphs, by nodes and edges, are of about the same size."""
    return all(max(pair) <= NEARBY * min(pair) for pair in zip(one, other, strict=True))


def seconds(
    known: PolicyKnowledge, none: PolicyKnowledge | None, num_nodes: float, num_edges: float, sizes: Sizes
) -> Time | None:
    """The seconds of a training step; None where no law predicts them.

    A policy that recomputes does all that `none` does: its predicted time is never shorter, unless it was measured so.
    """
    law = known.seconds
    if law is None:
        return None
    laws = [known]
    recomputes = parse_policy(known.policy).kind in _RECOMPUTES
    if (
        none is not None
        and none.seconds is not None
        and recomputes
        and not measured_faster(known, num_nodes, num_edges)
    ):
        laws.append(none)
    if num_nodes > REACH * law.num_nodes[1] or num_edges > REACH * law.num_edges[1]:
        nodes, edges = min(num_nodes, law.num_nodes[1]), min(num_edges, law.num_edges[1])
        return Time(at_least=_longest(laws, nodes, edges, sizes).low)
    if num_nodes * REACH < law.num_nodes[0] or num_edges * REACH < law.num_edges[0]:
        nodes, edges = max(num_nodes, law.num_nodes[0]), max(num_edges, law.num_edges[0])
        return Time(at_most=_longest(laws, nodes, edges, sizes).high)
    return Time(_longest(laws, num_nodes, num_edges, sizes))


def _longest(laws: list[PolicyKnowledge], num_nodes: float, num_edges: float, sizes: Sizes) -> Interval:
    found = []
    for known in laws:
        law = known.seconds
        assert law is not None  # `seconds` asks first
        at_once = edges_at_once(known, num_nodes, num_edges, sizes)
        middle = value(law, num_nodes, num_edges, at_once, sizes, known.reads_features)
        found.append(Interval(middle, middle * (1 - law.half_width), middle * (1 + law.half_width)))
    return Interval(max(one.estimate for one in found), max(one.low for one in found), max(one.high for one in found))


def largest_nodes(
    known: PolicyKnowledge, average_degree: float, memory_bytes: float, sizes: Sizes, attention_dropout: bool = False
) -> int | None:
    """The nodes of the largest graph of that degree that fits for certain; None where there is no end to it."""

    def fits(num_nodes: int) -> bool:
        return peak(known, num_nodes, average_degree * num_nodes, sizes, attention_dropout).high <= memory_bytes

    return _largest(fits, MOST_NODES)


def largest_edges(
    known: PolicyKnowledge, num_nodes: int, memory_bytes: float, sizes: Sizes, attention_dropout: bool = False
) -> int | None:
    """The edges of the densest graph of so many nodes that fits for certain; None where every graph does."""

    def fits(num_edges: int) -> bool:
        return peak(known, num_nodes, num_edges, sizes, attention_dropout).high <= memory_bytes

    return _largest(fits, min(num_nodes * (num_nodes - 1), MOST_EDGES))


def _largest(fits: Callable[[int], bool], most: int) -> int | None:
    """The largest number from 0 to `most` that fits; None where `most` does."""
    return None if fits(most) else max(bisect_left(range(most), True, lo=1, key=lambda number: not fits(number)) - 1, 0)


def _column(name: str, num_nodes: float, num_edges: float, at_once: float, knee: float | None) -> float:
    columns = {
        "constant": 1.0,
        "nodes": num_nodes,
        "edges": num_edges,
        "edges_at_once": at_once,
        "nodes_with_blocks": num_nodes if num_edges >= 2 * at_once else 0.0,
        "edges_squared": num_edges * num_edges,
        "edges_over_knee": max(num_edges - (knee or 0.0), 0.0),
        "log_nodes": math.log(max(num_nodes, 1.0)),
        "log_edges": math.log(max(num_edges, 1.0)),
    }
    return columns[name]
