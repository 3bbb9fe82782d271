"""Results derived from the frontier of memory and time: where each policy pays off, and how allocators change time."""

import math
from collections.abc import Mapping, Sequence
from statistics import linear_regression
from typing import Any

from gnn_checkpointing.analysis import results
from gnn_checkpointing.analysis.rounding import CLOSE
from gnn_checkpointing.analysis.table import grouped

Points = Sequence[results.Effect]


def frontier(rows: Points, reference: str) -> dict[str, list[Any]]:
    """Fields of `Effects` derived from its rows at the headline size."""
    points = [row for row in rows if row.kind == "generated" and row.headline]
    ours = [point for point in points if point.allocator == reference]
    by_policy = grouped(ours, lambda point: (point.convolution, point.policy))
    sparse_first = sorted(ours, key=lambda point: (point.convolution, point.degree))
    by_degree = list(grouped(sparse_first, lambda point: (point.convolution, point.degree)).values())
    places = {(point.convolution, point.policy, point.degree, point.allocator): point for point in points}
    found: dict[str, list[Any]] = {
        "best_segments": [_best_segments(each) for each in by_degree],
        "payoffs": [_payoff(each) for (_, policy), each in by_policy.items() if policy != "none"],
        "pareto": [_pareto(each) for each in by_degree],
        "flatness": [
            _flat(each, by_policy.get((convolution, "none"), [])) for (convolution, _), each in by_policy.items()
        ],
        "allocators": [_allocator(point, places, reference) for point in points if point.allocator != reference],
    }
    return {name: [one for one in each if one is not None] for name, each in found.items()}


def _best_segments(points: Points) -> results.BestSegments | None:
    """The best number of segments at one degree; None where none was tried."""
    tried = [
        (point.activation_ratio.estimate, point.time_ratio and point.time_ratio.estimate, point)
        for point in points
        if point.policy.startswith("segments(") and point.activation_ratio is not None
    ]
    if not tried:
        return None
    least = min(ratio for ratio, _, _ in tried) * (1 + CLOSE)
    ratio, time, best = min(tried, key=lambda one: (one[0] > least, one[1] or math.inf, one[2].policy))
    return results.BestSegments(
        convolution=best.convolution,
        degree=best.degree,
        policy=best.policy,
        activation_ratio=ratio,
        time_ratio=time,
        tried=[point.policy for *_, point in tried],
    )


def _payoff(points: Points) -> results.Payoff:
    memory = [(point.degree, point.activation_ratio) for point in points if point.activation_ratio]
    time = [(point.degree, point.time_ratio) for point in points if point.time_ratio]
    return results.Payoff(
        convolution=points[0].convolution,
        policy=points[0].policy,
        degrees=[degree for degree, _ in memory],
        saves=[degree for degree, ratio in memory if ratio.estimate < results.SAVES_BELOW - CLOSE],
        timed=[degree for degree, _ in time],
        slower=[degree for degree, ratio in time if ratio.low > 1 + CLOSE],
        faster=[degree for degree, ratio in time if ratio.high < 1 - CLOSE],
    )


def _pareto(points: Points) -> results.ParetoSet | None:
    """The unbeaten policies at one degree; None where no policy has both ratios."""
    placed = {
        point.policy: (point.activation_ratio.estimate, point.time_ratio.estimate)
        for point in points
        if point.activation_ratio and point.time_ratio and not point.other_model
    }
    if not placed:
        return None
    best = [name for name, own in placed.items() if not any(_beats(other, own) for other in placed.values())]
    return results.ParetoSet(convolution=points[0].convolution, degree=points[0].degree, policies=best)


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a <= b * (1 + CLOSE) for a, b in pairs) and any(a < b * (1 - CLOSE) for a, b in pairs)


def _flat(policy: Points, none: Points) -> results.Flatness | None:
    """Growth of the policy's peak compared with none's, over the degrees at which both ran; None for fewer than two."""
    others = {point.degree: point for point in none}
    own = [point for point in policy if point.degree in others]
    if len(own) < 2 or not all(point.activation_bytes for point in own):
        return None
    slope, none_slope = (
        linear_regression([one.num_edges for one in each], [one.activation_bytes for one in each]).slope
        for each in (own, [others[point.degree] for point in own])
    )
    sparse = min(own[:-1], key=lambda point: abs(point.degree - results.SPARSE_DEGREE))
    densest = own[-1]
    return results.Flatness(
        convolution=densest.convolution,
        policy=densest.policy,
        degrees=[point.degree for point in own],
        bytes_per_edge=slope,
        slope_ratio=slope / none_slope if none_slope > 0 else None,
        sparse_degree=sparse.degree,
        densest_degree=densest.degree,
        peak_ratio=densest.activation_bytes / sparse.activation_bytes,
    )


def _allocator(
    own: results.Effect, places: Mapping[tuple[str, str, float, str], results.Effect], reference: str
) -> results.AllocatorEffect | None:
    """Compare a point under another allocator with the reference allocator; None if one of the four was not timed.

    Up to the noise of separate processes, observed = checkpointing x on_policy / on_none.
    """
    before, none_before, none = (
        places.get((own.convolution, policy, own.degree, allocator))
        for policy, allocator in ((own.policy, reference), ("none", reference), ("none", own.allocator))
    )
    if not before or not none_before or not none or before.time_ratio is None or own.time_ratio is None:
        return None
    seconds = [point.step_time_seconds or 0.0 for point in (before, own, none_before, none)]
    if not all(seconds):
        return None
    return results.AllocatorEffect(
        **{name: getattr(own, name) for name in ("convolution", "policy", "degree", "average_degree", "allocator")},
        reference=reference,
        checkpointing=before.time_ratio,
        observed=own.time_ratio,
        on_policy=seconds[1] / seconds[0],
        on_none=seconds[3] / seconds[2],
        reference_page_faults=before.page_faults or 0.0,
        page_faults=own.page_faults or 0.0,
        reference_system_share=(before.system_time_seconds or 0.0) / seconds[0],
        system_share=(own.system_time_seconds or 0.0) / seconds[1],
    )
