"""What two reports of one study have in common, and what only one of them has."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from gnn_checkpointing.audit.inputs import Row, RunFolder, place
from gnn_checkpointing.comparison.results import Difference

Item = TypeVar("Item")


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


def matched(first: Iterable[Item], second: Iterable[Item], key: Callable[[Item], Hashable]) -> list[tuple[Item, Item]]:
    """The items of one key, in the first's order."""
    others = {key(item): item for item in second}
    return [(item, others[key(item)]) for item in first if key(item) in others]


def joined(first: RunFolder, second: RunFolder) -> list[Joined]:
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
        [(n, row) for n, row in enumerate(run.rows) if not row.get("visit") and row["graph"] not in resized]
        for run in (first, second)
    )
    return [Joined(*own, *theirs) for own, theirs in matched(one, other, lambda numbered: place(numbered[1]))]


def around(pairs: Iterable[Joined], first: RunFolder, second: RunFolder) -> Iterator[Difference]:
    """What differs around the measurements: machines, settings, outcomes, and what one machine alone has."""
    kinds = {
        "facts": (first.machine.facts, second.machine.facts),
        "settings": (_settings(first), _settings(second)),
        "alone": (_alone(first, second), _alone(second, first)),
    }
    for what, (one, other) in kinds.items():
        for name in dict.fromkeys([*one, *other]):
            if one.get(name) != other.get(name):
                yield Difference(what=what, place=name, first=one.get(name, ""), second=other.get(name, ""))
    for pair in pairs:
        ends = [str(row["outcome"]) for row in (pair.first, pair.second)]
        if ends[0] != ends[1]:
            yield Difference(what="outcomes", place=place(pair.first), first=ends[0], second=ends[1])


def _alone(there: RunFolder, elsewhere: RunFolder) -> dict[str, str]:
    """The policies that the first of the two alone has, of each cell that has such."""
    known = {place(row) for row in elsewhere.rows}
    policies: dict[str, list[str]] = {}
    for row in there.rows:
        if place(row) not in known:
            policies.setdefault(str(row["cell"]), []).append(str(row["policy"]))
    return {cell: ", ".join(names) for cell, names in policies.items()}


def _settings(run: RunFolder) -> dict[str, str]:
    """What the study asks, each setting under its whole name, a list as one setting; not what names the machine."""
    return dict(_keys(run.study.model_dump(mode="json", by_alias=True, exclude={"hardware"})))


def _keys(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _keys(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", json.dumps(value, ensure_ascii=False)
