"""One published report as far as it can be compared: read by the project's own readers, or refused by file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gnn_checkpointing.analysis.analyse import read_finding
from gnn_checkpointing.analysis.results import Regressions, Trends
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.claims.ledger import Ledger, read_ledger
from gnn_checkpointing.records.cell import read_records
from gnn_checkpointing.records.graph_facts import GraphFacts, read_graphs
from gnn_checkpointing.records.measurements_table import Value, read_table
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.inputs import (
    ANALYSIS,
    CLAIMS,
    GRAPHS,
    HARDWARE,
    MEASUREMENTS,
    RECORDS,
    STUDY,
    Machine,
    machine,
)
from gnn_checkpointing.study.reading import read_study
from gnn_checkpointing.study.study import Study

Row = dict[str, Value]

READ = (
    HARDWARE,
    STUDY,
    MEASUREMENTS,
    GRAPHS,
    RECORDS,
    CLAIMS,
    f"{ANALYSIS}/regressions.json",
    f"{ANALYSIS}/trends.json",
)
"""The files of a folder that a comparison rests on."""


@dataclass(frozen=True)
class Report:
    """What one machine says of one study; `fingerprints` are by cell, of all that a record depends on."""

    folder: Path
    machine: Machine
    study: Study
    rows: list[Row]
    graphs: dict[str, GraphFacts]
    fingerprints: dict[str, str]
    ledger: Ledger
    regressions: Regressions
    trends: Trends

    @property
    def facts(self) -> dict[str, str]:
        """The machine's facts by name."""
        return {fact.name: fact.value for fact in self.machine.facts}

    @property
    def devices(self) -> set[str]:
        """What the steps ran on: cpu or cuda."""
        return {str(row["device"]) for row in self.rows}


def read_report(folder: Path) -> Report:
    """Read a folder report/<hardware>/<study>, or refuse naming the file; its names must be what the files say."""
    found = Report(
        folder=folder,
        machine=_machine(folder / HARDWARE),
        study=read_study(folder / STUDY),
        rows=read_table(folder / MEASUREMENTS),
        graphs={graph.id: graph for graph in read_graphs(folder / GRAPHS)},
        fingerprints={record.cell: record.fingerprint for record in read_records(folder / RECORDS)},
        ledger=read_ledger(folder / CLAIMS),
        regressions=read_finding(folder / ANALYSIS, "regressions"),
        trends=read_finding(folder / ANALYSIS, "trends"),
    )
    for kind, told, called in (
        (HARDWARE, found.machine.slug, folder.parent.name),
        (STUDY, found.study.name, folder.name),
    ):
        if told != called:
            raise Refusal(f"{folder / kind}: it says {told}, but lies in a folder called {called}; call that {told}")
    return found


def _machine(path: Path) -> Machine:
    try:
        return machine(read_json(path))
    except Refusal as refusal:
        text = str(refusal)
        raise Refusal(text if str(path) in text else f"{path}: {text}") from None
