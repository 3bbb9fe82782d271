"""What failed, was refused, ran out of memory or of time."""

from __future__ import annotations

from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import MEASUREMENTS, QUALITY, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.real import outcome_text
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted_where

_text = texts("failed")


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
    listing = table(
        "table-failed",
        _text("table-failed"),
        MEASUREMENTS,
        failed,
        Of("Cell", lambda row: str(row["cell"]), content="prose"),
        Of("Convolution", lambda row: str(row["convolution"])),
        Of("Policy", lambda row: str(row["policy"])),
        Of("Outcome", lambda row: outcome_text(row)),
        Of("Message", lambda row: str(row["message"] or units.NOTHING), content="prose"),
    )
    ended = counted_where(inputs.rows, ("outcome", "=", "completed"))
    sentence = f"{units.count(started - ended)} of {total} measurements (one per cell and policy) did not complete."
    return Section("failed", "Failed cells", (Paragraph(sentence), listing, *absences))


def _absences(inputs: ReportInputs) -> tuple[Block, ...]:
    """Return the policies that were not started, each once with its reason; nothing where all were."""
    unavailable, refused = inputs.quality.unavailable, inputs.quality.refused
    if not unavailable and not refused:
        return ()
    return (
        Table(
            id="table-absent",
            caption=_text("table-absent"),
            columns=(
                Column("Policy"),
                Column("Why"),
                Column("Convolutions", "", "prose"),
                Column("Cells", "", "number"),
                Column("Reason", "", "prose"),
            ),
            rows=tuple(
                (
                    one.policy,
                    why,
                    ", ".join(one.convolutions),
                    units.count(one.cells),
                    one.reason,
                )
                for why, absences in (("unavailable here", unavailable), ("refused", refused))
                for one in absences
            ),
            source=QUALITY,
        ),
    )
