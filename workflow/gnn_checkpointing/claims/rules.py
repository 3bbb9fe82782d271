"""The rules that turn intervals into verdicts, fixed before the data, and how often another run changes a verdict."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Estimate, LeftOut
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.sourced import plain


class Ends(NamedTuple):
    """The ends of an interval, or of many intervals as arrays."""

    low: Any
    high: Any


_VERDICTS: dict[int, Verdict] = {-1: "refuted", 0: "inconclusive", 1: "supported"}


@dataclass(frozen=True)
class Rule:
    """A decision about one or several intervals: a clause for the reader, and a function of the intervals.

    `decide` gives a key of `_VERDICTS`, or an array of keys for arrays of ends.
    """

    words: str
    decide: Callable[[Sequence[Estimate | Ends]], Any]

    def verdict(self, estimates: Sequence[Estimate | Ends]) -> Verdict:
        """The verdict about these intervals; "untested" if there are none."""
        return _VERDICTS[int(self.decide(estimates))] if estimates else "untested"


_EACH: dict[str, tuple[str, Callable[..., Any], Callable[..., Any]]] = {
    "below": (
        "supported if every interval ends below {0:g}; refuted if one lies at {0:g} or above",
        lambda value, limit: value.high < limit,
        lambda value, limit: value.low >= limit,
    ),
    "above": (
        "supported if every interval begins above {0:g}; refuted if one lies at {0:g} or below",
        lambda value, limit: value.low > limit,
        lambda value, limit: value.high <= limit,
    ),
    "at_most": (
        "supported if no interval reaches above {0:g}; refuted if one interval lies entirely above {0:g}",
        lambda value, limit: value.high <= limit,
        lambda value, limit: value.low > limit,
    ),
    "at_least": (
        "supported if no interval reaches below {0:g}; refuted if one interval lies entirely below {0:g}",
        lambda value, limit: value.low >= limit,
        lambda value, limit: value.high < limit,
    ),
    "within": (
        "supported if every interval lies within {0:g} to {1:g}; refuted if one interval lies entirely outside",
        lambda value, low, high: (low <= value.low) & (value.high <= high),
        lambda value, low, high: (value.high < low) | (high < value.low),
    ),
    "exactly": (
        "supported if every value is {0:g} exactly; refuted if an interval leaves {0:g} out",
        lambda value, count: (value.low == count) & (value.high == count),
        lambda value, count: (value.low > count) | (value.high < count),
    ),
}
"""Each rule in words with its limits, when an interval satisfies it, and when it says the opposite."""


def _each(name: str, *limits: float) -> Rule:
    """Supported if each interval says so, refuted if one says the opposite."""
    words, holds, fails = _EACH[name]

    def decide(estimates: Sequence[Estimate | Ends]) -> Any:
        return np.min([np.where(fails(one, *limits), -1, holds(one, *limits)) for one in estimates], axis=0)

    return Rule(words.format(*limits), decide)


RULES: dict[str, Callable[..., Rule]] = {name: partial(_each, name) for name in _EACH}
below, above, at_most, at_least, within, exactly = RULES.values()


def respectively(*rules: Rule) -> Rule:
    """Several quantities in a fixed order, each with a rule of its own; the claim holds if all of them do."""

    def decide(estimates: Sequence[Estimate | Ends]) -> Any:
        return np.min([rule.decide([one]) for rule, one in zip(rules, estimates, strict=True)], axis=0)

    return Rule("; ".join(f"quantity {number}: {rule.words}" for number, rule in enumerate(rules, start=1)), decide)


RUNS = 500
MOST_FLIPS = 0.05
"""A claim whose verdict more than this share of runs would change is neither supported nor refuted."""


def with_run_to_run(ratio: Estimate, findings: Findings) -> Estimate:
    """A ratio of times fitted within one run, with its interval widened by the differences between runs."""
    run = findings.effects.run_to_run
    if run is None or min(ratio.low, ratio.estimate) <= 0:
        return ratio
    middle = math.log(plain(ratio.estimate))
    reach = plain(run.reach(plain(findings.effects.confidence)))
    low, high = (math.hypot(middle - math.log(plain(end)), reach) for end in (ratio.low, ratio.high))
    return ratio.model_copy(update={"low": math.exp(middle - low), "high": math.exp(middle + high)})


def with_margin(estimates: Sequence[Estimate], margin: float, findings: Findings) -> tuple[Estimate, ...]:
    """The estimates, with intervals widened for an error of `margin` run-to-run deviations of a step time."""
    run = findings.effects.run_to_run
    reach = plain(margin * run.seconds_deviation) * _quantile(findings.effects.confidence) if run else 0.0
    ends = [{"low": max(0.0, plain(one.low) - reach), "high": plain(one.high) + reach} for one in estimates]
    return tuple(one.model_copy(update=end) if reach else one for one, end in zip(estimates, ends, strict=True))


def share_of(share: float, count: int, findings: Findings) -> Estimate:
    """A share of `count` cells with Wilson's interval, as other runs scatter by as much as other cells would."""
    found, square = plain(share), _quantile(findings.effects.confidence) ** 2 / count
    middle = (found + square / 2) / (1 + square)
    reach = math.sqrt(square * found * (1 - found) + square**2 / 4) / (1 + square)
    return Estimate.model_construct(estimate=share, low=min(found, middle - reach), high=max(found, middle + reach))


def chance_of_turning(left_out: LeftOut, findings: Findings) -> float:
    """Share of other runs in which leaving out a graph would reverse a statement on a ratio of times.

    Another run shifts all intervals alike, so the statement is reversed if the boundary falls between their ends.
    """
    run, whole = findings.effects.run_to_run, left_out.whole
    if run is None:
        return 0.0
    middles = [math.log(plain(one / left_out.boundary)) for one in (whole.estimate, left_out.lowest, left_out.highest)]
    shift = NormalDist(0.0, math.sqrt(2) * plain(run.deviation))
    reaches = [math.log(plain(end / whole.estimate)) for end in (whole.low, whole.high)]
    return sum(shift.cdf(max(middles) + reach) - shift.cdf(min(middles) + reach) for reach in reaches)


def flipping(rule: Rule, estimates: Sequence[Estimate], confidence: float) -> float:
    """Share of simulated runs for whose numbers alone the rule decides otherwise than for the present numbers.

    Each estimate's interval includes the differences between processes and hours, so its half-width gives the standard
    deviation of a run (of the logarithm if the interval is positive). Another run's error is as large as this run's, so
    the two numbers differ by the square root of two times that.
    """
    if not estimates:
        return 0.0
    generator = np.random.Generator(np.random.PCG64(0))
    draws = [math.sqrt(2) * generator.standard_normal(RUNS) for _ in estimates]
    drawn = [_again(one, confidence, each) for one, each in zip(estimates, draws, strict=True)]
    here, there = (
        rule.decide([Ends(each, each) for each in values])
        for values in ([plain(one.estimate) for one in estimates], drawn)
    )
    return int(np.count_nonzero(there != here)) / RUNS


def steady(verdict: Verdict, flips: float) -> Verdict:
    """The verdict, unless another run might turn it."""
    return "inconclusive" if flips > MOST_FLIPS and verdict in ("supported", "refuted") else verdict


def _again(one: Estimate, confidence: float, draws: NDArray[np.float64]) -> NDArray[np.float64]:
    middle, low, high = (plain(value) for value in (one.estimate, one.low, one.high))
    quantile = _quantile(confidence)
    if low > 0:
        found: NDArray[np.float64] = np.exp(draws * (math.log(high / low) / 2 / quantile)) * middle
        return found
    around: NDArray[np.float64] = draws * ((high - low) / 2 / quantile) + middle
    return around


def _quantile(confidence: float) -> float:
    """The normal quantile of a two-sided interval."""
    return NormalDist().inv_cdf((1 + plain(confidence)) / 2)
