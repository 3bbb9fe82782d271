"""What a template may do with a value: filters put numbers in words, which keep their addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import gnn_checkpointing
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.claims.ledger import Verdict
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures.palette import kind_of
from gnn_checkpointing.report.page import Span
from gnn_checkpointing.study.policy_names import POLICIES

TEMPLATES = Path(gnn_checkpointing.__file__).resolve().parents[2] / "templates"
"""Those of a checkout of the project."""

_CHIPS: dict[Verdict, str] = {"supported": "yes", "refuted": "no", "inconclusive": "unclear", "untested": "untested"}


def filters() -> dict[str, Callable[..., Any]]:
    """Every filter by its name: the functions of `units`, and those below."""
    numbers = (
        *(units.count, units.digits, units.plain, units.percent, units.share, units.size, units.duration, units.ratio),
        *(units.confidence, units.error, units.accuracy, units.significant, units.probability, units.fixed),
        *(units.ratio_estimate, units.share_estimate, units.general_estimate, units.scaled_estimate),
    )
    own = (chip, code, degrees, listed, more_time, deviation, percents, ratios, by_meaning)
    return {one.__name__: one for one in (*numbers, *own)}


def chip(verdict: Verdict) -> Span:
    """The mark of a verdict, as the answer to a question."""
    return Span(_CHIPS[verdict], verdict)


def code(name: object) -> Span:
    """A name as it is typed."""
    return Span(str(name), "code")


def by_meaning(policies: Iterable[str]) -> list[tuple[str, list[str]]]:
    """What policies do, as the rest of a sentence that begins with their names, beside these."""
    return [(POLICIES[kind].words, own) for (kind,), own in grouped(policies, lambda policy: (kind_of(policy),))]


def listed(items: Iterable[Any], word: str = "and") -> tuple[Any, ...]:
    """Names or numbers as a list in a sentence."""
    parts = list(items)
    between = [", "] * (len(parts) - 2) + [f" {word} "]
    return (*(piece for pair in zip(parts[:-1], between, strict=False) for piece in pair), *parts[-1:])


def percents(values: Sequence[Estimate]) -> tuple[str, ...]:
    """The span of several ratios as percentages, such as "4 % to 18 %", or the one that all of them are."""
    return _span(values, units.percent)


def ratios(values: Sequence[Estimate]) -> tuple[str, ...]:
    """The span of several ratios."""
    return _span(values, units.ratio)


def _span(values: Sequence[Estimate], words: Callable[[float], str]) -> tuple[str, ...]:
    ordered = sorted((value.estimate for value in values), key=float)
    low, high = words(ordered[0]), words(ordered[-1])
    return (low,) if words(float(ordered[0])) == words(float(ordered[-1])) else (low, " to ", high)


def degrees(levels: str) -> str:
    """Where along the densities, such as " at degree 8-32"."""
    return " at every degree" if levels.startswith("all ") else f" at degree {levels}"


def deviation(values: Sequence[Estimate]) -> str:
    """How far the ends of some ratios' intervals lie from 1 at most."""
    return units.share(max((abs(end - 1) for value in values for end in (value.low, value.high)), key=float))


def more_time(ratio: Estimate | None) -> tuple[str, ...]:
    """What a ratio of times means, such as "46 % more time"; in words alone where its interval reaches across 1."""
    if ratio is None:
        return ("time not measured",)
    if ratio.low <= 1 <= ratio.high:
        return ("about the same time",)
    if ratio.estimate > 1:
        return (units.percent(ratio.estimate - 1), " more time")
    return (units.percent(1 - ratio.estimate), " less time")
