"""Hardware and versions."""

from __future__ import annotations

from gnn_checkpointing.report.figure import Fact
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Facts, Paragraph, Section
from gnn_checkpointing.report.texts import texts

_text = texts("machine")


def machine_section(inputs: ReportInputs) -> Section:
    """Return the section on the machine, as written beside its records."""
    machine = inputs.machine
    return Section(
        "machine",
        "Hardware and versions",
        (
            Paragraph(_text("bytes-per-node-and-edge")),
            Facts((Fact("Machine", machine.label), Fact("Slug", machine.slug), *machine.facts)),
        ),
    )
