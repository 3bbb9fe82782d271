"""One published report as far as it can be compared: read by the project's own readers, or refused by file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gnn_checkpointing.analysis.analyse import read_finding
from gnn_checkpointing.analysis.results import BreakEven, Law
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.claims.ledger import Claim, read_ledger
from gnn_checkpointing.records.cell import read_records
from gnn_checkpointing.records.graph_facts import GraphFacts, read_graphs
from gnn_checkpointing.records.measurements_table import Value, read_table
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.inputs import ANALYSIS, CLAIMS, GRAPHS, HARDWARE, MEASUREMENTS, RECORDS, STUDY, machine
from gnn_checkpointing.study.reading import read_study
from gnn_checkpointing.study.study import Study

Row = dict[str, Value]


@dataclass(frozen=True)
class Report:
    """What one machine says of one study; `facts` are the machine's by name, `fingerprints` the records' by cell."""

    slug: str
    label: str
    facts: dict[str, str]
    study: Study
    rows: list[Row]
    graphs: list[GraphFacts]
    fingerprints: dict[str, str]
    claims: list[Claim]
    laws: list[Law]
    break_evens: list[BreakEven]


def read_report(folder: Path) -> Report:
    """Read a folder report/<hardware>/<study>, or refuse naming the file; its names must be what the files say."""
    described = read_json(folder / HARDWARE)
    try:
        own = machine(described)
    except Refusal as refusal:
        raise Refusal(f"{folder / HARDWARE}: {refusal}") from None
    found = Report(
        slug=own.slug,
        label=own.label,
        facts={fact.name: fact.value for fact in own.facts},
        study=read_study(folder / STUDY),
        rows=read_table(folder / MEASUREMENTS),
        graphs=read_graphs(folder / GRAPHS),
        fingerprints={record.cell: record.fingerprint for record in read_records(folder / RECORDS)},
        claims=read_ledger(folder / CLAIMS).claims,
        laws=read_finding(folder / ANALYSIS, "regressions").laws,
        break_evens=read_finding(folder / ANALYSIS, "trends").break_evens,
    )
    for file, name, called in ((HARDWARE, own.slug, folder.parent.name), (STUDY, found.study.name, folder.name)):
        if name != called:
            raise Refusal(f"{folder / file}: it says {name}, but lies in a folder called {called}; call that {name}")
    return found
