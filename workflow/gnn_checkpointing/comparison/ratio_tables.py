"""The tables of what differs between machines: how time ratios agree, times per edge, break-even densities."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import BreakEvenPair, Pair
from gnn_checkpointing.comparison.tables import estimate_cell
from gnn_checkpointing.report import units
from gnn_checkpointing.report.page import Cell, Column, Table

_COURSES = {
    "below": "below it everywhere",
    "above": "above it everywhere",
    "rises": "rises past it at",
    "falls": "falls past it at",
    "crosses": "passes it more than once",
}
_QUANTITIES = {"activation_ratio": "activation memory", "time_ratio": "step time"}


def summaries_table(key: str, pair: Pair) -> Table:
    """Return how the time ratios agree: of all cells, of each convolution, of each policy of it."""
    several = len({one.allocator for one in pair.ratio_summaries}) > 1
    return Table(
        id=f"table-{key}-agreement",
        caption="Step time of a policy / none's, formed within each machine, and held against the other's.",
        columns=(
            Column("Convolution"),
            Column("Policy"),
            *([Column("Allocator")] if several else []),
            Column("Cells", "", "number"),
            Column("Graphs", "", "number"),
            Column(f"{pair.second} / {pair.first}", "median", "number"),
            Column("Rank agreement", "Kendall's tau", "number"),
        ),
        rows=tuple(
            (
                Cell(one.convolution or "all"),
                Cell(one.policy or "all"),
                *([Cell(one.allocator)] if several else []),
                Cell(units.count(one.cells), one.cells),
                Cell(units.count(one.graphs), one.graphs),
                estimate_cell(one.quotient),
                estimate_cell(one.rank_agreement),
            )
            for one in pair.ratio_summaries
        ),
        source=COMPARISON,
    )


def per_edge_table(key: str, pair: Pair) -> Table:
    """Return the time per edge by either machine's laws, and as ratios to none's."""
    return Table(
        id=f"table-{key}-per-edge",
        caption="Time per edge by the laws of either machine; compared is its ratio to none's on the same machine.",
        columns=(
            Column("Convolution"),
            Column("Policy"),
            *(Column(slug, "ns per edge", "number") for slug in (pair.first, pair.second)),
            *(Column(slug, "/ none", "number") for slug in (pair.first, pair.second)),
            Column("Second / first", "", "number"),
            Column("Intervals"),
        ),
        rows=tuple(
            (
                Cell(one.convolution),
                Cell(one.policy),
                *(
                    Cell(units.scaled_estimate(seconds, units.NANOSECOND), seconds.estimate)
                    for seconds in (one.first_seconds, one.second_seconds)
                ),
                estimate_cell(one.first),
                estimate_cell(one.second),
                estimate_cell(one.quotient),
                Cell(units.NOTHING if one.quotient is None else "do not meet" if one.apart else "meet"),
            )
            for one in pair.per_edge
        ),
        source=COMPARISON,
    )


def break_evens_table(key: str, pair: Pair) -> Table:
    """Return where along density policies break even on either machine."""
    return Table(
        id=f"table-{key}-break-even",
        caption="Average degree at which a policy's ratio to none's passes a threshold, on either machine.",
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Quantity"),
            Column("Threshold", "", "number"),
            Column(pair.first),
            Column(pair.second),
            Column("Second / first", "", "number"),
            Column("Agreement"),
        ),
        rows=tuple(
            (
                Cell(one.convolution),
                Cell(one.policy),
                Cell(_QUANTITIES[one.quantity]),
                Cell(units.plain(one.threshold), one.threshold),
                Cell(_course(one.first_course, one.first)),
                Cell(_course(one.second_course, one.second)),
                estimate_cell(one.quotient),
                Cell(_agreement(one)),
            )
            for one in pair.break_evens
        ),
        source=COMPARISON,
    )


def _agreement(one: BreakEvenPair) -> str:
    if one.first_course != one.second_course:
        return "another course"
    return "intervals do not meet" if one.apart else "agree"


def _course(course: str, degree: Estimate | None) -> str:
    return _COURSES[course] if degree is None else f"{_COURSES[course]} {units.general_estimate(degree)}"
