"""Queries: the quantity of a claim in words, and its numbers among the findings, or why there are none."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from statistics import median
from typing import Any

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.sourced import plain, source_of

RATIO_OF_RATIOS = "ratio of ratios"
TIMES = ("time_ratio", "throughput_ratio", "time_over_reference", "step_time_seconds")
"""Fields of findings whose values differ from run to run."""

_MIDDLE = re.compile(r"/estimate(?=[ )]|$)")
_NOUNS = {
    "memory_ratio": "peak memory",
    "activation_ratio": "activation bytes",
    "activation_over_reference": "activation bytes",
    "activation_bytes": "activation bytes",
    "time_ratio": "step time",
    "time_over_reference": "step time",
    "step_time_seconds": "step time",
    "throughput_ratio": "nodes (and edges) per second",
}
"""Names of arguments in the words of a query."""


@dataclass(frozen=True)
class Asked:
    """The findings, and the convolution and policy that a query is about."""

    findings: Findings
    convolution: str = ""
    policy: str = ""

    def of(self, items: Iterable[Any], policy: str = "", **fields: object) -> list[Any]:
        """The items about this convolution and policy (or another policy) that have the given fields."""
        return where(items, convolution=self.convolution, policy=policy or self.policy, **fields)

    def one(self, items: Iterable[Any], policy: str = "", **fields: object) -> Any:
        """The first such item; None if there is none."""
        return next(iter(self.of(items, policy, **fields)), None)


@dataclass(frozen=True)
class Picked:
    """Estimates, with where they were measured or why not; `timed` if another run would give other numbers."""

    estimates: tuple[Estimate, ...]
    note: str
    timed: bool = False

    @property
    def evidence(self) -> str:
        """Addresses of the estimates, or the expressions of addresses that they come from, separated by "; "."""
        found = [_MIDDLE.sub("", source_of(value.estimate)) for value in self.estimates]
        return "; ".join(dict.fromkeys(place for place in found if place))

    @property
    def summary(self) -> Estimate | None:
        """The single estimate, or the median of several with the span of their intervals."""
        if not self.estimates:
            return None
        return Estimate(
            estimate=median(plain(value.estimate) for value in self.estimates),
            low=min(value.low for value in self.estimates),
            high=max(value.high for value in self.estimates),
        )


Found = str | tuple[Iterable[Any], str] | tuple[Iterable[Any], str, bool]
"""Result of a query: the reason why there is nothing to judge, or the numbers (estimates or plain; None is skipped),
a note on where they were measured, and whether another run gives others, if the arguments do not say so."""


@dataclass(frozen=True)
class Query:
    """A quantity in words, how its numbers are found, and their unit; {policy}, {0}, {1} in the words are filled in."""

    quantity: str
    pick: Callable[..., Picked]
    unit: str

    def words(self, arguments: Sequence[object]) -> str:
        """The words with a claim's arguments in them."""
        return self.quantity.format(*(_NOUNS.get(str(one), one) for one in arguments), policy="{policy}")


QUERIES: dict[str, Query] = {}
"""All queries, by the names that claims use."""


def query(quantity: str = "", unit: str = "ratio") -> Callable[[Callable[..., Found]], Callable[..., Picked]]:
    """Register a function in `QUERIES`; without words, each claim that uses it gives its own."""

    def listed(find: Callable[..., Found]) -> Callable[..., Picked]:
        @wraps(find)
        def pick(asked: Asked, *arguments: Any) -> Picked:
            found = find(asked, *arguments)
            if isinstance(found, str):
                return Picked((), found)
            values, note, *timed = found
            known = (one for one in values if one is not None)
            estimates = tuple(one if isinstance(one, Estimate) else between(one, one, one) for one in known)
            return Picked(estimates, note, bool(timed[0]) if timed else not {*TIMES}.isdisjoint(arguments))

        QUERIES[find.__name__] = Query(quantity, pick, unit)
        return pick

    return listed


def where(items: Iterable[Any], **fields: object) -> list[Any]:
    """The items whose fields have the given values."""
    return [one for one in items if all(getattr(one, name) == value for name, value in fields.items())]


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """An estimate times a positive number."""
    return between(estimate.estimate * factor, estimate.low * factor, estimate.high * factor)


def between(middle: float, low: float, high: float) -> Estimate:
    """An estimate that keeps the address of its middle, which rounding may have put a digit outside the interval."""
    ends = {"low": min(plain(low), plain(middle)), "high": max(plain(high), plain(middle))}
    return Estimate.model_construct(estimate=middle, **ends)
