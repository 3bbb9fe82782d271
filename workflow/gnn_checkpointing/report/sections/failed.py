"""What failed, was refused, ran out of memory or of time."""

from __future__ import annotations

from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import MEASUREMENTS, QUALITY, ReportInputs
from gnn_checkpointing.report.page import Block, Cell, Column, Paragraph, Section, Table
from gnn_checkpointing.report.sections.real import outcome_text
from gnn_checkpointing.sourced import counted_where


def failed_section(inputs: ReportInputs) -> Section:
    """Return the section on outcomes other than completed; it says so when there are none.

    A policy that refuses, or lacks what it needs on this machine, was never started: it is told apart from failures.
    """
    failed = [row for row in inputs.rows if row["outcome"] not in ("completed", "refused", "unavailable")]
    started = inputs.started
    total = units.count(started)
    absences = _absences(inputs)
    if not failed:
        sentence = f"None failed: all {total} measurements (one per cell and policy) completed."
        return Section("failed", "Failed cells", (Paragraph(sentence), *absences))
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
    ended = counted_where(inputs.rows, ("outcome", "=", "completed"))
    sentence = f"{units.count(started - ended)} of {total} measurements (one per cell and policy) did not complete."
    return Section("failed", "Failed cells", (Paragraph(sentence), table, *absences))


def _absences(inputs: ReportInputs) -> tuple[Block, ...]:
    """Return the policies that were not started, each once with its reason; nothing where all were."""
    unavailable, refused = inputs.quality.unavailable, inputs.quality.refused
    if not unavailable and not refused:
        return ()
    return (
        Table(
            id="table-absent",
            caption="Policies that were not started: unavailable on this machine, with what they need, or refused by "
            "themselves because they would change what is computed.",
            columns=(
                Column("Policy"),
                Column("Why"),
                Column("Convolutions", "", "prose"),
                Column("Cells", "", "number"),
                Column("Reason", "", "prose"),
            ),
            rows=tuple(
                (
                    Cell(one.policy, one.policy),
                    Cell(why, why),
                    Cell(", ".join(one.convolutions)),
                    Cell(units.count(one.cells), one.cells),
                    Cell(one.reason),
                )
                for why, absences in (("unavailable here", unavailable), ("refused", refused))
                for one in absences
            ),
            source=QUALITY,
        ),
    )
