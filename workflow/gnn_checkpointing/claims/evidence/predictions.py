"""Numbers from predictions.json: what the predictive laws say of what they did not see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Capacity, Response
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing

PREDICTIONS = "analysis/predictions.json"
_METHODS = {"step_time_seconds": "conformal"}
_BYTES_METHOD = "held_out_bound"


def unseen_errors(findings: Findings, convolution: str, response: Response) -> Picked:
    """Return the chosen law's score of each policy: the larger of its median errors at the densest and the largest."""
    chosen = [
        one
        for one in findings.predictions.leaderboard
        if (one.convolution, one.response) == (convolution, response) and one.chosen and one.score is not None
    ]
    if not chosen:
        return nothing("no law was chosen by held-out levels: see not_fitted in predictions.json")
    key = f"convolution={convolution},response={response},chosen=true"
    return Picked(
        tuple(exactly(one.score) for one in chosen if one.score is not None),
        f"{PREDICTIONS}: leaderboard[{key}].score",
        "chosen: " + ", ".join(f"{one.form} for {one.policy}" for one in chosen),
    )


def scorecard(
    findings: Findings, responses: Sequence[Response], field: Literal["median_error", "worst_error"]
) -> Picked:
    """Return the error of the laws of generated graphs on real ones, over all convolutions and policies."""
    found = [one for one in findings.predictions.summaries if one.response in responses]
    if not found:
        return nothing("no law fitted on generated graphs of this run has a real graph within its range")
    return Picked(
        tuple(exactly(getattr(one, field)) for one in found),
        "; ".join(f"{PREDICTIONS}: summaries[response={one.response}].{field}" for one in found),
        "; ".join(f"{one.response}: {one.scored} predictions, worst at {one.worst_at}" for one in found),
    )


def coverage(
    findings: Findings, responses: Sequence[Response], field: Literal["inside", "median_half_width"]
) -> Picked:
    """Return how often the published intervals held on held-out generated cells, or how wide they were."""
    found = [
        one
        for one in findings.predictions.coverage
        if one.response in responses and one.method == _METHODS.get(one.response, _BYTES_METHOD)
    ]
    if not found:
        return nothing("no interval could be tried on held-out cells: see not_fitted in predictions.json")
    key = "{}: coverage[response={},method={}].{}"
    return Picked(
        tuple(exactly(getattr(one, field)) for one in found),
        "; ".join(key.format(PREDICTIONS, one.response, one.method, field) for one in found),
        "; ".join(f"{one.response}: {one.held_out} held-out cells" for one in found),
    )


def foreseen(findings: Findings) -> Picked:
    """Return what each law predicted of a cell that hit a limit, divided by the limit."""
    known = [(one, one.predicted) for one in findings.predictions.censored if one.predicted is not None]
    total = len(findings.predictions.censored)
    if not known:
        return nothing("no law could be asked about a cell that ran out of memory or time")
    keys = [f"{PREDICTIONS}: censored[cell={one.cell},policy={one.policy}]" for one, _ in known]
    return Picked(
        tuple(exactly(predicted / one.limit) for one, predicted in known),
        "; ".join(f"{key}.predicted / {key}.limit" for key in keys),
        f"{len(known)} of {total} measurements that ran out of memory or time have a law",
    )


def capacity_gain(findings: Findings, convolution: str, policy: str, asked: float) -> Picked:
    """Return how many times none's average degree fits into the same memory, wherever `asked` times could be drawn.

    Where a complete graph has less than `asked` times none's degree, nothing can show that so much more would fit.
    """
    by_place = {(one.convolution, one.policy, one.num_nodes, one.memory_bytes): one for one in _bounded(findings)}
    pairs = [
        (own, none)
        for (name, kind, nodes, memory), own in by_place.items()
        if (name, kind) == (convolution, policy)
        and (none := by_place.get((convolution, "none", nodes, memory))) is not None
    ]
    if not pairs:
        return nothing("no law tells how dense a graph fits under both this policy and none")
    open_pairs = [
        (own.average_degree.over(none.average_degree), own, none)
        for own, none in pairs
        if own.average_degree is not None
        and none.average_degree is not None
        and not none.unbounded
        and asked * none.average_degree.high <= none.num_nodes - 1
    ]
    if not open_pairs:
        sizes = " and ".join(f"{nodes:,}" for nodes in sorted({own.num_nodes for own, _ in pairs}))
        return nothing(f"a complete graph of {sizes} nodes is not {asked:g} times as dense as what none takes")
    return Picked(
        tuple(gain for gain, _, _ in open_pairs),
        "; ".join(f"{_degree_address(own)} / {_degree_address(none)}" for _, own, none in open_pairs),
        ", ".join(_capacity_words(own) for _, own, _ in open_pairs),
    )


def counted_bytes(findings: Findings, convolution: str, field: Literal["measured", "law"]) -> Picked:
    """Return bytes per edge, measured or by the chosen law, divided by those counted from the tensors."""
    counted = [
        (one, one.counted) for one in findings.predictions.analytic if one.convolution == convolution and one.counted
    ]
    if not counted:
        return nothing("nobody counted the tensors of this convolution")
    keys = [
        f"{PREDICTIONS}: analytic[convolution={convolution},policy={one.policy},response={one.response}]"
        for one, _ in counted
    ]
    return Picked(
        tuple(exactly(getattr(one, field) / count) for one, count in counted),
        "; ".join(f"{key}.{field} / {key}.counted" for key in keys),
        "; ".join(f"{one.policy}, {one.response}: {count:g} bytes an edge" for one, count in counted),
    )


def _bounded(findings: Findings) -> list[Capacity]:
    return [one for one in findings.predictions.capacities if one.average_degree is not None]


def _degree_address(one: Capacity) -> str:
    key = f"convolution={one.convolution},policy={one.policy},num_nodes={one.num_nodes},memory_bytes={one.memory_bytes}"
    return f"{PREDICTIONS}: capacities[{key}].average_degree"


def _capacity_words(one: Capacity) -> str:
    extrapolated = "" if one.in_range else ", extrapolated"
    return f"{one.num_nodes:,} nodes in {one.memory_bytes / 2**30:g} GiB{extrapolated}"
