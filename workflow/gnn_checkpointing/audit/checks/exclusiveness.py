"""Was the machine the measurement's alone?"""

from __future__ import annotations

from datetime import datetime

from gnn_checkpointing.analysis.checks import moment
from gnn_checkpointing.audit.answers import Answer, no_offender
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import asks
from gnn_checkpointing.records.measurements_table import hosts

SHARED = "the machine was shared"
"""The words with which a record warns of other load (`measurement/record_warnings.py`)."""


@asks(
    "cells-alone",
    "Was each cell alone on the machine?",
    "No cell began before an earlier one had ended.",
)
def cells_alone(inputs: AuditInputs) -> Answer:
    # An earlier one of its own machine: the nodes of a cluster measure at the same time.
    spans = sorted(
        (hosts(row)[0], moment(str(row["started"]), "started", cell), moment(str(row["ended"]), "ended", cell), cell)
        for cell, row in inputs.cells.items()
    )
    overlapping: list[str] = []
    latest: dict[str, datetime] = {}
    for host, started, ended, cell in spans:
        if host in latest and started < latest[host]:
            overlapping.append(cell)
        latest[host] = max(latest.get(host, ended), ended)
    return no_offender(overlapping, len(spans), "cells overlapped another", "measurements.csv: started, ended")


@asks(
    "nothing-else-ran",
    "Was the machine free of other load?",
    "No record warns that the machine was shared: of too high a load, or of a processor taken away too often.",
)
def nothing_else_ran(inputs: AuditInputs) -> Answer:
    shared = [cell for cell, row in inputs.cells.items() if SHARED in str(row["warnings"] or "")]
    what = "cells warn that the machine was shared"
    return no_offender(sorted(shared), len(inputs.cells), what, "measurements.csv: warnings")
