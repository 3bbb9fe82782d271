"""The tables of a comparison: each a caption, its items and its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import BreakEvenPair, Comparison, Pair
from gnn_checkpointing.report import units
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.panels import Of, table

_COURSES = {
    "below": "below it everywhere",
    "above": "above it everywhere",
    "rises": "rises past it at",
    "falls": "falls past it at",
    "crosses": "passes it more than once",
}
_QUANTITIES = {"activation_ratio": "activation memory", "time_ratio": "step time"}
_SERIES: tuple[Of[Any], ...] = (Of("Convolution", "convolution"), Of("Policy", "policy"))
_QUOTIENT: Of[Any] = Of("Second / first", "quotient", units.ratio)
_ESTIMATED_QUOTIENT: Of[Any] = Of("Second / first", "quotient", units.ratio_estimate)
_GRAPH: Of[Any] = Of("Graph", "graph_label", content="prose")


def machines_table(found: Comparison) -> Table:
    """The machines and what each has published."""
    return table(
        "table-machines",
        "The machines, and the studies that each has published.",
        COMPARISON,
        found.machines,
        Of("Machine", "slug"),
        Of("Name", "label", content="prose"),
        Of("Studies", lambda one: ", ".join(one.studies), content="prose"),
    )


def overview_table(found: Comparison) -> Table:
    """One row for each study and pair of machines: what must be the same, and how the times agree."""

    def of(name: str, field: str, words: Callable[..., str] | None = None) -> Of[tuple[str, Pair]]:
        return Of(name, lambda row: getattr(row[1], field), words)

    def check(name: str, id: str) -> Of[tuple[str, Pair]]:
        return Of(name, lambda row: next(one.word for one in row[1].checks if one.id == id))

    def whole(name: str, unit: str, field: str) -> Of[tuple[str, Pair]]:
        def value(row: tuple[str, Pair]) -> Estimate | None:
            return next((getattr(one, field) for one in row[1].ratio_summaries if not one.convolution), None)

        return Of(name, value, units.ratio_estimate, unit)

    return table(
        "table-overview",
        "Every study that two machines have published: what must be the same, and how the time ratios of all cells "
        "agree.",
        COMPARISON,
        [(study.name, pair) for study in found.studies for pair in study.pairs],
        Of("Study", lambda row: row[0]),
        of("First", "first"),
        of("Second", "second"),
        of("Measurements on both", "rows", units.count),
        of("Findings", "findings", units.count),
        check("Graphs", "graphs"),
        check("Saved bytes", "saved-bytes"),
        check("Bytes per edge", "bytes-per-edge"),
        check("Verdicts", "verdicts"),
        whole("Time ratios", "second / first, median", "quotient"),
        whole("Rank agreement", "Kendall's tau", "rank_agreement"),
    )


def pair_tables(key: str, pair: Pair) -> dict[str, Table | None]:
    """The tables of a pair by name, in the page's order, None for one without rows; `key` is part of their id."""
    specified = (*_what_must_be_the_same(pair), *_ratios(pair), *_densities(pair), *_around(pair))
    return {
        name: table(f"table-{key}-{name}", caption, COMPARISON, items, *columns) if items else None
        for name, caption, items, *columns in specified
    }


def _what_must_be_the_same(pair: Pair) -> Iterator[tuple[Any, ...]]:
    yield (
        "checks",
        "What must be the same on both machines.",
        pair.checks,
        Of("Question", "question", content="prose"),
        Of("Compared", "matched", units.count),
        Of("Differ", "differ", units.count),
        Of("Largest difference", "worst", units.share),
        Of("Result", "word"),
        Of("Rule", "rule", content="prose"),
    )
    yield (
        "findings",
        "Findings: what must be the same on both machines and is not.",
        [(check, one) for check in pair.checks for one in check.findings],
        Of("Where", lambda row: row[1].place, content="prose"),
        Of("What", lambda row: row[0].id.replace("-", " ")),
        Of(pair.first, lambda row: _value(row[1].first)),
        Of(pair.second, lambda row: _value(row[1].second)),
        Of("Difference", lambda row: row[1].relative, units.share),
        Of("Note", lambda row: row[1].note, content="prose"),
    )


def _ratios(pair: Pair) -> Iterator[tuple[Any, ...]]:
    yield (
        "agreement",
        "Step time of a policy / none's, formed within each machine, and held against the other's.",
        pair.ratio_summaries,
        Of("Convolution", lambda one: one.convolution or "all"),
        Of("Policy", lambda one: one.policy or "all"),
        _allocator(pair.ratio_summaries),
        Of("Cells", "cells", units.count),
        Of("Graphs", "graphs", units.count),
        Of(f"{pair.second} / {pair.first}", "quotient", units.ratio_estimate, "median"),
        Of("Rank agreement", "rank_agreement", units.ratio_estimate, "Kendall's tau"),
    )
    yield (
        "ratios",
        "Step time of each policy / none's in the same cell, on either machine with its interval.",
        pair.ratios,
        _GRAPH,
        *_SERIES,
        _allocator(pair.ratios),
        *_on_both(pair, units.ratio_estimate, "/ none"),
        _QUOTIENT,
    )
    yield (
        "throughput",
        "Throughput of a training step on the largest graph that both machines timed: edges over the time of a step.",
        pair.throughput,
        *_SERIES,
        _allocator(pair.throughput),
        _GRAPH,
        Of("Edges", "num_edges", units.count),
        *_on_both(pair, lambda rate: units.fixed(rate / 1e6, 2), "million edges per second"),
        _QUOTIENT,
    )


def _densities(pair: Pair) -> Iterator[tuple[Any, ...]]:
    yield (
        "per-edge",
        "Time per edge by the laws of either machine; compared is its ratio to none's on the same machine.",
        pair.per_edge,
        *_SERIES,
        *_on_both(pair, lambda time: units.scaled_estimate(time, units.NANOSECOND), "ns per edge", "_seconds"),
        *_on_both(pair, units.ratio_estimate, "/ none"),
        _ESTIMATED_QUOTIENT,
        Of("Intervals", lambda one: one.quotient and ("do not meet" if one.apart else "meet")),
    )
    yield (
        "break-even",
        "Average degree at which a policy's ratio to none's passes a threshold, on either machine.",
        pair.break_evens,
        *_SERIES,
        Of("Quantity", lambda one: _QUANTITIES[one.quantity]),
        Of("Threshold", "threshold", units.plain),
        Of(pair.first, lambda one: _course(one.first_course, one.first)),
        Of(pair.second, lambda one: _course(one.second_course, one.second)),
        _ESTIMATED_QUOTIENT,
        Of("Agreement", _agreement),
    )


def _around(pair: Pair) -> Iterator[tuple[Any, ...]]:
    """What differs around the measurements: machines, settings, what only one has or decides."""
    for name, caption, items in (
        ("facts", "What hardware.json says otherwise of the two machines.", pair.facts),
        ("settings", "What the two studies ask otherwise though they share a name.", pair.settings),
        ("outcomes", "Measurements that ended otherwise on either machine.", pair.outcomes),
        ("half", "Claims that one machine decides and the other leaves open.", pair.half_decided),
    ):
        yield (
            name,
            caption,
            items,
            Of("What", "place", content="prose"),
            Of(pair.first, lambda one: _value(one.first), content="prose"),
            Of(pair.second, lambda one: _value(one.second), content="prose"),
            Of("Note", "note", content="prose") if any(one.note for one in items) else None,
        )
    yield (
        "alone",
        "Measured on one machine alone.",
        pair.alone,
        Of("Cell", "cell", content="prose"),
        Of("Machine", "machine"),
        Of("Policies", lambda one: ", ".join(one.policies), content="prose"),
    )


def _on_both(pair: Pair, words: Callable[..., str], unit: str, suffix: str = "") -> tuple[Of[Any], Of[Any]]:
    """A column for each machine."""
    return Of(pair.first, f"first{suffix}", words, unit), Of(pair.second, f"second{suffix}", words, unit)


def _allocator(rows: Sequence[Any]) -> Of[Any] | None:
    """The column of allocators, where there are two."""
    return Of("Allocator", "allocator") if len({one.allocator for one in rows}) > 1 else None


def _agreement(one: BreakEvenPair) -> str:
    if one.first_course != one.second_course:
        return "another course"
    return "intervals do not meet" if one.apart else "agree"


def _course(course: str, degree: Estimate | None) -> str:
    return _COURSES[course] if degree is None else f"{_COURSES[course]} {units.general_estimate(degree)}"


def _value(value: float | str) -> str:
    """A word as it is, a whole number of bytes, or bytes per edge with decimals enough to show a difference."""
    if isinstance(value, str):
        return value
    return units.count(value) if isinstance(value, int) else units.fixed(value, 3)
