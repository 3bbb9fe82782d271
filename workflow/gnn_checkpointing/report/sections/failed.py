"""What failed, was refused, ran out of memory or of time."""

from __future__ import annotations

from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import MEASUREMENTS, ReportInputs
from gnn_checkpointing.report.page import Cell, Column, Paragraph, Section, Table
from gnn_checkpointing.report.sections.real import outcome_text


def failed_section(inputs: ReportInputs) -> Section:
    """Return the section on outcomes other than completed; it says so when there are none."""
    failed = [row for row in inputs.rows if row["outcome"] != "completed"]
    total = units.count(len(inputs.rows))
    if not failed:
        sentence = f"None failed: all {total} measurements (one a cell and policy) ran to the end."
        return Section("failed", "Failed cells", (Paragraph(sentence),))
    table = Table(
        id="table-failed",
        caption="Measurements that did not run to the end; they are outcomes, not omissions.",
        columns=(
            Column("Cell", "", "prose"),
            Column("Convolution"),
            Column("Policy"),
            Column("Outcome"),
            Column("Message", "", "prose"),
        ),
        rows=tuple(
            (
                Cell(str(row["cell"]), str(row["cell"])),
                Cell(str(row["convolution"]), str(row["convolution"])),
                Cell(str(row["policy"]), str(row["policy"])),
                Cell(outcome_text(row), str(row["outcome"])),
                Cell(str(row["message"] or units.NOTHING)),
            )
            for row in failed
        ),
        source=MEASUREMENTS,
    )
    sentence = f"{units.count(len(failed))} of {total} measurements (one a cell and policy) did not run to the end."
    return Section("failed", "Failed cells", (Paragraph(sentence), table))
