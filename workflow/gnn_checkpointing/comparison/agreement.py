"""How well ratios on two machines agree: by how much they differ in the middle, and whether they rank alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, norm

from gnn_checkpointing.analysis.estimates import widened_tail
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.comparison.results import RankAgreement

Floats = NDArray[np.float64]

CONFIDENCE, RESAMPLES, SEED = 0.95, 2000, 20261128


def deviations(low: Floats, high: Floats, confidence: float) -> Floats:
    """Standard deviations of logarithms whose intervals at `confidence` reach from `low` to `high`."""
    return (high - low) / (2 * norm.isf((1 - confidence) / 2))


def median_quotient(logarithms: Floats, spread: Floats, graphs: Sequence[str]) -> Estimate:
    """Median over cells of quotients given as logarithms, with its interval ([num_cells] each).

    Graphs are resampled whole, for cells of one graph are no independent witnesses; the interval is as wide as that of
    `analysis.effects` for as many graphs. It is never narrower than what the cells' own standard deviations (`spread`)
    leave open: those alone where there is one graph.
    """
    generator = np.random.default_rng(SEED)
    middle = float(np.median(logarithms))
    shaken = np.median(generator.normal(logarithms, spread, size=(RESAMPLES, len(logarithms))), axis=1)
    tail = (1 - CONFIDENCE) / 2
    ends = [float(end) for end in np.quantile(shaken, [tail, 1 - tail])]
    places, count = _places(graphs)
    if count > 1:
        drawn = _times_drawn(count, generator)[:, places]
        medians = [np.median(np.repeat(logarithms, times)) for times in drawn]
        tail = widened_tail(count, CONFIDENCE)
        ends += [float(end) for end in np.quantile(medians, [tail, 1 - tail])]
    low, high = min([*ends, middle]), max([*ends, middle])
    return Estimate(estimate=float(np.exp(middle)), low=float(np.exp(low)), high=float(np.exp(high)))


def rank_agreement(first: Floats, second: Floats, graphs: Sequence[str]) -> Estimate | None:
    """Kendall's tau-b of the values on two machines with its interval; None where one side does not rank.

    1 where any two cells are in the same order on both, -1 where in the opposite one. Graphs are resampled whole: the
    interval covers their scatter, not that noise of timing alone lowers tau. One graph leaves all open.
    """
    one, other = (np.sign(np.subtract.outer(values, values)) for values in (first, second))
    places, count = _places(graphs)
    members = np.eye(count)[places]
    # Pairs by the graphs that their cells are of, so that a resample only has to weigh these sums.
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


def exact_rank_agreement(first: Sequence[float], second: Sequence[float]) -> RankAgreement | None:
    """Kendall's tau-b of independent values with its p-value, exact for few without ties; None below three."""
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    found = kendalltau(first, second)
    return RankAgreement(series=len(first), tau=float(found.statistic), p_value=float(found.pvalue))


def _places(graphs: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """Each cell's graph as a number, and how many graphs there are."""
    names = {name: number for number, name in enumerate(dict.fromkeys(graphs))}
    return np.array([names[name] for name in graphs]), len(names)


def _times_drawn(count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """How often each of `count` graphs is in each resample ([resamples, count])."""
    return generator.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
