"""The frontier: memory against time for every policy and density, and where each policy starts or stops paying."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import numpy as np

from gnn_checkpointing.analysis.allocators import allocator_effects
from gnn_checkpointing.analysis.effects import Draw, drawing, mean_bytes, mean_time
from gnn_checkpointing.analysis.results import (
    SAVES_BELOW,
    SPARSE_DEGREE,
    BestSegments,
    Flatness,
    Frontier,
    FrontierPoint,
    ParetoSet,
    Payoff,
)
from gnn_checkpointing.analysis.table import Row, grouped, policy_order
from gnn_checkpointing.analysis.tolerance import CLOSE

Points = Sequence[FrontierPoint]


def frontier(
    rows: Sequence[Row], reference: str, confidence: float, resamples: int, generator: np.random.Generator
) -> Frontier:
    """Return memory and time of every policy along the densities of generated graphs of one number of nodes."""
    # A policy that was not shown to compute the same is no point of the frontier; another model is one, and marked.
    drawn = [row for row in rows if row.is_drawn and not row.changes]
    num_nodes = _most_graded(drawn)
    # The reference first: the resampling of what it found must not depend on which other allocators were measured.
    chosen = sorted(
        (row for row in drawn if row.num_nodes == num_nodes), key=lambda row: (row.allocator != reference, *_place(row))
    )
    points = [
        _point(cells, confidence, drawing(resamples, generator))
        for _, cells in grouped(
            chosen, lambda row: (row.convolution, row.policy, row.allocator, row.requested_average_degree)
        )
    ]
    ours = [point for point in points if point.allocator == reference]
    return Frontier(
        reference=reference,
        num_nodes=num_nodes,
        points=points,
        best_segments=_best_segments(ours),
        payoffs=_payoffs(ours),
        pareto=_pareto(ours),
        flatness=_flatness(ours),
        allocators=allocator_effects(points, reference),
    )


def _most_graded(rows: Iterable[Row]) -> int | None:
    """Return the number of nodes with the most levels of density, of equals the largest."""
    levels: dict[int, set[float | None]] = {}
    for row in rows:
        levels.setdefault(row.num_nodes, set()).add(row.requested_average_degree)
    return max(levels, key=lambda nodes: (len(levels[nodes]), nodes), default=None)


def _place(row: Row) -> tuple[object, ...]:
    return row.allocator, row.convolution, policy_order(row.policy), row.requested_average_degree, row.graph


def _point(cells: Sequence[Row], confidence: float, draw: Draw) -> FrontierPoint:
    first = cells[0]
    beside_none = [row for row in cells if row.activation_ratio is not None]
    timed = [row for row in cells if row.time_ratio is not None]
    return FrontierPoint(
        convolution=first.convolution,
        policy=first.policy,
        allocator=first.allocator,
        level=f"{first.requested_average_degree:g}",
        average_degree=float(np.mean([row.average_degree for row in cells])),
        num_edges=float(median(row.num_edges for row in cells)),
        cells=len(cells),
        other_model=bool(first.other_model),
        activation_ratio=mean_bytes(beside_none, "activation_ratio", confidence, draw) if beside_none else None,
        time_ratio=mean_time(timed, confidence, draw) if timed else None,
        activation_bytes=float(median(row.activation_bytes for row in cells)),
        saved_activation_bytes=float(median(row.saved_activation_bytes for row in cells)),
        transient_bytes=float(median(row.activation_bytes - row.saved_activation_bytes for row in cells)),
        policy_resident_bytes=float(median(row.policy_resident_bytes or 0.0 for row in cells)),
        step_time_seconds=_median(row.step_time_seconds for row in cells),
        system_time_seconds=_median(row.system_time_seconds for row in cells),
        page_faults=_median(row.page_faults for row in cells),
        forward_share=_median(_forward_share(row) for row in cells),
    )


def _forward_share(row: Row) -> float | None:
    if row.forward_time_seconds is None or not row.step_time_seconds:
        return None
    return row.forward_time_seconds / row.step_time_seconds


def _median(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return float(median(found)) if found else None


def _by_level(points: Points) -> dict[tuple[str, str], list[FrontierPoint]]:
    """Return the points of each convolution and level, both in their order, sparse before dense."""
    found: dict[tuple[str, str], list[FrontierPoint]] = {}
    for point in sorted(points, key=lambda point: (point.convolution, float(point.level))):
        found.setdefault((point.convolution, point.level), []).append(point)
    return found


def _by_policy(points: Points) -> dict[tuple[str, str], list[FrontierPoint]]:
    """Return each policy's points, from sparse to dense."""
    found: dict[tuple[str, str], list[FrontierPoint]] = {}
    for point in points:
        found.setdefault((point.convolution, point.policy), []).append(point)
    return {key: sorted(each, key=lambda point: float(point.level)) for key, each in found.items()}


def _best_segments(points: Points) -> list[BestSegments]:
    best = []
    for (convolution, level), each in _by_level(points).items():
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
                level=level,
                policy=chosen.policy,
                activation_ratio=ratio,
                time_ratio=_time(chosen),
                tried=[point.policy for _, point in tried],
            )
        )
    return best


def _time(point: FrontierPoint) -> float | None:
    return None if point.time_ratio is None else point.time_ratio.estimate


def _payoffs(points: Points) -> list[Payoff]:
    return [
        Payoff(
            convolution=convolution,
            policy=policy,
            levels=[point.level for point in each if point.activation_ratio],
            saves_at=[point.level for point in each if _saves(point)],
            timed_levels=[point.level for point in each if point.time_ratio],
            slower_at=[point.level for point in each if point.time_ratio and point.time_ratio.low > 1 + CLOSE],
            faster_at=[point.level for point in each if point.time_ratio and point.time_ratio.high < 1 - CLOSE],
        )
        for (convolution, policy), each in _by_policy(points).items()
        if policy != "none"
    ]


def _saves(point: FrontierPoint) -> bool:
    return point.activation_ratio is not None and point.activation_ratio.estimate < SAVES_BELOW - CLOSE


def _pareto(points: Points) -> list[ParetoSet]:
    sets = []
    for (convolution, level), each in _by_level(points).items():
        placed = [
            (point.policy, point.activation_ratio.estimate, point.time_ratio.estimate)
            for point in each
            if point.activation_ratio and point.time_ratio and not point.other_model
        ]
        if placed:
            best = [one[0] for one in placed if not any(_beats(other[1:], one[1:]) for other in placed)]
            sets.append(ParetoSet(convolution=convolution, level=level, policies=best))
    return sets


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a <= b * (1 + CLOSE) for a, b in pairs) and any(a < b * (1 - CLOSE) for a, b in pairs)


def _flatness(points: Points) -> list[Flatness]:
    by_policy = _by_policy(points)
    return [
        flat
        for (convolution, policy), each in by_policy.items()
        if (flat := _flat(each, by_policy.get((convolution, "none"), []))) is not None
    ]


def _flat(policy: Points, none: Points) -> Flatness | None:
    """Return how the policy's peak grows beside none's, over the levels that both ran at; None for fewer than two."""
    others = {point.level: point for point in none}
    both = [(point, others[point.level]) for point in policy if point.level in others]
    if len(both) < 2:
        return None
    own = [point for point, _ in both]
    slope, none_slope = _slope(own), _slope([point for _, point in both])
    if not all(point.activation_bytes for point in own):
        return None
    sparse = min(own[:-1], key=lambda point: abs(float(point.level) - SPARSE_DEGREE))
    densest = own[-1]
    return Flatness(
        convolution=densest.convolution,
        policy=densest.policy,
        levels=[point.level for point in own],
        bytes_per_edge=slope,
        none_bytes_per_edge=none_slope,
        slope_ratio=slope / none_slope if none_slope > 0 else None,
        sparse=sparse.level,
        densest=densest.level,
        peak_ratio=densest.activation_bytes / sparse.activation_bytes,
    )


def _slope(points: Points) -> float:
    """Return the least-squares slope of activation bytes on edges."""
    edges = np.array([point.num_edges for point in points])
    values = np.array([point.activation_bytes for point in points])
    centred = edges - edges.mean()
    return float((centred * (values - values.mean())).sum() / (centred**2).sum())
