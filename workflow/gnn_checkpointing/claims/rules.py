"""The rules that turn intervals into verdicts, fixed before the data; each says itself in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.ledger import Verdict

Says = Callable[[Estimate], bool]


@dataclass(frozen=True)
class Rule:
    """A decision about one or several intervals, as a clause for the reader and as a function of them."""

    words: str
    verdict: Callable[[Sequence[Estimate]], Verdict]


def _each(words: str, holds: Says, fails: Says) -> Rule:
    """Supported if each interval says so, refuted if one says the opposite."""

    def verdict(estimates: Sequence[Estimate]) -> Verdict:
        if not estimates:
            return "untested"
        if any(map(fails, estimates)):
            return "refuted"
        return "supported" if all(map(holds, estimates)) else "inconclusive"

    return Rule(words, verdict)


def below(threshold: float) -> Rule:
    """The quantity is smaller than a threshold."""
    return _each(
        f"supported if every interval ends below {threshold:g}; refuted if one lies at {threshold:g} or above",
        lambda value: value.high < threshold,
        lambda value: value.low >= threshold,
    )


def above(threshold: float) -> Rule:
    """The quantity is larger than a threshold."""
    return _each(
        f"supported if every interval begins above {threshold:g}; refuted if one lies at {threshold:g} or below",
        lambda value: value.low > threshold,
        lambda value: value.high <= threshold,
    )


def at_most(limit: float) -> Rule:
    """The quantity does not exceed a limit."""
    return _each(
        f"supported if no interval reaches above {limit:g}; refuted if one lies above {limit:g} whole",
        lambda value: value.high <= limit,
        lambda value: value.low > limit,
    )


def at_least(limit: float) -> Rule:
    """The quantity does not fall short of a limit."""
    return _each(
        f"supported if no interval reaches below {limit:g}; refuted if one lies below {limit:g} whole",
        lambda value: value.low >= limit,
        lambda value: value.high < limit,
    )


def within(lowest: float, highest: float) -> Rule:
    """The quantity lies between two limits, on every graph."""
    return _each(
        f"supported if every interval lies within {lowest:g} to {highest:g}; refuted if one lies outside whole",
        lambda value: lowest <= value.low and value.high <= highest,
        lambda value: value.high < lowest or highest < value.low,
    )


def exactly(count: float) -> Rule:
    """The quantity is a count, and this one."""
    return _each(
        f"supported if every value is {count:g} exactly; refuted if an interval leaves {count:g} out",
        lambda value: value.low == count == value.high,
        lambda value: not value.low <= count <= value.high,
    )


RULES: dict[str, Callable[..., Rule]] = {
    rule.__name__: rule for rule in (below, above, at_most, at_least, within, exactly)
}


def respectively(*rules: Rule) -> Rule:
    """Several quantities in a fixed order, each with a rule of its own; the claim holds if all of them do."""

    def verdict(estimates: Sequence[Estimate]) -> Verdict:
        if not estimates:
            return "untested"
        found = {rule.verdict([one]) for rule, one in zip(rules, estimates, strict=True)}
        return "refuted" if "refuted" in found else "supported" if found == {"supported"} else "inconclusive"

    return Rule("; ".join(f"quantity {number}: {rule.words}" for number, rule in enumerate(rules, start=1)), verdict)
