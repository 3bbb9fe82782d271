"""A published report read back: every file by its own reader, and what could not be read as complaints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from gnn_checkpointing.analysis.analyse import Findings, read_analysis
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.audit.grades import Audit, read_audit
from gnn_checkpointing.audit.inputs import Machine, machine_facts
from gnn_checkpointing.claims.ledger import Ledger, read_ledger
from gnn_checkpointing.packed import is_there
from gnn_checkpointing.planning.knowledge import Knowledge, read_knowledge
from gnn_checkpointing.records.cell import CellRecord, read_records
from gnn_checkpointing.records.demonstration import Demonstration, read_demonstration
from gnn_checkpointing.records.encodings import EncodingCost, read_encodings
from gnn_checkpointing.records.explained import ExplainedSets, read_explained
from gnn_checkpointing.records.graph_facts import GraphFacts, read_graphs
from gnn_checkpointing.records.measurements_table import Value, read_table
from gnn_checkpointing.records.traces import Trace, read_traces
from gnn_checkpointing.records.training import TrainingRecord, read_trainings
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.index import Summary, read_summary
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
from gnn_checkpointing.report.render import SUMMARY
from gnn_checkpointing.study.reading import read_study
from gnn_checkpointing.study.study import Study

Read = TypeVar("Read")


@dataclass(frozen=True)
class Measured:
    """What was measured, beside a report: its records, and what was gathered from them."""

    folder: Path
    study: Study
    machine: Machine
    records: list[CellRecord]
    rows: list[dict[str, Value]]
    graphs: list[GraphFacts]
    traces: list[Trace]
    trainings: list[TrainingRecord]
    demonstration: Demonstration
    explained: ExplainedSets | None
    encodings: list[EncodingCost]


@dataclass(frozen=True)
class Concluded:
    """What was concluded from that, beside a report."""

    findings: Findings
    ledger: Ledger
    audit: Audit
    knowledge: Knowledge
    summary: Summary


@dataclass(frozen=True)
class Published:
    """The data beside a report."""

    measured: Measured
    concluded: Concluded


def read_measured(folder: Path) -> tuple[Measured | None, list[str]]:
    """Return what was measured, None where a file is not what it should be, and a complaint for each such."""
    read = _Reader(folder)
    parts: dict[str, Any] = {
        "study": read(STUDY, read_study),
        "machine": read(HARDWARE, lambda path: machine_facts(read_json(path))),
        "records": read(RECORDS, read_records),
        "rows": read(MEASUREMENTS, read_table),
        "graphs": read(GRAPHS, read_graphs),
        "traces": read(TRACES, read_traces),
        "trainings": read(TRAININGS, read_trainings),
        "demonstration": read(DEMONSTRATION, read_demonstration),
        "explained": read(EXPLAINED, read_explained) if is_there(folder / EXPLAINED) else None,
        "encodings": read(ENCODINGS, read_encodings) if is_there(folder / ENCODINGS) else [],
    }
    return (None if read.complaints else Measured(folder, **parts)), read.complaints


def read_concluded(folder: Path) -> tuple[Concluded | None, list[str]]:
    """Return what was concluded, None where a file is not what it should be, and a complaint for each such."""
    read = _Reader(folder)
    parts: dict[str, Any] = {
        "findings": read(ANALYSIS, read_analysis),
        "ledger": read(CLAIMS, read_ledger),
        "audit": read(AUDIT, read_audit),
        "knowledge": read(PLANNER, read_knowledge),
        "summary": read(SUMMARY, read_summary),
    }
    return (None if read.complaints else Concluded(**parts)), read.complaints


@dataclass(frozen=True)
class _Reader:
    """Reads files of a folder and keeps what is wrong with them."""

    folder: Path
    complaints: list[str] = field(default_factory=list)

    def __call__(self, name: str, reader: Callable[[Path], Read]) -> Read | None:
        try:
            return reader(self.folder / name)
        except Refusal as refusal:
            text = str(refusal)
            self.complaints.append(text if str(self.folder) in text else f"{self.folder / name}: {text}")
            return None
