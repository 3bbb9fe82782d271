"""What differs between machines, as ratios that are formed within each: times, times per edge, break-even densities."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gnn_checkpointing.analysis.results import BreakEven, Estimate, Law
from gnn_checkpointing.analysis.table import policy_order, series
from gnn_checkpointing.comparison.agreement import deviations, median_quotient, rank_agreement
from gnn_checkpointing.comparison.joining import Joined
from gnn_checkpointing.comparison.published import Report, Row
from gnn_checkpointing.comparison.results import BreakEvenPair, PerEdge, RatioPair, RatioSummary, Throughput
from gnn_checkpointing.records.measurements_table import number


def ratio_pairs(pairs: Sequence[Joined]) -> list[RatioPair]:
    """Return each policy's time / none's where both machines timed it, none left out: it is 1 on either."""
    found = []
    for pair in pairs:
        first, second = _time_ratio(pair.first), _time_ratio(pair.second)
        if pair.first["policy"] == "none" or first is None or second is None:
            continue
        found.append(
            RatioPair(
                graph=str(pair.first["graph"]),
                graph_label=str(pair.first["graph_label"]),
                convolution=series(pair.first),
                policy=str(pair.first["policy"]),
                allocator=str(pair.first["allocator"]),
                first_row=pair.first_row,
                second_row=pair.second_row,
                first=first,
                second=second,
                quotient=second.estimate / first.estimate,
            )
        )
    return sorted(found, key=lambda one: (one.allocator, one.convolution, policy_order(one.policy)))


def ratio_summaries(pairs: Sequence[RatioPair], confidences: tuple[float, float]) -> list[RatioSummary]:
    """Return the time ratios of all cells under an allocator, of each convolution, and of each of its policies.

    `confidences` are those of the intervals on either machine.
    """
    keys: list[Callable[[RatioPair], tuple[str, str, str]]] = [
        lambda one: (one.allocator, "", ""),
        lambda one: (one.allocator, one.convolution, ""),
        lambda one: (one.allocator, one.convolution, one.policy),
    ]
    groups: dict[tuple[str, str, str], list[RatioPair]] = {}
    for key in keys:
        for pair in pairs:
            groups.setdefault(key(pair), []).append(pair)
    return [_summary(key, members, confidences) for key, members in groups.items()]


def throughputs(pairs: Sequence[Joined]) -> list[Throughput]:
    """Edges per second of every series and policy, on the largest graph on which both machines timed it."""
    found: dict[tuple[str, str, str], Throughput] = {}
    for pair in pairs:
        edges, first, second = number(pair.first, "num_edges"), *map(_rate, (pair.first, pair.second))
        if not edges or not first or not second:
            continue
        key = (series(pair.first), str(pair.first["policy"]), str(pair.first["allocator"]))
        if key not in found or edges > found[key].num_edges:
            label = str(pair.first["graph_label"])
            found[key] = Throughput(
                convolution=key[0],
                policy=key[1],
                allocator=key[2],
                graph_label=label,
                num_edges=round(edges),
                first=first,
                second=second,
                quotient=second / first,
            )
    return sorted(found.values(), key=lambda one: (one.allocator, one.convolution, policy_order(one.policy)))


def per_edge(first: Report, second: Report) -> list[PerEdge]:
    """Return the time per edge of every series and policy that has a law of time on both machines."""
    one, other = _time_laws(first), _time_laws(second)
    return [_per_edge(place, one, other) for place in one if place in other]


def break_evens(first: Report, second: Report) -> tuple[list[BreakEvenPair], int]:
    """Return the break-even densities of the policies that have one on either machine, and how many have on none."""
    others = {_kind(found): found for found in second.trends.break_evens}
    both = [(found, others[_kind(found)]) for found in first.trends.break_evens if _kind(found) in others]
    shown = [pair for pair in both if not _never(*pair)]
    return [_break_even(*pair) for pair in shown], len(both) - len(shown)


def _rate(row: Row) -> float | None:
    return number(row, "edges_per_second") if row["outcome"] == "completed" else None


def _time_ratio(row: Row) -> Estimate | None:
    middle, low, high = (number(row, name) for name in ("time_ratio", "time_ratio_low", "time_ratio_high"))
    if row["outcome"] != "completed" or middle is None or low is None or high is None or low <= 0:
        return None
    return Estimate(estimate=middle, low=low, high=high)


def _summary(key: tuple[str, str, str], members: Sequence[RatioPair], confidences: tuple[float, float]) -> RatioSummary:
    graphs = [pair.graph for pair in members]
    sides = [[pair.first for pair in members], [pair.second for pair in members]]
    logarithms = [np.log([one.estimate for one in side]) for side in sides]
    spreads = [
        deviations(np.log([one.low for one in side]), np.log([one.high for one in side]), confidence)
        for side, confidence in zip(sides, confidences, strict=True)
    ]
    allocator, convolution, policy = key
    return RatioSummary(
        convolution=convolution,
        policy=policy,
        allocator=allocator,
        cells=len(members),
        graphs=len(set(graphs)),
        quotient=median_quotient(logarithms[1] - logarithms[0], np.hypot(*spreads), graphs),
        rank_agreement=rank_agreement(logarithms[0], logarithms[1], graphs),
    )


def _time_laws(report: Report) -> dict[tuple[str, str], Law]:
    laws = (law for law in report.regressions.laws if law.response == "step_time_seconds")
    return {(law.convolution, law.policy): law for law in laws}


def _per_edge(place: tuple[str, str], one: dict[tuple[str, str], Law], other: dict[tuple[str, str], Law]) -> PerEdge:
    first, second = _over_none(place, one), _over_none(place, other)
    return PerEdge(
        convolution=place[0],
        policy=place[1],
        first_seconds=one[place].per_edge,
        second_seconds=other[place].per_edge,
        first=first,
        second=second,
        quotient=None if first is None or second is None else second.over(first),
        apart=first is not None and second is not None and _apart(first, second),
    )


def _over_none(place: tuple[str, str], laws: dict[tuple[str, str], Law]) -> Estimate | None:
    convolution, policy = place
    none = laws.get((convolution, "none"))
    if policy == "none" or none is None or min(none.per_edge.low, laws[place].per_edge.low) <= 0:
        return None
    return laws[place].per_edge.over(none.per_edge)


def _kind(found: BreakEven) -> tuple[str, str, str, float]:
    return found.convolution, found.policy, found.quantity, found.threshold


def _never(first: BreakEven, second: BreakEven) -> bool:
    """Return whether neither machine's ratio passes the threshold, and both stay on the same side."""
    return first.course == second.course and first.course in ("below", "above")


def _break_even(first: BreakEven, second: BreakEven) -> BreakEvenPair:
    one, other = first.average_degree, second.average_degree
    both = one is not None and other is not None
    return BreakEvenPair(
        convolution=first.convolution,
        policy=first.policy,
        quantity=first.quantity,
        threshold=first.threshold,
        first_course=first.course,
        second_course=second.course,
        first=one,
        second=other,
        quotient=other.over(one) if one is not None and other is not None else None,
        apart=first.course != second.course or (both and _apart(one, other)),
    )


def _apart(first: Estimate | None, second: Estimate | None) -> bool:
    """Return whether the intervals do not meet."""
    return first is not None and second is not None and (first.high < second.low or second.high < first.low)
