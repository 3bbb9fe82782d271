"""What two reports of one study have in common: items of one key, rows among them, and what differs around them."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from gnn_checkpointing.comparison.published import Report, Row
from gnn_checkpointing.comparison.results import Alone, Difference

Item = TypeVar("Item")

_NOT_ASKED = {"hardware"}
"""Of a study: what names the machine, and so is each machine's own."""


def matched(first: Iterable[Item], second: Iterable[Item], key: Callable[[Item], Hashable]) -> list[tuple[Item, Item]]:
    """The items of one key, in the first's order."""
    others = {key(item): item for item in second}
    return [(item, others[key(item)]) for item in first if key(item) in others]


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
