"""What must be the same on every machine: graphs, saved bytes, bytes per edge, and which way a verdict goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gnn_checkpointing.claims.ledger import Claim
from gnn_checkpointing.comparison.reports import Joined, Report, matched, place
from gnn_checkpointing.comparison.results import Check, Difference
from gnn_checkpointing.study.reading import read_yaml

ROUNDING, ROUNDING_BYTES = 1e-6, 1e-3
"""Two fits of the same bytes agree to this share of their slope, or to so many bytes per edge of a slope of nothing."""

LIBRARIES = ("torch", "torch-geometric", "numpy", "python")
"""Of the facts in `hardware.json`, the versions that decide which tensors are kept."""

_DECIDED = ("supported", "refuted")


@cache
def texts() -> Any:
    """What the page says: of each check its question, rule and results, why machines are compared, and how."""
    return read_yaml(Path(__file__).with_name("texts.yaml"))


def checks(pairs: Sequence[Joined], first: Report, second: Report) -> list[Check]:
    """Every check of two reports of one study; `pairs` are the rows that both have."""
    reason = _reason(first, second)
    compared = {
        "graphs": (_graphs(first, second), "A generator of random numbers or a data set has changed between the two."),
        "saved-bytes": (_saved_bytes(pairs), reason),
        "bytes-per-edge": (_slopes(first, second), reason),
        "verdicts": (_verdicts(first, second), ""),
    }
    return [_check(id, *compared[id]) for id in texts()["checks"]]


def half_decided(first: Report, second: Report) -> list[Difference]:
    """The claims that one machine decides and the other leaves open."""
    return [_claim(*pair) for pair in _claims(first, second) if sum(one.verdict in _DECIDED for one in pair) == 1]


def _check(id: str, compared: Iterator[Difference | None], reason: str) -> Check:
    """A check of items that were held against each other, None for each that is the same."""
    differences = list(compared)
    findings = [one for one in differences if one is not None]
    return Check(
        id=id,
        question=texts()["checks"][id]["question"],
        rule=texts()["checks"][id]["rule"],
        matched=len(differences),
        differ=len(findings),
        worst=max((one.relative for one in findings if one.relative is not None), default=None),
        word="different" if findings else "same" if differences else "not compared",
        note=reason if findings else "",
        findings=findings,
    )


def _graphs(first: Report, second: Report) -> Iterator[Difference | None]:
    for pair in matched(first.graphs, second.graphs, lambda graph: graph.id):
        one, other = (f"{g.num_nodes} nodes, {g.num_edges} edges, SHA-256 {g.sha256[:12]}" for g in pair)
        same = pair[0].sha256 == pair[1].sha256
        yield None if same else Difference(place=pair[0].id, first=one, second=other)


def _saved_bytes(pairs: Sequence[Joined]) -> Iterator[Difference | None]:
    for pair in pairs:
        one, other = (row["saved_activation_bytes"] for row in (pair.first, pair.second))
        if pair.both_completed and isinstance(one, int) and isinstance(other, int):
            # Sizes of blocks follow the machine's cache.
            blocks = [row["edges_at_once"] for row in (pair.first, pair.second)]
            note = "" if blocks[0] == blocks[1] else f"{blocks[0]} and {blocks[1]} edges at once"
            yield None if one == other else _apart(place(pair.first), one, other, note)


def _slopes(first: Report, second: Report) -> Iterator[Difference | None]:
    one_laws, other_laws = (
        {f"{law.convolution}, {law.policy}, {law.response}": law for law in report.laws} for report in (first, second)
    )
    for name, one in one_laws.items():
        other = other_laws.get(name)
        if other is not None and one.response != "step_time_seconds":
            a, b = one.per_edge.estimate, other.per_edge.estimate
            same = abs(a - b) <= max(ROUNDING_BYTES, ROUNDING * max(abs(a), abs(b)))
            note = "" if one.cells == other.cells else f"laws of {one.cells} and {other.cells} cells"
            yield None if same else _apart(name, a, b, note)


def _verdicts(first: Report, second: Report) -> Iterator[Difference | None]:
    for one, other in _claims(first, second):
        if one.verdict in _DECIDED and other.verdict in _DECIDED:
            yield None if one.verdict == other.verdict else _claim(one, other)


def _claims(first: Report, second: Report) -> list[tuple[Claim, Claim]]:
    return matched(first.claims, second.claims, lambda claim: claim.id)


def _claim(one: Claim, other: Claim) -> Difference:
    return Difference(place=one.id, first=one.verdict, second=other.verdict, note=one.sentence)


def _apart(where: str, first: float, second: float, note: str) -> Difference:
    """Two numbers that are not the same, and their distance over the larger."""
    relative = abs(first - second) / max(abs(first), abs(second))
    return Difference(place=where, first=first, second=second, relative=relative, note=note)


def _reason(first: Report, second: Report) -> str:
    """What two machines' bytes may differ by: their devices, their versions, or nothing."""
    one, other = (" and ".join(sorted({str(row["device"]) for row in report.rows})) for report in (first, second))
    if one != other:
        return (
            f"Measured on {one} here and on {other} there: their kernels may rightly keep different tensors, so this "
            "tells of the devices before it tells of an error."
        )
    versions = [(name, first.facts.get(name, "unknown"), second.facts.get(name, "unknown")) for name in LIBRARIES]
    apart = "; ".join(f"{name} {one} and {other}" for name, one, other in versions if one != other)
    if apart:
        return f"Measured under different versions ({apart}), which may keep different tensors."
    return "Measured on the same kind of device under the same versions, where the bytes should be equal."
