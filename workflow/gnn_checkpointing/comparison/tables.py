"""The tables of a comparison, each as its rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import BreakEvenPair, Check, Comparison, Difference, Pair
from gnn_checkpointing.report import units
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.tables import Of, table

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

    def check(title: str, id: str) -> Of[tuple[str, Pair]]:
        return Of(title, lambda row: next(one.word for one in row[1].checks if one.id == id))

    def whole(title: str, unit: str, of: str) -> Of[tuple[str, Pair]]:
        def value(row: tuple[str, Pair]) -> Estimate | None:
            return next((getattr(one, of) for one in row[1].ratio_summaries if not one.convolution), None)

        return Of(title, value, units.ratio_estimate, unit)

    return table(
        "table-overview",
        "Every study that two machines have published: what must be the same, and how the time ratios of all cells "
        "agree.",
        COMPARISON,
        [(study.name, pair) for study in found.studies for pair in study.pairs],
        Of("Study", lambda row: row[0]),
        Of("First", lambda row: row[1].first),
        Of("Second", lambda row: row[1].second),
        Of("Measurements on both", lambda row: row[1].rows, units.count),
        Of("Findings", lambda row: row[1].findings, units.count),
        check("Graphs", "graphs"),
        check("Saved bytes", "saved-bytes"),
        check("Bytes per edge", "bytes-per-edge"),
        check("Verdicts", "verdicts"),
        whole("Time ratios", "second / first, median", "quotient"),
        whole("Rank agreement", "Kendall's tau", "rank_agreement"),
    )


def checks_table(key: str, pair: Pair) -> Table:
    """What must be the same, and whether it is."""
    return table(
        f"table-{key}-checks",
        "What must be the same on both machines.",
        COMPARISON,
        pair.checks,
        Of("Question", "question", content="prose"),
        Of("Compared", "matched", units.count),
        Of("Differ", "differ", units.count),
        Of("Largest difference", "worst", units.share),
        Of("Result", "word"),
        Of("Rule", "rule", content="prose"),
    )


def findings_table(key: str, pair: Pair) -> Table:
    """Everything that must be the same and is not."""
    rows: list[tuple[Check, Difference]] = [(check, one) for check in pair.checks for one in check.findings]
    return table(
        f"table-{key}-findings",
        "Findings: what must be the same on both machines and is not.",
        COMPARISON,
        rows,
        Of("Where", lambda row: row[1].place, content="prose"),
        Of("What", lambda row: row[0].id.replace("-", " ")),
        Of(pair.first, lambda row: _value(row[1].first)),
        Of(pair.second, lambda row: _value(row[1].second)),
        Of("Difference", lambda row: row[1].relative, units.share),
        Of("Note", lambda row: row[1].note, content="prose"),
    )


def differences_table(key: str, name: str, caption: str, pair: Pair, listed: Sequence[Difference]) -> Table:
    """What either machine says of some things that need not be the same; `name` is part of the table's id."""
    return table(
        f"table-{key}-{name}",
        caption,
        COMPARISON,
        listed,
        Of("What", "place", content="prose"),
        Of(pair.first, lambda one: _value(one.first), content="prose"),
        Of(pair.second, lambda one: _value(one.second), content="prose"),
        Of("Note", "note", content="prose") if any(one.note for one in listed) else None,
    )


def alone_table(key: str, pair: Pair) -> Table:
    """The cells and policies that one machine has alone."""
    return table(
        f"table-{key}-alone",
        "Measured on one machine alone.",
        COMPARISON,
        pair.alone,
        Of("Cell", "cell", content="prose"),
        Of("Machine", "machine"),
        Of("Policies", lambda one: ", ".join(one.policies), content="prose"),
    )


def summaries_table(key: str, pair: Pair) -> Table:
    """How the time ratios agree: of all cells, of each convolution, of each of its policies."""
    return table(
        f"table-{key}-agreement",
        "Step time of a policy / none's, formed within each machine, and held against the other's.",
        COMPARISON,
        pair.ratio_summaries,
        Of("Convolution", lambda one: one.convolution or "all"),
        Of("Policy", lambda one: one.policy or "all"),
        _allocator(pair.ratio_summaries),
        Of("Cells", "cells", units.count),
        Of("Graphs", "graphs", units.count),
        Of(f"{pair.second} / {pair.first}", "quotient", units.ratio_estimate, "median"),
        Of("Rank agreement", "rank_agreement", units.ratio_estimate, "Kendall's tau"),
    )


def ratios_table(key: str, pair: Pair) -> Table:
    """What the figure of ratios draws, with intervals."""
    return table(
        f"table-{key}-ratios",
        "Step time of each policy / none's in the same cell, on either machine with its interval.",
        COMPARISON,
        pair.ratios,
        _GRAPH,
        *_SERIES,
        _allocator(pair.ratios),
        *_on_both(pair, units.ratio_estimate, "/ none"),
        _QUOTIENT,
    )


def throughput_table(key: str, pair: Pair) -> Table:
    """Throughput on the largest graph that both machines timed."""

    def millions(rate: float) -> str:
        return units.fixed(rate / 1e6, 2)

    return table(
        f"table-{key}-throughput",
        "Throughput of a training step on the largest graph that both machines timed: edges over the time of a step.",
        COMPARISON,
        pair.throughput,
        *_SERIES,
        _allocator(pair.throughput),
        _GRAPH,
        Of("Edges", "num_edges", units.count),
        *_on_both(pair, millions, "million edges per second"),
        _QUOTIENT,
    )


def per_edge_table(key: str, pair: Pair) -> Table:
    """Time per edge by either machine's laws, and as ratios to none's."""

    def nanoseconds(seconds: Estimate) -> str:
        return units.scaled_estimate(seconds, units.NANOSECOND)

    return table(
        f"table-{key}-per-edge",
        "Time per edge by the laws of either machine; compared is its ratio to none's on the same machine.",
        COMPARISON,
        pair.per_edge,
        *_SERIES,
        *_on_both(pair, nanoseconds, "ns per edge", "_seconds"),
        *_on_both(pair, units.ratio_estimate, "/ none"),
        _ESTIMATED_QUOTIENT,
        Of("Intervals", lambda one: one.quotient and ("do not meet" if one.apart else "meet")),
    )


def break_evens_table(key: str, pair: Pair) -> Table:
    """Where along density policies break even on either machine."""
    return table(
        f"table-{key}-break-even",
        "Average degree at which a policy's ratio to none's passes a threshold, on either machine.",
        COMPARISON,
        pair.break_evens,
        *_SERIES,
        Of("Quantity", lambda one: _QUANTITIES[one.quantity]),
        Of("Threshold", "threshold", units.plain),
        Of(pair.first, lambda one: _course(one.first_course, one.first)),
        Of(pair.second, lambda one: _course(one.second_course, one.second)),
        _ESTIMATED_QUOTIENT,
        Of("Agreement", _agreement),
    )


def _on_both(pair: Pair, words: Callable[..., str], unit: str, suffix: str = "") -> tuple[Of[Any], Of[Any]]:
    """A column for each machine."""
    return Of(pair.first, f"first{suffix}", words, unit), Of(pair.second, f"second{suffix}", words, unit)


def _allocator(rows: Iterable[Any]) -> Of[Any] | None:
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
