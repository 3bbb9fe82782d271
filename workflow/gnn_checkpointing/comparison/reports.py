"""Published reports as far as they can be compared, and what two of one study have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from gnn_checkpointing.analysis.analyse import read_finding
from gnn_checkpointing.analysis.results import BreakEven, Law
from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.claims.ledger import Claim, read_ledger
from gnn_checkpointing.comparison.results import Alone, Difference
from gnn_checkpointing.records.cell import read_records
from gnn_checkpointing.records.graph_facts import GraphFacts, read_graphs
from gnn_checkpointing.records.measurements_table import Value, read_table
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.report.inputs import ANALYSIS, CLAIMS, GRAPHS, HARDWARE, MEASUREMENTS, RECORDS, STUDY, machine
from gnn_checkpointing.study.reading import read_study
from gnn_checkpointing.study.study import Study

Row = dict[str, Value]
Item = TypeVar("Item")

_NOT_ASKED = {"hardware"}
"""Of a study: what names the machine, and so is each machine's own."""


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


class Joined(NamedTuple):
    """A row that both have, and which row of either table it is, counted from 0."""

    first_row: int
    first: Row
    second_row: int
    second: Row

    @property
    def both_completed(self) -> bool:
        """Whether the policy ran to its end on both machines."""
        return self.first["outcome"] == self.second["outcome"] == "completed"


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


def matched(first: Iterable[Item], second: Iterable[Item], key: Callable[[Item], Hashable]) -> list[tuple[Item, Item]]:
    """The items of one key, in the first's order."""
    others = {key(item): item for item in second}
    return [(item, others[key(item)]) for item in first if key(item) in others]


def place(row: Row) -> str:
    """Where a row is in the study."""
    return f"{row['cell']}, {row['policy']}"


def joined(first: Report, second: Report) -> list[Joined]:
    """The rows of the same cell and policy on graphs of one size, in the first table's order.

    A cell's id names its graph, architecture, aggregation and allocator. Two graphs of one id and another size have
    another SHA-256, too: the check of graphs names them. A cell that was measured again is compared by its first visit.
    """
    resized = {
        one.id
        for one, other in matched(first.graphs, second.graphs, lambda graph: graph.id)
        if (one.num_nodes, one.num_edges) != (other.num_nodes, other.num_edges)
    }
    one, other = (
        [(n, row) for n, row in enumerate(report.rows) if not row.get("visit") and row["graph"] not in resized]
        for report in (first, second)
    )
    return [Joined(*own, *theirs) for own, theirs in matched(one, other, lambda numbered: place(numbered[1]))]


def alone(there: Report, elsewhere: Report) -> list[Alone]:
    """The cells that the first of the two has alone, or has policies of that the other has not."""
    known = {place(row) for row in elsewhere.rows}
    policies: dict[str, list[str]] = {}
    for row in there.rows:
        if place(row) not in known:
            policies.setdefault(str(row["cell"]), []).append(str(row["policy"]))
    return [Alone(machine=there.slug, cell=cell, policies=names) for cell, names in policies.items()]


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[Difference]:
    """The names under which two mappings have different texts; what is missing is empty."""
    return [
        Difference(place=name, first=one.get(name, ""), second=other.get(name, ""))
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    ]


def settings(report: Report) -> dict[str, str]:
    """What the study asks, each setting under its whole name, a list as one setting."""
    return dict(_keys(report.study.model_dump(mode="json", by_alias=True, exclude=_NOT_ASKED)))


def _keys(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _keys(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", json.dumps(value, ensure_ascii=False)
