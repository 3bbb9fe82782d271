"""What a query returns: estimates, the addresses they come from, and where or why not they were measured."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from statistics import median

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.sourced import plain, source_of, sourced

_MIDDLE = re.compile(r"/estimate(?=[ )]|$)")


@dataclass(frozen=True)
class Picked:
    """Estimates, and where or why not they were measured.

    `timed` says that another run would give other numbers. `written` is the address of numbers that lost theirs.
    """

    estimates: tuple[Estimate, ...]
    written: str
    note: str
    timed: bool = False

    @property
    def evidence(self) -> str:
        """The address of each estimate, or the expression of addresses that it was computed by; "; " parts them."""
        found = [_MIDDLE.sub("", source_of(value.estimate)) for value in self.estimates]
        return joined(found) if all(found) else self.written

    @property
    def summary(self) -> Estimate | None:
        """The one estimate, or the median of several with the span of their intervals."""
        if not self.estimates:
            return None
        return Estimate(
            estimate=median(plain(value.estimate) for value in self.estimates),
            low=min(value.low for value in self.estimates),
            high=max(value.high for value in self.estimates),
        )


def with_addresses(findings: Findings) -> Findings:
    """The findings with every number knowing the file of the analysis and the field that it comes from."""
    return Findings(
        **{one.name: sourced(getattr(findings, one.name), f"analysis/{one.name}.json#") for one in fields(Findings)}
    )


def picked(estimates: Iterable[Estimate | None], note: str, *, timed: bool = False) -> Picked:
    """Those of the estimates that were measured."""
    return Picked(tuple(one for one in estimates if one is not None), "", note, timed)


def nothing(reason: str) -> Picked:
    """Nothing to judge, and why."""
    return Picked((), "", reason)


def exactly(value: float) -> Estimate:
    """A number without an interval, such as a count."""
    return Estimate.model_construct(estimate=value, low=plain(value), high=plain(value))


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """An estimate times a positive number."""
    ends = {"low": plain(estimate.low * factor), "high": plain(estimate.high * factor)}
    return estimate.model_copy(update={"estimate": estimate.estimate * factor, **ends})


def joined(places: Iterable[str]) -> str:
    """Several addresses as one text, each once."""
    return "; ".join(dict.fromkeys(place for place in places if place))
