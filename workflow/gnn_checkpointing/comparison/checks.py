"""Comparison of two reports of one study: what they share, what of it must be the same, and what else differs."""

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.audit.checks.run import VERSIONS
from gnn_checkpointing.claims.ledger import Claim
from gnn_checkpointing.comparison.results import Check, Difference
from gnn_checkpointing.report.run_folder import Row, RunFolder, place

Item = TypeVar("Item")

ROUNDING, ROUNDING_BYTES = 1e-6, 1e-3
"""Tolerances of two fits of the same bytes: a share of their slope, or bytes per edge if the slope is about 0."""

_DECIDED = ("supported", "refuted")
_OTHER_GRAPHS = "A generator of random numbers or a data set has changed between the two."

Found = Iterator[tuple[str, Any, Any, str, bool]]
"""For each shared item: its place, both values, what may explain a difference, and whether the values are the same."""


QUESTIONS = {
    "graphs": (
        "Are the graphs the same?",
        "Graphs of one id have the same SHA-256; where sizes differ, too, their rows are not compared.",
    ),
    "saved-bytes": (
        "Are the saved bytes the same?",
        "Where a policy ran to its end on both, saved_activation_bytes are equal to the byte.",
    ),
    "bytes-per-edge": (
        "Are the bytes per edge the same?",
        "The laws of activation_bytes and saved_activation_bytes have slopes that differ by no more than rounding: a "
        "share of 0.000001, or 0.001 bytes per edge.",
    ),
    "verdicts": (
        "Do the verdicts go the same way?",
        "No claim is supported on one machine and refuted on the other.",
    ),
}
"""What must be the same on every machine, in the order of the page, each with its rule."""


class Joined(NamedTuple):
    """A row that both tables have, with its index in each table, counted from 0."""

    first_row: int
    first: Row
    second_row: int
    second: Row

    @property
    def both_completed(self) -> bool:
        """Whether the policy completed on both machines."""
        return self.first["outcome"] == self.second["outcome"] == "completed"


def compared(rows: Sequence[Joined], first: RunFolder, second: RunFolder) -> tuple[list[Check], list[Difference]]:
    """All checks of two reports of one study, and the differences; `rows` are those that both reports have."""
    reason = _reason(first, second)
    found: dict[str, tuple[Found, str]] = {
        "graphs": (_graphs(first, second), _OTHER_GRAPHS),
        "saved-bytes": (_saved_bytes(rows), reason),
        "bytes-per-edge": (_slopes(first, second), reason),
        "verdicts": (_verdicts(first, second), ""),
    }
    checks, differences = [], list[Difference]()
    for id, (question, rule) in QUESTIONS.items():
        items, explained = list(found[id][0]), found[id][1]
        own = [_difference(id, *item[:4]) for item in items if not item[4]]
        checks.append(
            Check(
                id=id,
                question=question,
                rule=rule,
                matched=len(items),
                differ=len(own),
                worst=max((one.relative for one in own if one.relative is not None), default=None),
                word="different" if own else "same" if items else "not compared",
                note=explained if own else "",
            )
        )
        differences += own
    return checks, differences


def _difference(what: str, where: str, first: Any, second: Any, note: str = "") -> Difference:
    """Two different values; for numbers, also their distance relative to the larger one."""
    relative = None if isinstance(first, str) else abs(first - second) / max(abs(first), abs(second))
    return Difference(what=what, place=where, first=first, second=second, relative=relative, note=note)


def _graphs(first: RunFolder, second: RunFolder) -> Found:
    for pair in matched(first.graphs, second.graphs, lambda graph: graph.id):
        one, other = (f"{g.num_nodes} nodes, {g.num_edges} edges, SHA-256 {g.sha256[:12]}" for g in pair)
        yield pair[0].id, one, other, "", pair[0].sha256 == pair[1].sha256


def _saved_bytes(rows: Sequence[Joined]) -> Found:
    for pair in rows:
        one, other = (row["saved_activation_bytes"] for row in (pair.first, pair.second))
        if pair.both_completed and isinstance(one, int) and isinstance(other, int):
            # Block sizes depend on the machine's cache.
            blocks = [row["edges_at_once"] for row in (pair.first, pair.second)]
            note = "" if blocks[0] == blocks[1] else f"{blocks[0]} and {blocks[1]} edges at once"
            yield place(pair.first), one, other, note, one == other


def _slopes(first: RunFolder, second: RunFolder) -> Found:
    one, other = (run.findings.regressions.laws for run in (first, second))
    for law, its in matched(one, other, lambda law: f"{law.convolution}, {law.policy}, {law.response}"):
        if law.response != "step_time_seconds":
            a, b = law.per_edge.estimate, its.per_edge.estimate
            same = abs(a - b) <= max(ROUNDING_BYTES, ROUNDING * max(abs(a), abs(b)))
            note = "" if law.cells == its.cells else f"laws of {law.cells} and {its.cells} cells"
            yield f"{law.convolution}, {law.policy}, {law.response}", a, b, note, same


def _verdicts(first: RunFolder, second: RunFolder) -> Found:
    for one, other in _claims(first, second):
        if one.verdict in _DECIDED and other.verdict in _DECIDED:
            yield one.id, one.verdict, other.verdict, one.sentence, one.verdict == other.verdict


def _claims(first: RunFolder, second: RunFolder) -> list[tuple[Claim, Claim]]:
    return matched(first.ledger.claims, second.ledger.claims, lambda claim: claim.id)


def _reason(first: RunFolder, second: RunFolder) -> str:
    """Why the bytes of two machines may differ: their devices, their versions, or no reason at all."""
    one, other = (" and ".join(sorted({str(row["device"]) for row in run.rows})) for run in (first, second))
    if one != other:
        return (
            f"Measured on {one} here and on {other} there: their kernels may rightly keep different tensors, so this "
            "tells of the devices before it tells of an error."
        )
    versions = [(name, *(run.machine.facts.get(name, "unknown") for run in (first, second))) for name in VERSIONS]
    apart = "; ".join(f"{name} {one} and {other}" for name, one, other in versions if one != other)
    if apart:
        return f"Measured under different versions ({apart}), which may keep different tensors."
    return "Measured on the same kind of device under the same versions, where the bytes should be equal."


def matched(first: Iterable[Item], second: Iterable[Item], key: Callable[[Item], Hashable]) -> list[tuple[Item, Item]]:
    """Pairs of items with the same key, in the order of `first`."""
    others = {key(item): item for item in second}
    return [(item, others[key(item)]) for item in first if key(item) in others]


def joined(first: RunFolder, second: RunFolder) -> list[Joined]:
    """The rows of the same cell and policy on graphs of one size, in the first table's order.

    A cell's id names its graph, architecture, aggregation and allocator. Two graphs with one id but different sizes
    also differ in SHA-256, so the check of graphs names them. A cell measured more than once counts by its first visit.
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


def around(pairs: Sequence[Joined], first: RunFolder, second: RunFolder) -> Iterator[Difference]:
    """Yield other differences: claims that only one report decides, machines, settings, rows, outcomes."""
    for one, other in _claims(first, second):
        if (one.verdict in _DECIDED) != (other.verdict in _DECIDED):
            yield _difference("half", one.id, one.verdict, other.verdict, one.sentence)
    kinds = {
        "facts": (first.machine.facts, second.machine.facts),
        "settings": (_settings(first), _settings(second)),
        "alone": (_alone(first, second), _alone(second, first)),
        "outcomes": (
            {place(row): row["outcome"] for _, row, *_ in pairs},
            {place(row): row["outcome"] for *_, row in pairs},
        ),
    }
    for what, (ours, theirs) in kinds.items():
        for name in dict.fromkeys([*ours, *theirs]):
            if ours.get(name) != theirs.get(name):
                yield _difference(what, name, ours.get(name, ""), theirs.get(name, ""))


def _alone(there: RunFolder, elsewhere: RunFolder) -> dict[str, str]:
    """For each cell, the policies that only the first of the two runs has."""
    known = {place(row) for row in elsewhere.rows}
    cells = grouped((row for row in there.rows if place(row) not in known), lambda row: str(row["cell"]))
    return {cell: ", ".join(str(row["policy"]) for row in rows) for cell, rows in cells.items()}


def _settings(run: RunFolder) -> dict[str, str]:
    """The study's settings by their full names, each list as one setting; the name of the machine is left out."""
    return dict(_keys(run.study.model_dump(mode="json", by_alias=True, exclude={"hardware"})))


def _keys(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _keys(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", json.dumps(value, ensure_ascii=False)
