"""What the laws say of what they did not see: errors, intervals, limits, capacity, bytes counted by hand."""

from __future__ import annotations

from typing import Literal

from gnn_checkpointing.analysis.results import Capacity, Response
from gnn_checkpointing.claims.noise import share_of
from gnn_checkpointing.claims.queries.query import Asked, Picked, exactly, nothing, picked, query
from gnn_checkpointing.sourced import plain

Noun = Literal["memory", "time"]

RESPONSES: dict[Noun, tuple[Response, ...]] = {
    "memory": ("activation_bytes", "saved_activation_bytes"),
    "time": ("step_time_seconds",),
}
_METHODS = {"memory": "held_out_bound", "time": "conformal"}


@query("worst relative error of {0} at the level held out", "relative error")
def held_out_errors(asked: Asked, response: Response) -> Picked:
    """Each policy's worst relative error at the densest level, held out of its law."""
    key = (asked.convolution, response)
    all_laws = [law for law in asked.findings.regressions.laws if (law.convolution, law.response) == key]
    laws = [(law.policy, law.held_out) for law in all_laws if law.held_out is not None]
    if not laws:
        return nothing("no law was tried on a held-out level: see not_fitted in regressions.json")
    policies = ", ".join(policy for policy, _ in laws)
    note = f"at average degree {laws[0][1].level:g}, held out; policies {policies}"
    return picked([exactly(held_out.worst_relative_error) for _, held_out in laws], note)


@query("the larger of the median errors at the densest level and the largest size, each held out", "relative error")
def unseen_errors(asked: Asked, response: Response) -> Picked:
    """The chosen law's score of each policy: the larger of its median errors at the densest and the largest."""
    key = (asked.convolution, response)
    board = [one for one in asked.findings.predictions.leaderboard if (one.convolution, one.response) == key]
    chosen = [(one, one.score) for one in board if one.chosen and one.score is not None]
    if not chosen:
        return nothing("no law was chosen by held-out levels: see not_fitted in predictions.json")
    words = ", ".join(f"{one.form} for {one.policy}" for one, _ in chosen)
    return picked([exactly(score) for _, score in chosen], f"chosen: {words}")


@query("{1} error on real graphs within the laws' range", "relative error")
def scorecard(asked: Asked, noun: Noun, which: Literal["median", "worst"]) -> Picked:
    """The error of the laws of generated graphs on real ones, over all convolutions and policies."""
    found = [one for one in asked.findings.predictions.summaries if one.response in RESPONSES[noun]]
    if not found:
        return nothing("no law fitted on generated graphs of this run has a real graph within its range")
    words = (f"{one.response}: {one.scored} predictions, worst at {one.worst_at}" for one in found)
    return picked([exactly(getattr(one, f"{which}_error")) for one in found], "; ".join(words))


@query(unit="share")
def coverage(asked: Asked, noun: Noun, field: Literal["inside", "median_half_width"]) -> Picked:
    """How often the published intervals held on held-out generated cells, or how wide they were."""
    tried = [one for one in asked.findings.predictions.coverage if one.response in RESPONSES[noun]]
    found = [one for one in tried if one.method == _METHODS[noun]]
    if not found:
        return nothing("no interval could be tried on held-out cells: see not_fitted in predictions.json")
    timed = noun == "time" and field == "inside"
    values = [(getattr(one, field), one.held_out) for one in found]
    return picked(
        [share_of(*one, asked.findings) if timed and one[1] else exactly(one[0]) for one in values],
        "; ".join(f"{one.response}: {one.held_out} held-out cells" for one in found),
        timed=timed,
    )


@query("predicted bytes or seconds / the limit, of each cell that hit one")
def foreseen(asked: Asked) -> Picked:
    """What each law predicted of a cell that hit a limit, divided by the limit."""
    censored = asked.findings.predictions.censored
    known = [exactly(one.predicted / one.limit) for one in censored if one.predicted is not None]
    if not known:
        return nothing("no law could be asked about a cell that ran out of memory or time")
    return picked(known, f"{len(known)} of {len(censored)} measurements that ran out of memory or time have a law")


@query("largest average degree that fits, {policy} / none, by the laws")
def capacity_gain(asked: Asked, times: float) -> Picked:
    """How many times none's average degree fits into the same memory, wherever `times` as much could be drawn.

    Where a complete graph has less than `times` none's degree, nothing can show that so much more would fit.
    """
    bounded = [one for one in asked.findings.predictions.capacities if one.average_degree is not None]
    nones = {_memory(one): one for one in bounded if (one.convolution, one.policy) == (asked.convolution, "none")}
    own = [one for one in bounded if (one.convolution, one.policy) == (asked.convolution, asked.policy)]
    pairs = [(one, nones[_memory(one)]) for one in own if _memory(one) in nones]
    if not pairs:
        return nothing("no law tells how dense a graph fits under both this policy and none")
    gains = [
        (one, one.average_degree.over(none.average_degree))
        for one, none in pairs
        if one.average_degree is not None
        and none.average_degree is not None
        and not none.unbounded
        and times * plain(none.average_degree.high) <= none.num_nodes - 1
    ]
    if not gains:
        sizes = " and ".join(f"{nodes:,}" for nodes in sorted({one.num_nodes for one, _ in pairs}))
        return nothing(f"a complete graph of {sizes} nodes is not {times:g} times as dense as what none takes")
    return picked([gain for _, gain in gains], ", ".join(_capacity(one) for one, _ in gains))


@query("bytes per edge on the densest graphs, {0} / counted by hand, for each policy and kind of bytes")
def counted_bytes(asked: Asked, field: Literal["measured", "law"]) -> Picked:
    """Bytes per edge, measured or by the chosen law, divided by those counted from the tensors."""
    found = asked.findings.predictions.analytic
    counted = [(one, one.counted) for one in found if one.convolution == asked.convolution and one.counted]
    if not counted:
        return nothing("nobody counted the tensors of this convolution")
    words = (f"{one.policy}, {one.response}: {count:g} bytes an edge" for one, count in counted)
    return picked([exactly(getattr(one, field) / count) for one, count in counted], "; ".join(words))


def _memory(one: Capacity) -> tuple[int, float]:
    return one.num_nodes, one.memory_bytes


def _capacity(one: Capacity) -> str:
    extrapolated = "" if one.in_range else ", extrapolated"
    return f"{one.num_nodes:,} nodes in {one.memory_bytes / 2**30:g} GiB{extrapolated}"
