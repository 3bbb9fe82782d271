"""The tables of what must be the same, and of what differs around the measurements."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import Comparison, Difference, Pair
from gnn_checkpointing.report import units
from gnn_checkpointing.report.page import Cell, Column, Table


def machines_table(found: Comparison) -> Table:
    """Return the machines and what each has published."""
    return Table(
        id="table-machines",
        caption="The machines, and the studies that each has published.",
        columns=(Column("Machine"), Column("Name", "", "prose"), Column("Studies", "", "prose")),
        rows=tuple((Cell(one.slug), Cell(one.label), Cell(", ".join(one.studies))) for one in found.machines),
        source=COMPARISON,
    )


def overview_table(found: Comparison) -> Table:
    """Return a row for each study and pair of machines: what must be the same, and how the times agree."""
    rows = []
    for study in found.studies:
        for pair in study.pairs:
            words = {check.id: check.word for check in pair.checks}
            whole = next((one for one in pair.ratio_summaries if not one.convolution), None)
            rows.append(
                (
                    Cell(study.name),
                    Cell(pair.first),
                    Cell(pair.second),
                    Cell(units.count(pair.rows), pair.rows),
                    Cell(units.count(pair.findings), pair.findings),
                    *(Cell(words[id]) for id in ("graphs", "saved-bytes", "bytes-per-edge", "verdicts")),
                    estimate_cell(None if whole is None else whole.quotient),
                    estimate_cell(None if whole is None else whole.rank_agreement),
                )
            )
    return Table(
        id="table-overview",
        caption="Every study that two machines have published: what must be the same, and how the time ratios of all "
        "cells agree.",
        columns=(
            Column("Study"),
            Column("First"),
            Column("Second"),
            Column("Measurements on both", "", "number"),
            Column("Findings", "", "number"),
            Column("Graphs"),
            Column("Saved bytes"),
            Column("Bytes per edge"),
            Column("Verdicts"),
            Column("Time ratios", "second / first, median", "number"),
            Column("Rank agreement", "Kendall's tau", "number"),
        ),
        rows=tuple(rows),
        source=COMPARISON,
    )


def checks_table(key: str, pair: Pair) -> Table:
    """Return what must be the same, and what came of it."""
    return Table(
        id=f"table-{key}-checks",
        caption="What must be the same on both machines.",
        columns=(
            Column("Question", "", "prose"),
            Column("Compared", "", "number"),
            Column("Differ", "", "number"),
            Column("Largest difference", "", "number"),
            Column("Result"),
            Column("Rule", "", "prose"),
        ),
        rows=tuple(
            (
                Cell(check.question),
                Cell(units.count(check.matched), check.matched),
                Cell(units.count(check.differ), check.differ),
                Cell(units.NOTHING if check.worst is None else units.share(check.worst), check.worst),
                Cell(check.word),
                Cell(check.rule),
            )
            for check in pair.checks
        ),
        source=COMPARISON,
    )


def findings_table(key: str, pair: Pair) -> Table:
    """Return everything that must be the same and is not."""
    return Table(
        id=f"table-{key}-findings",
        caption="Findings: what must be the same on both machines and is not.",
        columns=(
            Column("Where", "", "prose"),
            Column("What"),
            Column(pair.first),
            Column(pair.second),
            Column("Difference", "", "number"),
            Column("Note", "", "prose"),
        ),
        rows=tuple(
            (
                Cell(one.place),
                Cell(check.id.replace("-", " ")),
                Cell(_value(one.first)),
                Cell(_value(one.second)),
                Cell(units.NOTHING if one.relative is None else units.share(one.relative), one.relative),
                Cell(one.note),
            )
            for check in pair.checks
            for one in check.findings
        ),
        source=COMPARISON,
    )


def differences_table(key: str, name: str, caption: str, pair: Pair, listed: Sequence[Difference]) -> Table:
    """Return what either machine says of some things that need not be the same; `name` is part of the table's id."""
    noted = any(one.note for one in listed)
    return Table(
        id=f"table-{key}-{name}",
        caption=caption,
        columns=(
            Column("What", "", "prose"),
            Column(pair.first, "", "prose"),
            Column(pair.second, "", "prose"),
            *([Column("Note", "", "prose")] if noted else []),
        ),
        rows=tuple(
            (
                Cell(one.place),
                Cell(_value(one.first) or units.NOTHING),
                Cell(_value(one.second) or units.NOTHING),
                *([Cell(one.note)] if noted else []),
            )
            for one in listed
        ),
        source=COMPARISON,
    )


def alone_table(key: str, pair: Pair) -> Table:
    """Return the cells and policies that one machine has alone."""
    return Table(
        id=f"table-{key}-alone",
        caption="Measured on one machine alone.",
        columns=(Column("Cell", "", "prose"), Column("Machine"), Column("Policies", "", "prose")),
        rows=tuple((Cell(one.cell), Cell(one.machine), Cell(", ".join(one.policies))) for one in pair.alone),
        source=COMPARISON,
    )


def estimate_cell(estimate: Estimate | None) -> Cell:
    """Return an estimate with its interval, or a dash where there is none."""
    return Cell(units.NOTHING) if estimate is None else Cell(units.ratio_estimate(estimate), estimate.estimate)


def _value(value: float | str) -> str:
    """Return a word as it is, a whole number of bytes, or bytes per edge with decimals enough to show a difference."""
    if isinstance(value, str):
        return value
    return units.count(value) if isinstance(value, int) else units.fixed(value, 3)
