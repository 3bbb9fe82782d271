"""Hardware and versions."""

from __future__ import annotations

from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Fact, Facts, Paragraph, Section


def machine_section(inputs: ReportInputs) -> Section:
    """Return the section on the machine, as written beside its records."""
    machine = inputs.machine
    return Section(
        "machine",
        "Hardware and versions",
        (
            Paragraph(
                "Bytes per node and edge are a property of the code and should come out the same on any machine; times "
                "are a property of this one."
            ),
            Facts((Fact("Machine", machine.label), Fact("Slug", machine.slug), *machine.facts)),
        ),
    )
