"""What differs between machines: ratios within each (times, times per edge, break-evens), and their agreement."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, norm

from gnn_checkpointing.analysis.estimates import widened_tail
from gnn_checkpointing.analysis.results import Estimate, Law, exactly
from gnn_checkpointing.analysis.rounding import Floats
from gnn_checkpointing.analysis.table import policy_order, series
from gnn_checkpointing.comparison.checks import Joined, matched
from gnn_checkpointing.comparison.results import AtRow, BreakEvenPair, PerEdge, RankAgreement, RatioSummary
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report.run_folder import Row, RunFolder

CONFIDENCE, RESAMPLES, SEED = 0.95, 2000, 20261128


def at_rows(pairs: Sequence[Joined], value: Callable[[Row], Estimate | None]) -> list[AtRow]:
    """A value of each cell and policy for which both machines have it."""
    found = []
    for pair in pairs:
        first, second = value(pair.first), value(pair.second)
        if first and second and pair.both_completed:
            names = {name: str(pair.first[name]) for name in ("policy", "allocator", "graph", "graph_label")}
            found.append(
                AtRow(
                    convolution=series(pair.first),
                    **names,
                    num_edges=round(number(pair.first, "num_edges") or 0),
                    first_row=pair.first_row,
                    second_row=pair.second_row,
                    **_both(first, second) | {"quotient": exactly(second.estimate / first.estimate)},
                )
            )
    return sorted(found, key=lambda one: (one.allocator, one.convolution, policy_order(one.policy)))


def throughputs(pairs: Sequence[Joined]) -> list[AtRow]:
    """Edges per second of every series and policy, on the largest graph on which both machines timed it."""
    largest: dict[tuple[str, ...], AtRow] = {}
    for one in at_rows(pairs, lambda row: exactly(rate) if (rate := number(row, "edges_per_second")) else None):
        key = one.allocator, one.convolution, one.policy
        if key not in largest or one.num_edges > largest[key].num_edges:
            largest[key] = one
    return list(largest.values())


def ratio_summaries(pairs: Sequence[AtRow], confidences: tuple[float, float]) -> list[RatioSummary]:
    """The time ratios of all cells under an allocator, of each convolution, and of each of its policies.

    `confidences` are the confidence levels of the intervals on the two machines.
    """
    groups: dict[tuple[str, str, str], list[AtRow]] = {}
    for of_convolution, of_policy in ((False, False), (True, False), (True, True)):
        for pair in pairs:
            key = (pair.allocator, pair.convolution if of_convolution else "", pair.policy if of_policy else "")
            groups.setdefault(key, []).append(pair)
    return [_summary(*key, members, confidences) for key, members in groups.items()]


def _summary(
    allocator: str, convolution: str, policy: str, members: Sequence[AtRow], confidences: tuple[float, float]
) -> RatioSummary:
    graphs = [pair.graph for pair in members]
    sides = [[pair.first for pair in members], [pair.second for pair in members]]
    middles, spreads = [], []
    for ratios, confidence in zip(sides, confidences, strict=True):
        middle, low, high = np.log([(one.estimate, one.low, one.high) for one in ratios]).T
        middles.append(middle)
        spreads.append(deviations(low, high, confidence))
    first, second = middles
    return RatioSummary(
        convolution=convolution,
        policy=policy,
        allocator=allocator,
        cells=len(members),
        graphs=len(set(graphs)),
        quotient=median_quotient(second - first, np.hypot(*spreads), graphs),
        rank_agreement=rank_agreement(first, second, graphs),
    )


def per_edge(first: RunFolder, second: RunFolder) -> list[PerEdge]:
    """The time per edge of every series and policy with a law of time on both machines."""
    laws = (run.findings.regressions.laws for run in (first, second))
    one, other = (
        {(law.convolution, law.policy): law for law in own if law.response == "step_time_seconds"} for own in laws
    )
    return [
        PerEdge(
            convolution=place[0],
            policy=place[1],
            first_seconds=one[place].per_edge,
            second_seconds=other[place].per_edge,
            **_both(_over_none(place, one), _over_none(place, other)),
        )
        for place in one
        if place in other
    ]


def break_evens(first: RunFolder, second: RunFolder) -> tuple[list[BreakEvenPair], int]:
    """Pairs of break-even densities, and the number of ratios that lie on one same side on both machines."""
    found, never = [], 0
    kind = ("convolution", "policy", "quantity", "threshold")
    one_side, other_side = (run.findings.trends.break_evens for run in (first, second))
    for one, other in matched(one_side, other_side, lambda even: tuple(getattr(even, name) for name in kind)):
        if one.course == other.course and one.course in ("below", "above"):
            never += 1  # both machines' ratios stay on the same side of the threshold
            continue
        degrees = _both(one.average_degree, other.average_degree)
        degrees["apart"] |= one.course != other.course
        names = {name: getattr(one, name) for name in kind}
        found.append(BreakEvenPair(**names, first_course=one.course, second_course=other.course, **degrees))
    return found, never


def _over_none(place: tuple[str, str], laws: dict[tuple[str, str], Law]) -> Estimate | None:
    own, none = laws[place], laws.get((place[0], "none"))
    if place[1] == "none" or none is None or min(none.per_edge.low, own.per_edge.low) <= 0:
        return None
    return own.per_edge.over(none.per_edge)


def _both(first: Estimate | None, second: Estimate | None) -> dict[str, Any]:
    """Both values, the second over the first, and whether both exist and their intervals do not meet."""
    found = {"first": first, "second": second}
    if first is None or second is None:
        return found | {"quotient": None, "apart": False}
    return found | {"quotient": second.over(first), "apart": first.high < second.low or second.high < first.low}


def deviations(low: Floats, high: Floats, confidence: float) -> Floats:
    """Standard deviations of logarithms whose intervals at `confidence` reach from `low` to `high`."""
    return (high - low) / (2 * norm.isf((1 - confidence) / 2))


def median_quotient(logarithms: Floats, spread: Floats, graphs: Sequence[str]) -> Estimate:
    """Median over cells of quotients given as logarithms, with its interval ([num_cells] each).

    Whole graphs are resampled, since cells of one graph are not independent; the interval is widened for few graphs
    (`widened_tail`). It is never narrower than the cells' own standard deviations (`spread`) imply; with a single graph
    it rests on these alone.
    """
    generator = np.random.default_rng(SEED)
    middle = float(np.median(logarithms))
    medians = [np.median(generator.normal(logarithms, spread, size=(RESAMPLES, len(logarithms))), axis=1)]
    tails = [(1 - CONFIDENCE) / 2]
    places, count = _places(graphs)
    if count > 1:
        medians.append(_medians(logarithms, _times_drawn(count, generator)[:, places]))
        tails.append(widened_tail(count, CONFIDENCE))
    ends = [np.quantile(one, [tail, 1 - tail]) for one, tail in zip(medians, tails, strict=True)]
    low, high = np.min([middle, *(end[0] for end in ends)]), np.max([middle, *(end[1] for end in ends)])
    return Estimate(estimate=float(np.exp(middle)), low=float(np.exp(low)), high=float(np.exp(high)))


def _medians(values: Floats, times: NDArray[np.int64]) -> Floats:
    """Median of `values` for each row of `times` ([resamples, num_values]): how often each value occurs."""
    order = np.argsort(values)
    ends = np.cumsum(times[:, order], axis=1)
    last = ends[:, -1:] - 1
    below, above = (values[order][(ends <= middle).sum(axis=1)] for middle in (last // 2, (last + 1) // 2))
    medians: Floats = (below + above) / 2
    return medians


def rank_agreement(first: Floats, second: Floats, graphs: Sequence[str]) -> Estimate | None:
    """Kendall's tau-b of the values on two machines with its interval; None where one side does not rank.

    1 if every two cells are in the same order on both, -1 if in the opposite one. Whole graphs are resampled: the
    interval covers their scatter, but not that timing noise alone lowers tau. With one graph it is -1 to 1.
    """
    one, other = (np.sign(np.subtract.outer(values, values)) for values in (first, second))
    places, count = _places(graphs)
    members = np.eye(count)[places]
    # Sums over pairs by the graphs of their cells, so that a resample only has to weight these sums.
    same, ranked, ranked_there = (members.T @ pairs @ members for pairs in (one * other, one**2, other**2))
    if not ranked.any() or not ranked_there.any():
        return None
    tau = float(same.sum() / np.sqrt(ranked.sum() * ranked_there.sum()))
    if count == 1:
        return Estimate(estimate=tau, low=-1.0, high=1.0)
    drawn = _times_drawn(count, np.random.default_rng(SEED)).astype(float)
    above, below, below_there = (((drawn @ sums) * drawn).sum(axis=1) for sums in (same, ranked, ranked_there))
    ranks = (below > 0) & (below_there > 0)
    taus = above[ranks] / np.sqrt(below[ranks] * below_there[ranks])
    tail = widened_tail(count, CONFIDENCE)
    low, high = (float(end) for end in np.quantile(taus, [tail, 1 - tail]))
    return Estimate(estimate=tau, low=max(-1.0, min(low, tau)), high=min(1.0, max(high, tau)))


def exact_rank_agreement(values: Sequence[tuple[float, float]]) -> RankAgreement | None:
    """Kendall's tau-b of independent pairs with its p-value, exact for few pairs without ties.

    None for fewer than three pairs, and where the values of one side are all equal.
    """
    first, second = ([pair[side] for pair in values] for side in (0, 1))
    if len(values) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    found = kendalltau(first, second)
    return RankAgreement(series=len(values), tau=float(found.statistic), p_value=float(found.pvalue))


def _places(graphs: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """Each cell's graph as a number, and how many graphs there are."""
    names = {name: number for number, name in enumerate(dict.fromkeys(graphs))}
    return np.array([names[name] for name in graphs]), len(names)


def _times_drawn(count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """How often each of `count` graphs is in each resample ([resamples, count])."""
    return generator.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
