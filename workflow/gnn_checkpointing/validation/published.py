"""A published report read back: every file by its own reader, and what could not be read as complaints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnn_checkpointing.analysis.analyse import Findings, read_analysis
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.audit.grades import read_audit
from gnn_checkpointing.audit.inputs import Machine, machine_facts
from gnn_checkpointing.claims.ledger import read_ledger
from gnn_checkpointing.packed import is_there
from gnn_checkpointing.planning.knowledge import read_knowledge
from gnn_checkpointing.records.cell import CellRecord, read_records
from gnn_checkpointing.records.demonstration import read_demonstration
from gnn_checkpointing.records.explained import ExplainedSets, read_explained
from gnn_checkpointing.records.graph_facts import EncodingCost, GraphFacts, read_encodings, read_graphs
from gnn_checkpointing.records.measurements_table import Value, read_table
from gnn_checkpointing.records.traces import Trace, read_traces
from gnn_checkpointing.records.training import TrainingRecord, read_trainings
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report import inputs
from gnn_checkpointing.report.index import read_summary
from gnn_checkpointing.report.render import SUMMARY
from gnn_checkpointing.study.reading import read_study
from gnn_checkpointing.study.study import Study

Readers = dict[str, tuple[str, Callable[[Path], Any]]]

_MEASURED: Readers = {
    "study": (inputs.STUDY, read_study),
    "machine": (inputs.HARDWARE, lambda path: machine_facts(read_json(path))),
    "records": (inputs.RECORDS, read_records),
    "rows": (inputs.MEASUREMENTS, read_table),
    "graphs": (inputs.GRAPHS, read_graphs),
    "traces": (inputs.TRACES, read_traces),
    "trainings": (inputs.TRAININGS, read_trainings),
    "demonstration": (inputs.DEMONSTRATION, read_demonstration),
    "explained": (inputs.EXPLAINED, lambda path: read_explained(path) if is_there(path) else None),
    "encodings": (inputs.ENCODINGS, lambda path: read_encodings(path) if is_there(path) else []),
}
_CONCLUDED: Readers = {
    "findings": (inputs.ANALYSIS, read_analysis),
    "ledger": (inputs.CLAIMS, read_ledger),
    "audit": (inputs.AUDIT, read_audit),
    "knowledge": (inputs.PLANNER, read_knowledge),
    "summary": (SUMMARY, read_summary),
}


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
    explained: ExplainedSets | None
    encodings: list[EncodingCost]


def read_measured(folder: Path) -> tuple[Measured | None, list[str]]:
    """What was measured, None where a file is not what it should be, and a complaint for each such."""
    parts, complaints = _read(folder, _MEASURED)
    parts.pop("demonstration", None)
    return (None if complaints else Measured(folder, **parts)), complaints


def read_findings(folder: Path) -> tuple[Findings | None, list[str]]:
    """What the analysis found, None where a file of what was concluded is not what it should be; and complaints."""
    parts, complaints = _read(folder, _CONCLUDED)
    return (None if complaints else parts["findings"]), complaints


def _read(folder: Path, readers: Readers) -> tuple[dict[str, Any], list[str]]:
    parts, complaints = {}, []
    for part, (name, reader) in readers.items():
        try:
            parts[part] = reader(folder / name)
        except Refusal as refusal:
            text = str(refusal)
            complaints.append(text if str(folder) in text else f"{folder / name}: {text}")
    return parts, complaints
