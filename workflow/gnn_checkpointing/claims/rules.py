"""The rules that turn intervals into verdicts, fixed before the data, and how often another run changes a verdict."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Estimate, LeftOut, quantile
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.sourced import plain

_VERDICTS: dict[int, Verdict] = {-1: "refuted", 0: "inconclusive", 1: "supported"}


@dataclass(frozen=True)
class Rule:
    """A decision about one or several intervals: a clause for the reader, and a function of the intervals.

    `decide` gives a key of `_VERDICTS`; if the ends of the intervals are arrays, an array of keys.
    """

    words: str
    decide: Callable[[Sequence[Estimate]], Any]

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """The verdict about these intervals; "untested" if there are none."""
        return _VERDICTS[int(self.decide(estimates))] if estimates else "untested"


_EACH = {
    "below": "supported if every interval ends below {0:g}; refuted if one lies at {0:g} or above",
    "above": "supported if every interval begins above {0:g}; refuted if one lies at {0:g} or below",
    "at_most": "supported if no interval reaches above {0:g}; refuted if one interval lies entirely above {0:g}",
    "at_least": "supported if no interval reaches below {0:g}; refuted if one interval lies entirely below {0:g}",
    "within": "supported if every interval lies within {0:g} to {1:g}; refuted if one interval lies entirely outside",
    "exactly": "supported if every value is {0:g} exactly; refuted if an interval leaves {0:g} out",
}
"""Each rule in words with its limits. All of them say between which two values every interval lies."""


def _each(name: str, *limits: float) -> Rule:
    """Supported if each interval lies between the limits, refuted if one lies entirely outside."""
    least = -math.inf if name in ("below", "at_most") else limits[0]
    most = math.inf if name in ("above", "at_least") else limits[-1]
    before = np.less if name in ("below", "above") else np.less_equal

    def decide(estimates: Sequence[Estimate]) -> Any:
        decided = []
        for one in estimates:
            holds = before(least, one.low) & before(one.high, most)
            meets = before(least, one.high) & before(one.low, most)
            decided.append(np.where(meets, holds, -1))
        return np.min(decided, axis=0)

    return Rule(_EACH[name].format(*limits), decide)


RULES: dict[str, Callable[..., Rule]] = {name: partial(_each, name) for name in _EACH}
below, above, at_most, at_least, within, exactly = RULES.values()


def respectively(*rules: Rule) -> Rule:
    """Several quantities in a fixed order, each with a rule of its own; the claim holds if all of them do."""

    def decide(estimates: Sequence[Estimate]) -> Any:
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
    reach = plain(margin * run.seconds_deviation) * quantile(plain(findings.effects.confidence)) if run else 0.0
    ends = [{"low": max(0.0, plain(one.low) - reach), "high": plain(one.high) + reach} for one in estimates]
    return tuple(one.model_copy(update=end) if reach else one for one, end in zip(estimates, ends, strict=True))


def share_of(share: float, count: int, findings: Findings) -> Estimate:
    """A share of `count` cells with Wilson's interval, as other runs scatter by as much as other cells would."""
    found, square = plain(share), quantile(plain(findings.effects.confidence)) ** 2 / count
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
    width = 2 * quantile(plain(confidence))
    pairs: list[tuple[Any, Any]] = []
    for one in estimates:
        middle, low, high = (plain(value) for value in (one.estimate, one.low, one.high))
        draws = math.sqrt(2) * generator.standard_normal(RUNS)
        if low > 0:
            again = np.exp(draws * (math.log(high / low) / width)) * middle
        else:
            again = draws * ((high - low) / width) + middle
        pairs.append((middle, again))
    here, there = (
        rule.decide([Estimate.model_construct(estimate=each, low=each, high=each) for each in values])
        for values in zip(*pairs, strict=True)
    )
    return int(np.count_nonzero(there != here)) / RUNS


def steady(verdict: Verdict, flips: float) -> Verdict:
    """The verdict, unless another run might turn it."""
    return "inconclusive" if flips > MOST_FLIPS and verdict in ("supported", "refuted") else verdict
