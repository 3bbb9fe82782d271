"""The data beside the report, and the meaning of every column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gnn_checkpointing.packed import PACK
from gnn_checkpointing.records.measurements_table import Value, columns_of
from gnn_checkpointing.report.figure import Fact, Figure
from gnn_checkpointing.report.inputs import (
    ACCURACY,
    AUDIT,
    CLAIMS,
    DEMONSTRATION,
    EFFECTS,
    EXPLANATIONS,
    GRAPHS,
    HARDWARE,
    MEASUREMENTS,
    PLAIN,
    PLANNER,
    PREDICTIONS,
    QUALITY,
    RECORDS,
    REGRESSIONS,
    ROBUSTNESS,
    STUDY,
    TRACES,
    TRAININGS,
    TRENDS,
)
from gnn_checkpointing.report.page import Column, Facts, Link, Links, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.texts import texts

_text = texts("data")


def data_section(
    checksums: Mapping[str, str], figures: Sequence[Figure], rows: Sequence[Mapping[str, Value]]
) -> Section:
    """Return the section on the data; `checksums` gives the SHA-256 of each file beside the report.

    `rows` are those of the table, whose columns are explained.
    """
    return Section(
        "data",
        "Data",
        (
            Paragraph(_text("every-number-above-was-measured")),
            Links(
                tuple(
                    _link(name, note)
                    for name, note in (
                        (MEASUREMENTS, "one row per cell and policy; the columns are explained below"),
                        (CLAIMS, "every claim with its rule, estimate, interval and verdict"),
                        (EFFECTS, "what each policy needs at each size, density, real graph, batch and depth"),
                        (AUDIT, "every question that this report asks itself, and the answer"),
                        (TRENDS, "bands along density and break-even densities"),
                        (REGRESSIONS, "additive laws, interactions, residuals"),
                        (PREDICTIONS, "chosen laws, every candidate, coverage, real graphs, what fits"),
                        (PLANNER, "the laws as the planner reads them, by layers, channels and heads"),
                        (ROBUSTNESS, "what was tried against the answer"),
                        (EXPLANATIONS, "a trained Vision GNN's blocks on images, where there are some"),
                        (GRAPHS, "every graph: structure, source, licence, checksums, what was changed"),
                        (ACCURACY, "training jobs"),
                        (TRAININGS, "their loss curves"),
                        (QUALITY, "outcomes, readings, overlap, widths, warnings"),
                        (TRACES, "live bytes at every allocation of one step per convolution and policy"),
                        (DEMONSTRATION, "what other instruments say of the same run"),
                        (RECORDS, "every record whole, one per line: each step's time, orders, stamps, loads"),
                        (STUDY, "the study as it was measured"),
                        (HARDWARE, "the machine and the versions of libraries"),
                    )
                )
            ),
            _origins(figures),
            Facts(tuple(Fact(f"SHA-256 of {name}", checksum) for name, checksum in checksums.items())),
            table(
                "table-dictionary",
                f"Data dictionary of {MEASUREMENTS}.",
                "gnn_checkpointing/records/measurements_table.py",
                columns_of(rows),
                Of("Column", lambda column: column.name),
                Of("Type", lambda column: column.kind),
                Of("Unit", lambda column: column.unit),
                Of("Meaning", lambda column: column.meaning, content="prose"),
            ),
        ),
    )


def _link(name: str, note: str) -> Link:
    return Link(name, name, note) if name in PLAIN else Link(PACK, f"{name} in {PACK}", note)


def _origins(figures: Sequence[Figure]) -> Table:
    """Return where each figure's drawn numbers are, and how the file that they are from is made again."""
    return Table(
        id="table-origins-of-figures",
        caption=_text("table-origins-of-figures"),
        columns=(
            Column("Figure", "", "prose"),
            Column("Drawn numbers", "", "prose"),
            Column("From", "", "prose"),
            Column("Rule"),
            Column("Command", "", "prose"),
        ),
        rows=tuple(
            (figure.caption, one.data, one.file, one.rule, one.command)
            for figure in figures
            if (one := figure.provenance) is not None
        ),
        source="workflow/rules",
    )
