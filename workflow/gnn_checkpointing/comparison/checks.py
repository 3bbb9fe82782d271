"""What must be the same on every machine: graphs, saved bytes, bytes per edge, and which way a verdict goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from gnn_checkpointing.analysis.results import Law
from gnn_checkpointing.comparison.joining import Joined
from gnn_checkpointing.comparison.published import Report
from gnn_checkpointing.comparison.results import Check, Difference
from gnn_checkpointing.records.graph_facts import GraphFacts

ROUNDING, ROUNDING_BYTES = 1e-6, 1e-3
"""Two fits of the same bytes agree to this share of their slope, or to so many bytes per edge of a slope of nothing."""

LIBRARIES = ("torch", "torch-geometric", "numpy", "python")
"""Of the facts in `hardware.json`, the versions that decide which tensors are kept."""

_DECIDED = ("supported", "refuted")


def checks(pairs: Sequence[Joined], first: Report, second: Report) -> list[Check]:
    """Return every check of two reports of one study; `pairs` are the rows that both have."""
    reason = _reason(first, second)
    return [
        graphs(first, second),
        saved_bytes(pairs, reason),
        bytes_per_edge(first, second, reason),
        verdicts(first, second),
    ]


def graphs(first: Report, second: Report) -> Check:
    """Return whether graphs of one id have the same content, by the SHA-256 of their arrays."""
    both = [id for id in first.graphs if id in second.graphs]
    found = [
        Difference(place=id, first=_described(first.graphs[id]), second=_described(second.graphs[id]))
        for id in both
        if first.graphs[id].sha256 != second.graphs[id].sha256
    ]
    return _check(
        "graphs",
        "Are the graphs the same?",
        "Graphs of one id have the same SHA-256; where sizes differ, too, their rows are not compared.",
        len(both),
        found,
        "A generator of random numbers or a data set has changed between the two." if found else "",
    )


def saved_bytes(pairs: Sequence[Joined], reason: str = "") -> Check:
    """Return whether every row keeps the same bytes for the backward pass, to the byte."""
    compared = [
        (pair, int(first), int(second))
        for pair in pairs
        if pair.both_completed
        and isinstance(first := pair.first["saved_activation_bytes"], int)
        and isinstance(second := pair.second["saved_activation_bytes"], int)
    ]
    found = [
        Difference(
            place=pair.place, first=first, second=second, relative=relative(first, second), note=_block_sizes(pair)
        )
        for pair, first, second in compared
        if first != second
    ]
    return _check(
        "saved-bytes",
        "Are the saved bytes the same?",
        "Where a policy ran to its end on both, saved_activation_bytes are equal to the byte.",
        len(compared),
        found,
        reason,
    )


def bytes_per_edge(first: Report, second: Report, reason: str = "") -> Check:
    """Return whether the laws of memory give the same bytes per edge, but for the rounding of a fit."""
    one, other = _memory_laws(first), _memory_laws(second)
    both = [place for place in one if place in other]
    slopes = {place: (one[place].per_edge.estimate, other[place].per_edge.estimate) for place in both}
    found = [
        Difference(
            place=place, first=a, second=b, relative=relative(a, b), note=_numbers_of_cells(one[place], other[place])
        )
        for place, (a, b) in slopes.items()
        if abs(a - b) > max(ROUNDING_BYTES, ROUNDING * max(abs(a), abs(b)))
    ]
    return _check(
        "bytes-per-edge",
        "Are the bytes per edge the same?",
        f"The laws of activation_bytes and saved_activation_bytes have slopes that differ by no more than rounding: "
        f"a share of {ROUNDING:f}, or {ROUNDING_BYTES:g} bytes per edge.",
        len(both),
        found,
        reason,
    )


def verdicts(first: Report, second: Report) -> Check:
    """Return whether a claim that is decided on both machines is decided the same way."""
    both = [pair for pair in _verdicts(first, second) if pair.first in _DECIDED and pair.second in _DECIDED]
    return _check(
        "verdicts",
        "Do the verdicts go the same way?",
        "No claim is supported on one machine and refuted on the other.",
        len(both),
        [pair for pair in both if pair.first != pair.second],
        "",
    )


def half_decided(first: Report, second: Report) -> list[Difference]:
    """Return the claims that one machine decides and the other leaves open."""
    return [pair for pair in _verdicts(first, second) if (pair.first in _DECIDED) != (pair.second in _DECIDED)]


def relative(first: float, second: float) -> float:
    """Return the distance of two numbers over the larger of them, 0 where both are 0."""
    largest = max(abs(first), abs(second))
    return abs(first - second) / largest if largest else 0.0


def _check(
    id: Literal["graphs", "saved-bytes", "bytes-per-edge", "verdicts"],
    question: str,
    rule: str,
    matched: int,
    found: list[Difference],
    reason: str,
) -> Check:
    distances = [difference.relative for difference in found if difference.relative is not None]
    return Check(
        id=id,
        question=question,
        rule=rule,
        matched=matched,
        differ=len(found),
        worst=max(distances, default=None),
        word="not compared" if matched == 0 else "different" if found else "same",
        note=reason if found else "",
        findings=found,
    )


def _reason(first: Report, second: Report) -> str:
    """Return what two machines' bytes may differ by: their devices, their versions, or nothing."""
    if first.devices != second.devices:
        one, other = (" and ".join(sorted(report.devices)) for report in (first, second))
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


def _described(graph: GraphFacts) -> str:
    return f"{graph.num_nodes} nodes, {graph.num_edges} edges, SHA-256 {graph.sha256[:12]}"


def _block_sizes(pair: Joined) -> str:
    """Return that blocks of edges were of different sizes, where they were: they follow the machine's cache."""
    one, other = pair.first["edges_at_once"], pair.second["edges_at_once"]
    return "" if one == other else f"{one} and {other} edges at once"


def _memory_laws(report: Report) -> dict[str, Law]:
    return {
        f"{law.convolution}, {law.policy}, {law.response}": law
        for law in report.regressions.laws
        if law.response != "step_time_seconds"
    }


def _numbers_of_cells(one: Law, other: Law) -> str:
    return "" if one.cells == other.cells else f"laws of {one.cells} and {other.cells} cells"


def _verdicts(first: Report, second: Report) -> Iterable[Difference]:
    others = {claim.id: claim for claim in second.ledger.claims}
    for claim in first.ledger.claims:
        if claim.id in others:
            yield Difference(place=claim.id, first=claim.verdict, second=others[claim.id].verdict, note=claim.sentence)
