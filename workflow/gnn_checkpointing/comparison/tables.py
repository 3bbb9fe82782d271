"""The tables of a comparison, each as its rows and columns: a title, and what a row has there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import BreakEvenPair, Comparison, Difference, Pair
from gnn_checkpointing.report import units
from gnn_checkpointing.report.page import Column, Table

Shown = tuple[Column, Callable[[Any], str]]

_COURSES = {
    "below": "below it everywhere",
    "above": "above it everywhere",
    "rises": "rises past it at",
    "falls": "falls past it at",
    "crosses": "passes it more than once",
}
_QUANTITIES = {"activation_ratio": "activation memory", "time_ratio": "step time"}


def _table(id: str, caption: str, rows: Iterable[Any], *columns: Shown) -> Table:
    cells = tuple(tuple(cell(row) for _, cell in columns) for row in rows)
    return Table(id=id, caption=caption, columns=tuple(column for column, _ in columns), rows=cells, source=COMPARISON)


def _words(title: str, of: Callable[[Any], str]) -> Shown:
    return Column(title), lambda row: of(row)


def _prose(title: str, of: Callable[[Any], str]) -> Shown:
    return Column(title, "", "prose"), lambda row: of(row)


def _count(title: str, of: Callable[[Any], int]) -> Shown:
    return Column(title, "", "number"), lambda row: units.count(of(row))


def _share(title: str, of: Callable[[Any], float | None]) -> Shown:
    def cell(row: Any) -> str:
        value = of(row)
        return units.NOTHING if value is None else units.share(value)

    return Column(title, "", "number"), cell


def _estimate(title: str, unit: str, of: Callable[[Any], Estimate | None]) -> Shown:
    def cell(row: Any) -> str:
        value = of(row)
        return units.NOTHING if value is None else units.ratio_estimate(value)

    return Column(title, unit, "number"), cell


def _several(rows: Iterable[Any]) -> list[Shown]:
    """The column of allocators, where there are two."""
    return [_words("Allocator", lambda one: one.allocator)] if len({one.allocator for one in rows}) > 1 else []


def machines_table(found: Comparison) -> Table:
    """The machines and what each has published."""
    return _table(
        "table-machines",
        "The machines, and the studies that each has published.",
        found.machines,
        _words("Machine", lambda one: one.slug),
        _prose("Name", lambda one: one.label),
        _prose("Studies", lambda one: ", ".join(one.studies)),
    )


def overview_table(found: Comparison) -> Table:
    """One row for each study and pair of machines: what must be the same, and how the times agree."""

    def check(title: str, id: str) -> Shown:
        return _words(title, lambda row: next(one.word for one in row[1].checks if one.id == id))

    def whole(of: str) -> Callable[[Any], Estimate | None]:
        return lambda row: next((getattr(one, of) for one in row[1].ratio_summaries if not one.convolution), None)

    return _table(
        "table-overview",
        "Every study that two machines have published: what must be the same, and how the time ratios of all cells "
        "agree.",
        ((study.name, pair) for study in found.studies for pair in study.pairs),
        _words("Study", lambda row: str(row[0])),
        _words("First", lambda row: row[1].first),
        _words("Second", lambda row: row[1].second),
        _count("Measurements on both", lambda row: row[1].rows),
        _count("Findings", lambda row: row[1].findings),
        check("Graphs", "graphs"),
        check("Saved bytes", "saved-bytes"),
        check("Bytes per edge", "bytes-per-edge"),
        check("Verdicts", "verdicts"),
        _estimate("Time ratios", "second / first, median", whole("quotient")),
        _estimate("Rank agreement", "Kendall's tau", whole("rank_agreement")),
    )


def checks_table(key: str, pair: Pair) -> Table:
    """What must be the same, and whether it is."""
    return _table(
        f"table-{key}-checks",
        "What must be the same on both machines.",
        pair.checks,
        _prose("Question", lambda check: check.question),
        _count("Compared", lambda check: check.matched),
        _count("Differ", lambda check: check.differ),
        _share("Largest difference", lambda check: check.worst),
        _words("Result", lambda check: check.word),
        _prose("Rule", lambda check: check.rule),
    )


def findings_table(key: str, pair: Pair) -> Table:
    """Everything that must be the same and is not."""
    return _table(
        f"table-{key}-findings",
        "Findings: what must be the same on both machines and is not.",
        ((check, one) for check in pair.checks for one in check.findings),
        _prose("Where", lambda row: row[1].place),
        _words("What", lambda row: row[0].id.replace("-", " ")),
        _words(pair.first, lambda row: _value(row[1].first)),
        _words(pair.second, lambda row: _value(row[1].second)),
        _share("Difference", lambda row: row[1].relative),
        _prose("Note", lambda row: row[1].note),
    )


def differences_table(key: str, name: str, caption: str, pair: Pair, listed: Sequence[Difference]) -> Table:
    """What either machine says of some things that need not be the same; `name` is part of the table's id."""
    return _table(
        f"table-{key}-{name}",
        caption,
        listed,
        _prose("What", lambda one: one.place),
        _prose(pair.first, lambda one: _value(one.first) or units.NOTHING),
        _prose(pair.second, lambda one: _value(one.second) or units.NOTHING),
        *([_prose("Note", lambda one: one.note)] if any(one.note for one in listed) else []),
    )


def alone_table(key: str, pair: Pair) -> Table:
    """The cells and policies that one machine has alone."""
    return _table(
        f"table-{key}-alone",
        "Measured on one machine alone.",
        pair.alone,
        _prose("Cell", lambda one: one.cell),
        _words("Machine", lambda one: one.machine),
        _prose("Policies", lambda one: ", ".join(one.policies)),
    )


def summaries_table(key: str, pair: Pair) -> Table:
    """How the time ratios agree: of all cells, of each convolution, of each of its policies."""
    return _table(
        f"table-{key}-agreement",
        "Step time of a policy / none's, formed within each machine, and held against the other's.",
        pair.ratio_summaries,
        _words("Convolution", lambda one: one.convolution or "all"),
        _words("Policy", lambda one: one.policy or "all"),
        *_several(pair.ratio_summaries),
        _count("Cells", lambda one: one.cells),
        _count("Graphs", lambda one: one.graphs),
        _estimate(f"{pair.second} / {pair.first}", "median", lambda one: one.quotient),
        _estimate("Rank agreement", "Kendall's tau", lambda one: one.rank_agreement),
    )


def ratios_table(key: str, pair: Pair) -> Table:
    """What the figure of ratios draws, with intervals."""
    return _table(
        f"table-{key}-ratios",
        "Step time of each policy / none's in the same cell, on either machine with its interval.",
        pair.ratios,
        _prose("Graph", lambda one: one.graph_label),
        _words("Convolution", lambda one: one.convolution),
        _words("Policy", lambda one: one.policy),
        *_several(pair.ratios),
        _estimate(pair.first, "/ none", lambda one: one.first),
        _estimate(pair.second, "/ none", lambda one: one.second),
        (Column("Second / first", "", "number"), lambda one: units.ratio(one.quotient)),
    )


def throughput_table(key: str, pair: Pair) -> Table:
    """Throughput on the largest graph that both machines timed."""

    def rate(title: str, of: str) -> Shown:
        return Column(title, "million edges per second", "number"), lambda one: units.fixed(getattr(one, of) / 1e6, 2)

    return _table(
        f"table-{key}-throughput",
        "Throughput of a training step on the largest graph that both machines timed: edges over the time of a step.",
        pair.throughput,
        _words("Convolution", lambda one: one.convolution),
        _words("Policy", lambda one: one.policy),
        *_several(pair.throughput),
        _prose("Graph", lambda one: one.graph_label),
        _count("Edges", lambda one: one.num_edges),
        rate(pair.first, "first"),
        rate(pair.second, "second"),
        (Column("Second / first", "", "number"), lambda one: units.ratio(one.quotient)),
    )


def per_edge_table(key: str, pair: Pair) -> Table:
    """Time per edge by either machine's laws, and as ratios to none's."""

    def seconds(title: str, of: str) -> Shown:
        return Column(title, "ns per edge", "number"), lambda one: units.scaled_estimate(
            getattr(one, of), units.NANOSECOND
        )

    return _table(
        f"table-{key}-per-edge",
        "Time per edge by the laws of either machine; compared is its ratio to none's on the same machine.",
        pair.per_edge,
        _words("Convolution", lambda one: one.convolution),
        _words("Policy", lambda one: one.policy),
        seconds(pair.first, "first_seconds"),
        seconds(pair.second, "second_seconds"),
        _estimate(pair.first, "/ none", lambda one: one.first),
        _estimate(pair.second, "/ none", lambda one: one.second),
        _estimate("Second / first", "", lambda one: one.quotient),
        _words(
            "Intervals",
            lambda one: units.NOTHING if one.quotient is None else "do not meet" if one.apart else "meet",
        ),
    )


def break_evens_table(key: str, pair: Pair) -> Table:
    """Where along density policies break even on either machine."""
    return _table(
        f"table-{key}-break-even",
        "Average degree at which a policy's ratio to none's passes a threshold, on either machine.",
        pair.break_evens,
        _words("Convolution", lambda one: one.convolution),
        _words("Policy", lambda one: one.policy),
        _words("Quantity", lambda one: _QUANTITIES[one.quantity]),
        (Column("Threshold", "", "number"), lambda one: units.plain(one.threshold)),
        _words(pair.first, lambda one: _course(one.first_course, one.first)),
        _words(pair.second, lambda one: _course(one.second_course, one.second)),
        _estimate("Second / first", "", lambda one: one.quotient),
        _words("Agreement", _agreement),
    )


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
