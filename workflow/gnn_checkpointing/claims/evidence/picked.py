"""What a picker returns: estimates, the addresses that they stand at, and where or why not they were measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from gnn_checkpointing.analysis.results import Estimate


@dataclass(frozen=True)
class Picked:
    """Estimates, where they stand, and where or why not they were measured.

    An address is FILE: LIST[KEY=VALUE,...].FIELD, where [KEY=VALUE,...] picks every entry that has these values and
    [] every entry; addresses may be multiplied (*), divided (/) and added to 1; "; " parts those of several estimates.
    """

    estimates: tuple[Estimate, ...]
    evidence: str
    note: str

    @property
    def summary(self) -> Estimate | None:
        """The one estimate, or the median of several with the span of their intervals."""
        if not self.estimates:
            return None
        return Estimate(
            estimate=median(value.estimate for value in self.estimates),
            low=min(value.low for value in self.estimates),
            high=max(value.high for value in self.estimates),
        )


def nothing(reason: str) -> Picked:
    """Return that there is nothing to judge, and why."""
    return Picked((), "", reason)


def exactly(value: float) -> Estimate:
    """Return a number without an interval, such as a count."""
    return Estimate(estimate=value, low=value, high=value)


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """Return an estimate times a positive number."""
    return Estimate(estimate=estimate.estimate * factor, low=estimate.low * factor, high=estimate.high * factor)


def joined(places: Iterable[str]) -> str:
    """Return several addresses as one, each once."""
    return "; ".join(dict.fromkeys(place for place in places if place))
