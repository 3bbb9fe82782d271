"""What the audit looks at: the study, the table, what was found, claimed and written down of graphs and machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gnn_checkpointing.analysis.analyse import Findings, read_analysis
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.claims.ledger import Ledger, read_ledger
from gnn_checkpointing.records.demonstration import Demonstration, read_demonstration
from gnn_checkpointing.records.graph_facts import GraphFacts, read_graphs
from gnn_checkpointing.records.measurements_table import Value, read_table
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.reading import read_study
from gnn_checkpointing.study.study import Study

Row = Mapping[str, Value]


@dataclass(frozen=True)
class Machine:
    """The machine as `hardware.json` describes it: its slug, its facts by name, and what people call it."""

    slug: str
    facts: Mapping[str, str]
    label: str = ""


@dataclass(frozen=True)
class AuditInputs:
    """All that is audited; `rows` are those of `measurements.csv` as `read_table` reads them."""

    study: Study
    rows: Sequence[Row]
    findings: Findings
    ledger: Ledger
    graphs: Sequence[GraphFacts]
    machine: Machine
    demonstration: Demonstration
    repeats: Sequence[Row] = ()
    """Rows of cells that were measured again at the study's middle and end; `rows` are then of the first time."""

    def by_visit(self) -> AuditInputs:
        """The same with the rows of repeated cells apart."""
        rows = [row for row in self.rows if not row.get("visit")]
        return replace(self, rows=rows, repeats=[row for row in self.rows if row.get("visit")])

    @property
    def reference(self) -> str:
        """The allocator under which everything is judged."""
        return self.study.measurement.allocators[0]

    @property
    def cells(self) -> dict[str, Row]:
        """A row of each cell, for what all rows of a cell share."""
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
        """Each completed row, none's own among them, with the completed row of none in its cell."""
        nones = {row["cell"]: row for row in self.completed if row["policy"] == "none"}
        return [(row, nones[row["cell"]]) for row in self.completed if row["cell"] in nones]


def machine_facts(values: Any) -> Machine:
    """Return the machine that the content of a `hardware.json` describes, or refuse."""
    try:
        facts = {str(fact["name"]): str(fact["value"]) for fact in values["facts"]}
        slug = str(values["slug"])
        return Machine(slug, facts, str(values.get("label", slug)))
    except (KeyError, TypeError) as error:
        raise Refusal(
            f"hardware description: {error!r}; it needs slug and facts (a list of name and value); write it anew with "
            "`hardware`"
        ) from None


def read_audit_inputs(run: Path) -> AuditInputs:
    """All that is audited of the run in a folder, under the names that a report publishes it by."""
    return AuditInputs(
        study=read_study(run / "study.json"),
        rows=read_table(run / "measurements.csv"),
        findings=read_analysis(run / "analysis"),
        ledger=read_ledger(run / "claims.json"),
        graphs=read_graphs(run / "graphs.json"),
        machine=machine_facts(read_json(run / "hardware.json")),
        demonstration=read_demonstration(run / "demonstration.json"),
    )


def place(row: Row) -> str:
    """Return where a row stands, such as sbm-n400-d4-GCN, layers."""
    return f"{row['cell']}, {row['policy']}"
