"""Folder of a run or of its published report: each file is read by its own reader, once, on first use."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from gnn_checkpointing.analysis.analyse import Findings, read_analysis
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.claims.ledger import Ledger, read_ledger
from gnn_checkpointing.packed import is_there
from gnn_checkpointing.planning.knowledge import Knowledge, read_knowledge
from gnn_checkpointing.records.cell import CellRecord, read_records
from gnn_checkpointing.records.graph_facts import EncodingCost, GraphFacts, read_encodings, read_graphs
from gnn_checkpointing.records.jobs import (
    Demonstration,
    Explanations,
    TrainingRecord,
    read_demonstration,
    read_explained,
    read_trainings,
)
from gnn_checkpointing.records.measurements_table import Value, read_table
from gnn_checkpointing.records.record import Machine, machine_of
from gnn_checkpointing.records.traces import Trace, read_traces
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.grades import Audit, read_audit
from gnn_checkpointing.study.reading import read_study
from gnn_checkpointing.study.study import Study

Row = Mapping[str, Value]


READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "study": ("study.json", read_study),
    "machine": ("hardware.json", lambda path: machine_of(read_json(path))),
    "records": ("records.jsonl", read_records),
    "rows": ("measurements.csv", read_table),
    "graphs": ("graphs.json", read_graphs),
    "traces": ("traces.json", read_traces),
    "trainings": ("trainings.json", read_trainings),
    # Only some runs have these three.
    "demonstration": ("demonstration.json", lambda path: read_demonstration(path) if is_there(path) else None),
    "explained": ("explained.json", lambda path: read_explained(path) if is_there(path) else None),
    "encodings": ("encodings.json", lambda path: read_encodings(path) if is_there(path) else []),
    "findings": ("analysis", read_analysis),
    "ledger": ("claims.json", read_ledger),
    "audit": ("audit.json", read_audit),
    "knowledge": ("planner.json", read_knowledge),
}
"""File (under its published name) and reader of each part of a run."""


class RunFolder:
    """All files of a run as values; the first use of a part raises Refusal if its file is missing or invalid.

    `rows` come from `measurements.csv`; after `by_visit`, `repeats` holds the rows of later visits to a cell.
    """

    study: Study
    machine: Machine
    records: list[CellRecord]
    rows: Sequence[Row]
    graphs: Sequence[GraphFacts]
    traces: list[Trace]
    trainings: list[TrainingRecord]
    demonstration: Demonstration | None
    explained: Explanations | None
    encodings: list[EncodingCost]
    findings: Findings
    ledger: Ledger
    audit: Audit
    knowledge: Knowledge
    repeats: Sequence[Row] = ()

    def __init__(self, folder: Path, **parts: Any) -> None:
        self.folder = folder
        vars(self).update(parts)

    def __getattr__(self, part: str) -> Any:
        """Read a part that is used for the first time."""
        if part not in READERS:
            raise AttributeError(part)
        name, reader = READERS[part]
        try:
            found = reader(self.folder / name)
        except Refusal as refusal:
            text = str(refusal)
            raise Refusal(text if str(self.folder) in text else f"{self.folder / name}: {text}") from None
        vars(self)[part] = found
        return found

    def but(self, **parts: Any) -> Self:
        """Copy of the run with some parts replaced."""
        return type(self)(**vars(self) | parts)

    def by_visit(self) -> Self:
        """Copy of the run with the rows of repeated cells in `repeats`."""
        rows = [row for row in self.rows if not row.get("visit")]
        return self.but(rows=rows, repeats=[row for row in self.rows if row.get("visit")])

    @property
    def reference(self) -> str:
        """The allocator whose measurements decide all conclusions."""
        return self.study.measurement.allocators[0]

    @property
    def cells(self) -> dict[str, Row]:
        """One row of each cell, for values that all rows of a cell share."""
        return {str(row["cell"]): row for row in self.rows}

    @property
    def completed(self) -> list[Row]:
        """Rows whose policy ran to its end."""
        return [row for row in self.rows if row["outcome"] == "completed"]

    @property
    def judged(self) -> list[Row]:
        """Completed rows under the reference allocator."""
        return [row for row in self.completed if row["allocator"] == self.reference]

    @property
    def timed(self) -> list[Row]:
        """Completed rows whose steps were timed."""
        return [row for row in self.completed if row["step_time_seconds"] is not None]

    @property
    def pairs(self) -> list[tuple[Row, Row]]:
        """Each completed row, including none's own, with none's completed row in the same cell."""
        nones = {row["cell"]: row for row in self.completed if row["policy"] == "none"}
        return [(row, nones[row["cell"]]) for row in self.completed if row["cell"] in nones]


def place(row: Row) -> str:
    """Name of a row's measurement, such as "sbm-n400-d4-GCN, layers"."""
    return f"{row['cell']}, {row['policy']}"
