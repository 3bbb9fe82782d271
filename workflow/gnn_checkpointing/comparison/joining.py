"""What two reports of one study have in common: rows by cell and policy, and what differs around them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gnn_checkpointing.comparison.published import Report, Row
from gnn_checkpointing.comparison.results import Alone, Difference
from gnn_checkpointing.records.graph_facts import GraphFacts

_NOT_ASKED = {"hardware"}
"""Of a study: what names the machine, and so is each machine's own."""


@dataclass(frozen=True)
class Joined:
    """A row that both have: what is its place, and which row of either table it is, counted from 0."""

    place: str
    first_row: int
    second_row: int
    first: Row
    second: Row

    @property
    def both_completed(self) -> bool:
        """Whether the policy ran to its end on both machines."""
        return self.first["outcome"] == self.second["outcome"] == "completed"


def joined(first: Report, second: Report) -> list[Joined]:
    """Return the rows of the same cell and policy on graphs of one size, in the first table's order.

    A cell's id names its graph, architecture, aggregation and allocator. Two graphs of one id and another size have
    another SHA-256, too: `checks.graphs` tells of them.
    """
    resized = {
        id for id, graph in first.graphs.items() if id in second.graphs and _size(graph) != _size(second.graphs[id])
    }
    # A cell that was measured again is compared by its first visit.
    others = {_place(row): (number, row) for number, row in enumerate(second.rows) if not row.get("visit")}
    pairs = []
    for number, row in enumerate(first.rows):
        place = _place(row)
        if place in others and not row.get("visit") and row["graph"] not in resized:
            other_number, other = others[place]
            pairs.append(Joined(place, number, other_number, row, other))
    return pairs


def alone(first: Report, second: Report) -> list[Alone]:
    """Return the cells that one of the two has alone, or has policies of that the other has not."""
    return [*_lacking(first, second), *_lacking(second, first)]


def outcomes(pairs: list[Joined]) -> list[Difference]:
    """Return the rows that ran to their end on one machine alone, or failed in another way."""
    return [
        Difference(place=pair.place, first=str(pair.first["outcome"]), second=str(pair.second["outcome"]))
        for pair in pairs
        if pair.first["outcome"] != pair.second["outcome"]
    ]


def facts(first: Report, second: Report) -> list[Difference]:
    """Return what `hardware.json` says otherwise of the two machines, versions of libraries among it."""
    return _differences(first.facts, second.facts)


def settings(first: Report, second: Report) -> list[Difference]:
    """Return what the two studies ask otherwise though they share a name, key by key."""
    one, other = (
        dict(_keys(report.study.model_dump(mode="json", by_alias=True, exclude=_NOT_ASKED)))
        for report in (first, second)
    )
    return _differences(one, other)


def _place(row: Row) -> str:
    return f"{row['cell']}, {row['policy']}"


def _size(graph: GraphFacts) -> tuple[int, int]:
    return graph.num_nodes, graph.num_edges


def _lacking(there: Report, elsewhere: Report) -> Iterator[Alone]:
    known = {_place(row) for row in elsewhere.rows}
    policies: dict[str, list[str]] = {}
    for row in there.rows:
        if _place(row) not in known:
            policies.setdefault(str(row["cell"]), []).append(str(row["policy"]))
    for cell, names in policies.items():
        yield Alone(machine=there.machine.slug, cell=cell, policies=names)


def _differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[Difference]:
    names = dict.fromkeys([*one, *other])
    return [
        Difference(place=name, first=one.get(name, ""), second=other.get(name, ""))
        for name in names
        if one.get(name) != other.get(name)
    ]


def _keys(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting under its whole name, a list as one setting."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _keys(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", json.dumps(value, ensure_ascii=False)
