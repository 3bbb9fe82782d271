"""The data beside the report, and the meaning of every column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gnn_checkpointing.packed import PACK
from gnn_checkpointing.records.measurements_table import Value, columns_of
from gnn_checkpointing.report import inputs as files
from gnn_checkpointing.report.figure import Fact, Figure
from gnn_checkpointing.report.page import Facts, Link, Links, Section
from gnn_checkpointing.report.sections.parts import blocks
from gnn_checkpointing.report.tables import Of, table
from gnn_checkpointing.report.texts import texts

_text = texts("data")

_NOTES = {
    files.MEASUREMENTS: "one row per cell and policy; the columns are explained below",
    files.CLAIMS: "every claim with its rule, estimate, interval and verdict",
    files.EFFECTS: "what each policy needs at each size, density, real graph, batch and depth",
    files.AUDIT: "every question that this report asks itself, and the answer",
    files.TRENDS: "bands along density and break-even densities",
    files.REGRESSIONS: "additive laws, interactions, residuals",
    files.PREDICTIONS: "chosen laws, every candidate, coverage, real graphs, what fits",
    files.PLANNER: "the laws as the planner reads them, by layers, channels and heads",
    files.ROBUSTNESS: "what was tried against the answer",
    files.EXPLANATIONS: "a trained Vision GNN's blocks on images, where there are some",
    files.GRAPHS: "every graph: structure, source, licence, checksums, what was changed",
    files.ACCURACY: "training jobs",
    files.TRAININGS: "their loss curves",
    files.QUALITY: "outcomes, readings, overlap, widths, warnings",
    files.TRACES: "live bytes at every allocation of one step per convolution and policy",
    files.DEMONSTRATION: "what other instruments say of the same run",
    files.RECORDS: "every record whole, one per line: each step's time, orders, stamps, loads",
    files.STUDY: "the study as it was measured",
    files.HARDWARE: "the machine and the versions of libraries",
}


def data_section(
    checksums: Mapping[str, str], figures: Sequence[Figure], rows: Sequence[Mapping[str, Value]]
) -> Section:
    """The files beside the report; `checksums` gives the SHA-256 of each.

    `rows` are those of the table, whose columns are explained.
    """
    links = [
        Link(name, name, note) if name in files.PLAIN else Link(PACK, f"{name} in {PACK}", note)
        for name, note in _NOTES.items()
    ]
    origins = table(
        "table-origins-of-figures",
        _text("table-origins-of-figures"),
        "workflow/rules",
        [(figure.caption, one) for figure in figures if (one := figure.provenance) is not None],
        Of("Figure", lambda row: row[0], content="prose"),
        Of("Drawn numbers", lambda row: row[1].data, content="prose"),
        Of("From", lambda row: row[1].file, content="prose"),
        Of("Rule", lambda row: row[1].rule),
        Of("Command", lambda row: row[1].command, content="prose"),
    )
    dictionary = table(
        "table-dictionary",
        _text("table-dictionary", file=files.MEASUREMENTS),
        "gnn_checkpointing/records/measurements_table.py",
        columns_of(rows),
        Of("Column", "name"),
        Of("Type", "kind"),
        Of("Unit", "unit"),
        Of("Meaning", "meaning", content="prose"),
    )
    sums = Facts(tuple(Fact(f"SHA-256 of {name}", checksum) for name, checksum in checksums.items()))
    parts = blocks(_text("every-number-above-was-measured"), Links(tuple(links)), origins, sums, dictionary)
    return Section("data", "Data", parts)
