"""How an answer says a number, a number for each convolution, and what it decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnn_checkpointing.analysis.results import Effects, Estimate
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.sourced import mark_between, plain

MOST_CONVOLUTIONS = 4


@dataclass(frozen=True)
class Told:
    """An estimate of one convolution and policy, what it decides, where it stands, and the effects behind it."""

    estimate: Estimate
    verdict: Verdict
    evidence: str
    convolution: str
    policy: str
    effects: Effects


def share(value: Estimate) -> str:
    """Return a ratio as a percentage with its interval, such as 27 % (26 to 28 %)."""
    return _with_interval(value, lambda ratio: _digits(100 * ratio), " %")


def times(value: Estimate) -> str:
    """Return a ratio as a factor with its interval, such as 1.35 (1.33 to 1.37)."""
    return _with_interval(value, lambda ratio: f"{ratio:.2f}", "")


def over_convolutions(part: Callable[[Told], str], told: Sequence[Told]) -> str:
    """Return what was found with each convolution; of many, with the two that lie furthest apart."""
    if len(told) <= MOST_CONVOLUTIONS:
        return listed([part(one) for one in told])
    ends = sorted(told, key=lambda one: one.estimate.estimate)
    return f"{part(ends[0])} at one end and {part(ends[-1])} at the other, of {len(told)} convolutions"


def decided(tested: str, told: Sequence[Told]) -> str:
    """Return what became of the tested statement, convolution by convolution where they differ."""
    convolutions: dict[str, list[str]] = {}
    for one in told:
        convolutions.setdefault(one.verdict, []).append(one.convolution)
    if len(convolutions) == 1:
        return f"That {tested} is {told[0].verdict}."
    parts = [f"{verdict} for {listed(names)}" for verdict, names in sorted(convolutions.items(), reverse=True)]
    return f"That {tested} is {', '.join(parts)}."


def listed(parts: Sequence[str]) -> str:
    """Return parts as a list in a sentence."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _with_interval(value: Estimate, text: Callable[[float], str], unit: str) -> str:
    middle, low, high = text(plain(value.estimate)), text(plain(value.low)), text(plain(value.high))
    words = f"{middle}{unit}" if low == middle == high else f"{middle}{unit} ({low} to {high}{unit})"
    return mark_between(words, value)


def _digits(percent: float) -> str:
    """Return a percentage in two digits; near 100, where the question is whether it is less, in one more."""
    if abs(percent) < 0.005:
        return "0"
    if 99 < abs(percent) < 101:
        return f"{percent:.1f}"
    return f"{percent:.0f}" if abs(percent) >= 10 else f"{percent:.2g}"
