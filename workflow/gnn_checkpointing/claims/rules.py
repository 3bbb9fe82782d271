"""The rules that turn intervals into verdicts, fixed before the data; each says itself in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.ledger import Verdict


class Rule(Protocol):
    """A decision about one or several intervals; none at all is untested."""

    @property
    def words(self) -> str:
        """The rule as a clause for the reader."""

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """Return what the intervals say, all of them together."""


@dataclass(frozen=True)
class Below:
    """The quantity is smaller than a threshold."""

    threshold: float

    @property
    def words(self) -> str:
        """The rule as a clause for the reader."""
        value = f"{self.threshold:g}"
        return f"supported if every interval ends below {value}; refuted if one lies at {value} or above"

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """Return what the intervals say, all of them together."""
        return _verdict(
            estimates,
            [value.high < self.threshold for value in estimates],
            [value.low >= self.threshold for value in estimates],
        )


@dataclass(frozen=True)
class Above:
    """The quantity is larger than a threshold."""

    threshold: float

    @property
    def words(self) -> str:
        """The rule as a clause for the reader."""
        value = f"{self.threshold:g}"
        return f"supported if every interval begins above {value}; refuted if one lies at {value} or below"

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """Return what the intervals say, all of them together."""
        return _verdict(
            estimates,
            [value.low > self.threshold for value in estimates],
            [value.high <= self.threshold for value in estimates],
        )


@dataclass(frozen=True)
class AtMost:
    """The quantity does not exceed a limit."""

    limit: float

    @property
    def words(self) -> str:
        """The rule as a clause for the reader."""
        value = f"{self.limit:g}"
        return f"supported if no interval reaches above {value}; refuted if one lies above {value} whole"

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """Return what the intervals say, all of them together."""
        return _verdict(
            estimates,
            [value.high <= self.limit for value in estimates],
            [value.low > self.limit for value in estimates],
        )


@dataclass(frozen=True)
class AtLeast:
    """The quantity does not fall short of a limit."""

    limit: float

    @property
    def words(self) -> str:
        """The rule as a clause for the reader."""
        value = f"{self.limit:g}"
        return f"supported if no interval reaches below {value}; refuted if one lies below {value} whole"

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """Return what the intervals say, all of them together."""
        return _verdict(
            estimates,
            [value.low >= self.limit for value in estimates],
            [value.high < self.limit for value in estimates],
        )


@dataclass(frozen=True)
class Within:
    """The quantity lies between two limits, on every graph."""

    lowest: float
    highest: float

    @property
    def words(self) -> str:
        """The rule as a clause for the reader."""
        span = f"{self.lowest:g} to {self.highest:g}"
        return f"supported if every interval lies within {span}; refuted if one lies outside whole"

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """Return what the intervals say, all of them together."""
        return _verdict(
            estimates,
            [self.lowest <= value.low and value.high <= self.highest for value in estimates],
            [value.high < self.lowest or self.highest < value.low for value in estimates],
        )


@dataclass(frozen=True)
class Exactly:
    """The quantity is a count, and this one."""

    count: float

    @property
    def words(self) -> str:
        """The rule as a clause for the reader."""
        value = f"{self.count:g}"
        return f"supported if every value is {value} exactly; refuted if an interval leaves {value} out"

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """Return what the intervals say, all of them together."""
        return _verdict(
            estimates,
            [value.low == self.count == value.high for value in estimates],
            [not value.low <= self.count <= value.high for value in estimates],
        )


@dataclass(frozen=True)
class Respectively:
    """Several quantities in a fixed order, each with a rule of its own; the claim holds if all of them do."""

    rules: tuple[Rule, ...]

    @property
    def words(self) -> str:
        """The rules as clauses for the reader, in the order of their quantities."""
        return "; ".join(f"quantity {number}: {rule.words}" for number, rule in enumerate(self.rules, start=1))

    def verdict(self, estimates: Sequence[Estimate]) -> Verdict:
        """Return what the intervals say, one for each rule; raises `ValueError` where there are not as many."""
        if not estimates:
            return "untested"
        pairs = zip(self.rules, estimates, strict=True)
        return together([rule.verdict([estimate]) for rule, estimate in pairs])


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict of a sentence that holds only if all its parts do."""
    if not verdicts or all(verdict == "untested" for verdict in verdicts):
        return "untested"
    if "refuted" in verdicts:
        return "refuted"
    return "supported" if all(verdict == "supported" for verdict in verdicts) else "inconclusive"


def _verdict(estimates: Sequence[Estimate], holds: Sequence[bool], fails: Sequence[bool]) -> Verdict:
    if not estimates:
        return "untested"
    if any(fails):
        return "refuted"
    return "supported" if all(holds) else "inconclusive"
