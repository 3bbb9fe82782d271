"""The rules that turn intervals into verdicts, fixed before the data; each says itself in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.ledger import Verdict

Says = Callable[[Estimate], bool]


class Rule(Protocol):
    """A decision about one or several intervals; none at all is untested."""

    @property
    def words(self) -> str:
        """The rule as a clause for the reader."""

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """What the intervals say, all of them together."""


@dataclass(frozen=True)
class _Each:
    """A sentence that holds if each interval says so, and fails if one says the opposite."""

    words: str
    holds: Says
    fails: Says

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """What the intervals say, all of them together."""
        if not estimates:
            return "untested"
        if any(map(self.fails, estimates)):
            return "refuted"
        return "supported" if all(map(self.holds, estimates)) else "inconclusive"


@dataclass(frozen=True)
class Respectively:
    """Several quantities in a fixed order, each with a rule of its own; the claim holds if all of them do."""

    rules: tuple[Rule, ...]

    @property
    def words(self) -> str:
        """The rules as clauses for the reader, in the order of their quantities."""
        return "; ".join(f"quantity {number}: {rule.words}" for number, rule in enumerate(self.rules, start=1))

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """What the intervals say, one for each rule; raises `ValueError` where there are not as many."""
        if not estimates:
            return "untested"
        found = [rule.verdict([one]) for rule, one in zip(self.rules, estimates, strict=True)]
        if "refuted" in found:
            return "refuted"
        return "supported" if all(verdict == "supported" for verdict in found) else "inconclusive"


def below(threshold: float) -> Rule:
    """The quantity is smaller than a threshold."""
    return _Each(
        f"supported if every interval ends below {threshold:g}; refuted if one lies at {threshold:g} or above",
        lambda value: value.high < threshold,
        lambda value: value.low >= threshold,
    )


def above(threshold: float) -> Rule:
    """The quantity is larger than a threshold."""
    return _Each(
        f"supported if every interval begins above {threshold:g}; refuted if one lies at {threshold:g} or below",
        lambda value: value.low > threshold,
        lambda value: value.high <= threshold,
    )


def at_most(limit: float) -> Rule:
    """The quantity does not exceed a limit."""
    return _Each(
        f"supported if no interval reaches above {limit:g}; refuted if one lies above {limit:g} whole",
        lambda value: value.high <= limit,
        lambda value: value.low > limit,
    )


def at_least(limit: float) -> Rule:
    """The quantity does not fall short of a limit."""
    return _Each(
        f"supported if no interval reaches below {limit:g}; refuted if one lies below {limit:g} whole",
        lambda value: value.low >= limit,
        lambda value: value.high < limit,
    )


def within(lowest: float, highest: float) -> Rule:
    """The quantity lies between two limits, on every graph."""
    return _Each(
        f"supported if every interval lies within {lowest:g} to {highest:g}; refuted if one lies outside whole",
        lambda value: lowest <= value.low and value.high <= highest,
        lambda value: value.high < lowest or highest < value.low,
    )


def exactly(count: float) -> Rule:
    """The quantity is a count, and this one."""
    return _Each(
        f"supported if every value is {count:g} exactly; refuted if an interval leaves {count:g} out",
        lambda value: value.low == count == value.high,
        lambda value: not value.low <= count <= value.high,
    )
