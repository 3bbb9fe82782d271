"""A published report read back: every file by its own reader, and what could not be read as complaints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gnn_checkpointing.analysis.analyse import Findings, read_analysis
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.audit.grades import Audit, read_audit
from gnn_checkpointing.audit.inputs import Machine, machine_facts
from gnn_checkpointing.claims.ledger import Ledger, read_ledger
from gnn_checkpointing.planning.knowledge import read_knowledge
from gnn_checkpointing.records.cell import CellRecord, read_records
from gnn_checkpointing.records.demonstration import Demonstration, read_demonstration
from gnn_checkpointing.records.encodings import read_encodings
from gnn_checkpointing.records.explained import read_explained
from gnn_checkpointing.records.graph_facts import GraphFacts, read_graphs
from gnn_checkpointing.records.measurements_table import Value, read_table
from gnn_checkpointing.records.traces import read_traces
from gnn_checkpointing.records.training import TrainingRecord, read_trainings
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.inputs import (
    ANALYSIS,
    AUDIT,
    CLAIMS,
    DEMONSTRATION,
    ENCODINGS,
    EXPLAINED,
    GRAPHS,
    HARDWARE,
    MEASUREMENTS,
    PLANNER,
    RECORDS,
    STUDY,
    TRACES,
    TRAININGS,
)
from gnn_checkpointing.study.reading import read_study
from gnn_checkpointing.study.study import Study

Read = TypeVar("Read")


@dataclass(frozen=True)
class Published:
    """The data beside a report, as typed values."""

    folder: Path
    study: Study
    machine: Machine
    records: list[CellRecord]
    rows: list[dict[str, Value]]
    graphs: list[GraphFacts]
    trainings: list[TrainingRecord]
    demonstration: Demonstration
    findings: Findings
    ledger: Ledger
    audit: Audit


def read_published(folder: Path) -> tuple[Published | None, list[str]]:
    """Return the data beside a report, None where a file is not what it should be, and a complaint for each such."""
    complaints: list[str] = []

    def read(name: str, reader: Callable[[Path], Read]) -> Read | None:
        try:
            return reader(folder / name)
        except Refusal as refusal:
            complaints.append(str(refusal))
            return None

    parts: dict[str, Any] = {
        "study": read(STUDY, read_study),
        "machine": read(HARDWARE, lambda path: machine_facts(read_json(path))),
        "records": read(RECORDS, read_records),
        "rows": read(MEASUREMENTS, read_table),
        "graphs": read(GRAPHS, read_graphs),
        "trainings": read(TRAININGS, read_trainings),
        "demonstration": read(DEMONSTRATION, read_demonstration),
        "findings": read(ANALYSIS, read_analysis),
        "ledger": read(CLAIMS, read_ledger),
        "audit": read(AUDIT, read_audit),
    }
    read(TRACES, read_traces)
    read(PLANNER, read_knowledge)
    for name, reader in ((EXPLAINED, read_explained), (ENCODINGS, read_encodings)):
        if (folder / name).exists():
            read(name, reader)
    return (None if complaints else Published(folder, **parts)), complaints
