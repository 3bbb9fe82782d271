"""What is read off the frontier of memory and time: where each policy pays, and what the allocator does to time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gnn_checkpointing.analysis.results import (
    SAVES_BELOW,
    SPARSE_DEGREE,
    AllocatorEffect,
    BestSegments,
    Effect,
    Flatness,
    ParetoSet,
    Payoff,
)
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.analysis.tolerance import CLOSE

Points = Sequence[Effect]


def frontier(rows: Points, reference: str) -> dict[str, list[Any]]:
    """Fields of `Effects` that are read off its rows at the headline size."""
    points = [row for row in rows if row.kind == "generated" and row.headline]
    ours = [point for point in points if point.allocator == reference]
    return {
        "best_segments": _best_segments(ours),
        "payoffs": _payoffs(ours),
        "pareto": _pareto(ours),
        "flatness": _flatness(ours),
        "allocators": _allocators(points, reference),
    }


def _by_degree(points: Points) -> list[tuple[tuple[str, float], list[Effect]]]:
    """The points of each convolution and degree, sparse before dense."""
    ordered = sorted(points, key=lambda point: (point.convolution, point.degree))
    return grouped(ordered, lambda point: (point.convolution, point.degree))


def _by_policy(points: Points) -> list[tuple[tuple[str, str], list[Effect]]]:
    return grouped(points, lambda point: (point.convolution, point.policy))


def _best_segments(points: Points) -> list[BestSegments]:
    best = []
    for (convolution, degree), each in _by_degree(points):
        tried = [
            (point.activation_ratio.estimate, point)
            for point in each
            if point.policy.startswith("segments(") and point.activation_ratio is not None
        ]
        if not tried:
            continue
        least = min(ratio for ratio, _ in tried)
        equal = [pair for pair in tried if pair[0] <= least * (1 + CLOSE)]
        ratio, chosen = min(equal, key=lambda pair: (_time(pair[1]) or float("inf"), pair[1].policy))
        best.append(
            BestSegments(
                convolution=convolution,
                degree=degree,
                policy=chosen.policy,
                activation_ratio=ratio,
                time_ratio=_time(chosen),
                tried=[point.policy for _, point in tried],
            )
        )
    return best


def _time(point: Effect) -> float | None:
    return None if point.time_ratio is None else point.time_ratio.estimate


def _payoffs(points: Points) -> list[Payoff]:
    return [
        Payoff(
            convolution=convolution,
            policy=policy,
            degrees=[point.degree for point in each if point.activation_ratio],
            saves=[
                point.degree
                for point in each
                if point.activation_ratio and point.activation_ratio.estimate < SAVES_BELOW - CLOSE
            ],
            timed=[point.degree for point in each if point.time_ratio],
            slower=[point.degree for point in each if point.time_ratio and point.time_ratio.low > 1 + CLOSE],
            faster=[point.degree for point in each if point.time_ratio and point.time_ratio.high < 1 - CLOSE],
        )
        for (convolution, policy), each in _by_policy(points)
        if policy != "none"
    ]


def _pareto(points: Points) -> list[ParetoSet]:
    sets = []
    for (convolution, degree), each in _by_degree(points):
        placed = [
            (point.policy, point.activation_ratio.estimate, point.time_ratio.estimate)
            for point in each
            if point.activation_ratio and point.time_ratio and not point.other_model
        ]
        if placed:
            best = [one[0] for one in placed if not any(_beats(other[1:], one[1:]) for other in placed)]
            sets.append(ParetoSet(convolution=convolution, degree=degree, policies=best))
    return sets


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a <= b * (1 + CLOSE) for a, b in pairs) and any(a < b * (1 - CLOSE) for a, b in pairs)


def _flatness(points: Points) -> list[Flatness]:
    by_policy = dict(_by_policy(points))
    found = [_flat(each, by_policy.get((convolution, "none"), [])) for (convolution, _), each in by_policy.items()]
    return [flat for flat in found if flat is not None]


def _flat(policy: Points, none: Points) -> Flatness | None:
    """How the policy's peak grows beside none's, over the degrees that both ran at; None for fewer than two."""
    others = {point.degree: point for point in none}
    both = [(point, others[point.degree]) for point in policy if point.degree in others]
    if len(both) < 2 or not all(point.activation_bytes for point, _ in both):
        return None
    own = [point for point, _ in both]
    slope, none_slope = _slope(own), _slope([point for _, point in both])
    sparse = min(own[:-1], key=lambda point: abs(point.degree - SPARSE_DEGREE))
    densest = own[-1]
    return Flatness(
        convolution=densest.convolution,
        policy=densest.policy,
        degrees=[point.degree for point in own],
        bytes_per_edge=slope,
        none_bytes_per_edge=none_slope,
        slope_ratio=slope / none_slope if none_slope > 0 else None,
        sparse_degree=sparse.degree,
        densest_degree=densest.degree,
        peak_ratio=densest.activation_bytes / sparse.activation_bytes,
    )


def _slope(points: Points) -> float:
    """The least-squares slope of activation bytes on edges."""
    edges = np.array([point.num_edges for point in points])
    values = np.array([point.activation_bytes for point in points])
    centred = edges - edges.mean()
    return float((centred * (values - values.mean())).sum() / (centred**2).sum())


def _allocators(points: Points, reference: str) -> list[AllocatorEffect]:
    """Each timed point under another allocator beside the same point under the reference.

    Up to the noise of separate processes, observed = checkpointing x on_policy / on_none.
    """
    places = {(point.convolution, point.policy, point.degree, point.allocator): point for point in points}
    found = []
    for own in points:
        if own.allocator == reference:
            continue
        own_before, none_before, none = (
            places.get((own.convolution, policy, own.degree, allocator))
            for policy, allocator in ((own.policy, reference), ("none", reference), ("none", own.allocator))
        )
        if own_before and none_before and none:
            found += _taken_apart(own_before, own, none_before, none)
    return found


def _taken_apart(own_before: Effect, own: Effect, none_before: Effect, none: Effect) -> list[AllocatorEffect]:
    """One comparison, or none where one of the four was not timed."""
    checkpointing, observed = own_before.time_ratio, own.time_ratio
    if checkpointing is None or observed is None:
        return []
    seconds = [point.step_time_seconds or 0.0 for point in (own_before, own, none_before, none)]
    if not all(seconds):
        return []
    return [
        AllocatorEffect(
            convolution=own.convolution,
            policy=own.policy,
            degree=own.degree,
            average_degree=own.average_degree,
            reference=own_before.allocator,
            allocator=own.allocator,
            checkpointing=checkpointing,
            observed=observed,
            on_policy=seconds[1] / seconds[0],
            on_none=seconds[3] / seconds[2],
            reference_page_faults=own_before.page_faults or 0.0,
            page_faults=own.page_faults or 0.0,
            reference_system_share=(own_before.system_time_seconds or 0.0) / seconds[0],
            system_share=(own.system_time_seconds or 0.0) / seconds[1],
        )
    ]
