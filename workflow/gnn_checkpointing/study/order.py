"""The order in which a study's graphs are measured, and which of them are measured again later: a pure function of it.

Graphs, and not cells, are put in order: one job measures all cells of a graph.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from contextlib import suppress
from statistics import StatisticsError, correlation
from typing import NamedTuple

from gnn_checkpointing.study.graph_design import (
    GeneratedGraph,
    GraphSpec,
    derived_seed,
    generator_of,
    place,
    study_graphs,
)
from gnn_checkpointing.study.study import Study

LARGEST_CORRELATION = 0.1
"""Of the order with density or size, by ranks, in absolute value: a machine that drifts then favours neither."""

_DRAWS = 500
"""Of 36 graphs in two factors one draw in five is balanced enough; of a handful none may be."""


class Visit(NamedTuple):
    """One job: a graph, and how often it was measured before (0: in its own place in the order)."""

    graph: GraphSpec
    number: int

    @property
    def ending(self) -> str:
        """What follows the graph's name in the name of the folder of its records."""
        return f".visit-{self.number}" if self.number else ""

    @property
    def name(self) -> str:
        """Name of the folder of its records."""
        return place(self.graph) + self.ending


def measuring_order(study: Study) -> list[GraphSpec]:
    """The graphs in the first random order that is unrelated to density and size; the most balanced where none is.

    Real graphs are put anywhere: their sizes are not known before they are loaded.
    """
    shuffler = random.Random(derived_seed(study.seed, "order"))  # noqa: S311 - an order, no secret
    best, least = study_graphs(study), float("inf")
    for _ in range(_DRAWS):
        drawn = list(best)
        shuffler.shuffle(drawn)
        found = imbalance(drawn)
        if found < least:
            best, least = drawn, found
        if least < LARGEST_CORRELATION:
            break
    return best


def imbalance(order: list[GraphSpec]) -> float:
    """The larger rank correlation, in absolute value, of the place in the order with density and with size."""
    places = [(at, spec) for at, spec in enumerate(order) if isinstance(spec, GeneratedGraph)]
    found = [0.0]
    for factor in ([spec.average_degree for _, spec in places], [float(spec.num_nodes) for _, spec in places]):
        ordered = sorted(factor)
        # Twice the mean place of all that are equal.
        ranks = [float(bisect_left(ordered, value) + bisect_right(ordered, value)) for value in factor]
        with suppress(StatisticsError):  # fewer than two graphs, or all of one level
            found.append(abs(correlation([float(at) for at, _ in places], ranks)))
    return max(found)


def visits(study: Study) -> list[Visit]:
    """Every measuring job in order: each graph once, and the first `repeats` timed ones at the middle and the end."""
    order = measuring_order(study)
    timed = [spec for spec in order if (drawn := generator_of(spec)) is None or (drawn.timed and not drawn.large)]
    again = timed[: study.measurement.repeats]
    first = [Visit(spec, 0) for spec in order]
    middle = max((len(first) + 1) // 2, len(again))
    second, third = ([Visit(spec, number) for spec in again] for number in (1, 2))
    return [*first[:middle], *second, *first[middle:], *third]
