"""The rules that turn intervals into verdicts, fixed before the data; each with its wording."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.ledger import Verdict


@dataclass(frozen=True)
class Rule:
    """A decision about one or several intervals, as a clause for the reader and as a function of them."""

    words: str
    verdict: Callable[[Sequence[Estimate]], Verdict]


_EACH: dict[str, tuple[str, Callable[..., bool], Callable[..., bool]]] = {
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
        "supported if no interval reaches above {0:g}; refuted if one lies above {0:g} whole",
        lambda value, limit: value.high <= limit,
        lambda value, limit: value.low > limit,
    ),
    "at_least": (
        "supported if no interval reaches below {0:g}; refuted if one lies below {0:g} whole",
        lambda value, limit: value.low >= limit,
        lambda value, limit: value.high < limit,
    ),
    "within": (
        "supported if every interval lies within {0:g} to {1:g}; refuted if one lies outside whole",
        lambda value, low, high: low <= value.low and value.high <= high,
        lambda value, low, high: value.high < low or high < value.low,
    ),
    "exactly": (
        "supported if every value is {0:g} exactly; refuted if an interval leaves {0:g} out",
        lambda value, count: value.low == count == value.high,
        lambda value, count: not value.low <= count <= value.high,
    ),
}
"""In words with its limits, when an interval holds, and when it says the opposite."""


def _each(name: str, *limits: float) -> Rule:
    """Supported if each interval says so, refuted if one says the opposite."""
    words, holds, fails = _EACH[name]

    def verdict(estimates: Sequence[Estimate]) -> Verdict:
        if not estimates:
            return "untested"
        if any(fails(one, *limits) for one in estimates):
            return "refuted"
        return "supported" if all(holds(one, *limits) for one in estimates) else "inconclusive"

    return Rule(words.format(*limits), verdict)


RULES: dict[str, Callable[..., Rule]] = {name: partial(_each, name) for name in _EACH}
below, above, at_most, at_least, within, exactly = RULES.values()


def respectively(*rules: Rule) -> Rule:
    """Several quantities in a fixed order, each with a rule of its own; the claim holds if all of them do."""

    def verdict(estimates: Sequence[Estimate]) -> Verdict:
        if not estimates:
            return "untested"
        found = {rule.verdict([one]) for rule, one in zip(rules, estimates, strict=True)}
        return "refuted" if "refuted" in found else "supported" if found == {"supported"} else "inconclusive"

    return Rule("; ".join(f"quantity {number}: {rule.words}" for number, rule in enumerate(rules, start=1)), verdict)
