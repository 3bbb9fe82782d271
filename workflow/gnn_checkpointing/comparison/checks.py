"""What must be the same on every machine: graphs, saved bytes, bytes per edge, and which way a verdict goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gnn_checkpointing.analysis.results import Law
from gnn_checkpointing.claims.ledger import Claim
from gnn_checkpointing.comparison.joining import Joined, matched, place
from gnn_checkpointing.comparison.published import Report
from gnn_checkpointing.comparison.results import Check, CheckId, Difference
from gnn_checkpointing.records.graph_facts import GraphFacts

ROUNDING, ROUNDING_BYTES = 1e-6, 1e-3
"""Two fits of the same bytes agree to this share of their slope, or to so many bytes per edge of a slope of nothing."""

LIBRARIES = ("torch", "torch-geometric", "numpy", "python")
"""Of the facts in `hardware.json`, the versions that decide which tensors are kept."""

_DECIDED = ("supported", "refuted")

_QUESTIONS: dict[CheckId, tuple[str, str]] = {
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
        f"The laws of activation_bytes and saved_activation_bytes have slopes that differ by no more than rounding: "
        f"a share of {ROUNDING:f}, or {ROUNDING_BYTES:g} bytes per edge.",
    ),
    "verdicts": (
        "Do the verdicts go the same way?",
        "No claim is supported on one machine and refuted on the other.",
    ),
}


def checks(pairs: Sequence[Joined], first: Report, second: Report) -> list[Check]:
    """Every check of two reports of one study; `pairs` are the rows that both have."""
    reason = _reason(first, second)
    return [
        _check(
            "graphs", _graphs(first, second), "A generator of random numbers or a data set has changed between the two."
        ),
        _check("saved-bytes", _saved_bytes(pairs), reason),
        _check("bytes-per-edge", _slopes(first, second), reason),
        _check("verdicts", _verdicts(first, second), ""),
    ]


def half_decided(first: Report, second: Report) -> list[Difference]:
    """The claims that one machine decides and the other leaves open."""
    return [_claim(*pair) for pair in _claims(first, second) if sum(one.verdict in _DECIDED for one in pair) == 1]


def _check(id: CheckId, compared: Iterator[Difference | None], reason: str) -> Check:
    """A check of items that were held against each other, None for each that is the same."""
    differences = list(compared)
    findings = [one for one in differences if one is not None]
    question, rule = _QUESTIONS[id]
    return Check(
        id=id,
        question=question,
        rule=rule,
        matched=len(differences),
        differ=len(findings),
        worst=max((one.relative for one in findings if one.relative is not None), default=None),
        word="different" if findings else "same" if differences else "not compared",
        note=reason if findings else "",
        findings=findings,
    )


def _graphs(first: Report, second: Report) -> Iterator[Difference | None]:
    for one, other in matched(first.graphs, second.graphs, lambda graph: graph.id):
        same = one.sha256 == other.sha256
        yield None if same else Difference(place=one.id, first=_described(one), second=_described(other))


def _saved_bytes(pairs: Sequence[Joined]) -> Iterator[Difference | None]:
    for pair in pairs:
        one, other = (row["saved_activation_bytes"] for row in (pair.first, pair.second))
        if pair.both_completed and isinstance(one, int) and isinstance(other, int):
            # Sizes of blocks follow the machine's cache.
            blocks = [row["edges_at_once"] for row in (pair.first, pair.second)]
            note = "" if blocks[0] == blocks[1] else f"{blocks[0]} and {blocks[1]} edges at once"
            yield None if one == other else _apart(place(pair.first), one, other, note)


def _slopes(first: Report, second: Report) -> Iterator[Difference | None]:
    of_bytes = [[law for law in report.laws if law.response != "step_time_seconds"] for report in (first, second)]
    for one, other in matched(of_bytes[0], of_bytes[1], _name):
        a, b = one.per_edge.estimate, other.per_edge.estimate
        same = abs(a - b) <= max(ROUNDING_BYTES, ROUNDING * max(abs(a), abs(b)))
        note = "" if one.cells == other.cells else f"laws of {one.cells} and {other.cells} cells"
        yield None if same else _apart(_name(one), a, b, note)


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


def _name(law: Law) -> str:
    return f"{law.convolution}, {law.policy}, {law.response}"


def _described(graph: GraphFacts) -> str:
    return f"{graph.num_nodes} nodes, {graph.num_edges} edges, SHA-256 {graph.sha256[:12]}"


def _reason(first: Report, second: Report) -> str:
    """What two machines' bytes may differ by: their devices, their versions, or nothing."""
    devices = [sorted({str(row["device"]) for row in report.rows}) for report in (first, second)]
    if devices[0] != devices[1]:
        one, other = map(" and ".join, devices)
        return (
            f"Measured on {one} here and on {other} there: their kernels may rightly keep different tensors, so this "
            "tells of the devices before it tells of an error."
        )
    versions = [
        f"{name} {first.facts.get(name, 'unknown')} and {second.facts.get(name, 'unknown')}"
        for name in LIBRARIES
        if first.facts.get(name) != second.facts.get(name)
    ]
    if versions:
        return f"Measured under different versions ({'; '.join(versions)}), which may keep different tensors."
    return "Measured on the same kind of device under the same versions, where the bytes should be equal."
