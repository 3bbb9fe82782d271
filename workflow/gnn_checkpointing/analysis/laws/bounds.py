"""How far a law's intervals reach, found on levels it did not see, and how often they hold what was measured there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from gnn_checkpointing.analysis.fitting import ROUNDING, WEIGHTS, fitted, predicted
from gnn_checkpointing.analysis.laws.fit import fit_form, why_not_form
from gnn_checkpointing.analysis.laws.selection import Fold
from gnn_checkpointing.analysis.laws.series import FORMS, Series, matrix
from gnn_checkpointing.analysis.results import Coverage, Response


@dataclass(frozen=True)
class Miss:
    """One cell held out: by how much the law missed it, as a share of the prediction."""

    fold: int
    row: int
    share: float


@dataclass(frozen=True)
class Held:
    """One cell held out: whether the interval that was made without it holds it, and how far that reaches."""

    inside: bool
    half_width: float


def misses(series: Series, form: str, found: Sequence[Fold]) -> list[Miss]:
    """By how much the form, fitted without a level, misses each cell of it; levels that it needs are left in."""
    missed = []
    for number, fold in enumerate(found):
        kept, held = series.only(fold.kept), series.only(fold.held)
        if why_not_form(form, kept.sizes) is not None:
            continue
        values = fit_form(form, kept.sizes, kept.values).at(held.sizes)
        missed += [
            Miss(number, row, abs(value - actual) / max(value, ROUNDING * actual))
            for row, value, actual in zip(fold.held, values.tolist(), held.values.tolist(), strict=True)
        ]
    return missed


def half_width(missed: Iterable[Miss], response: Response, confidence: float) -> float | None:
    """How far an interval reaches to both sides, as a share of the prediction; None without any miss.

    Bytes are exact, so what is left is the law's own error, and the bound is the worst of it that was seen. Seconds
    scatter: theirs is the conformal quantile, the ceil((n + 1) confidence)-th smallest of n (Vovk, Gammerman and Shafer
    2005, "Algorithmic learning in a random world").
    """
    shares = sorted(miss.share for miss in missed)
    if not shares:
        return None
    rank = math.ceil((len(shares) + 1) * confidence) if response == "step_time_seconds" else len(shares)
    return shares[min(rank, len(shares)) - 1]


def held(missed: Sequence[Miss], response: Response, confidence: float) -> list[Held]:
    """Return, for each cell held out, whether an interval made of the other levels' other cells holds it."""
    found = []
    rows = {number: {miss.row for miss in missed if miss.fold == number} for number in {m.fold for m in missed}}
    for number, own in rows.items():
        others = [miss for miss in missed if miss.fold != number and miss.row not in own]
        reach = half_width(others, response, confidence)
        if reach is not None:
            found += [Held(m.share <= reach + ROUNDING, reach) for m in missed if m.fold == number]
    return found


def held_by_least_squares(series: Series, found: Sequence[Fold], confidence: float) -> list[Held]:
    """The same for the prediction intervals of least squares, which trust the additive form."""
    results = []
    for fold in found:
        kept, out = series.only(fold.kept), series.only(fold.held)
        fit = fitted(matrix(FORMS["additive"], kept.sizes), kept.values, WEIGHTS[series.response], confidence)
        values, lows, highs = predicted(fit, matrix(FORMS["additive"], out.sizes), confidence)
        slack = ROUNDING * out.values
        inside = (lows - slack <= out.values) & (out.values <= highs + slack)
        widths = (highs - lows) / 2 / np.maximum(np.abs(values), ROUNDING * out.values)
        results += [Held(bool(one), float(width)) for one, width in zip(inside, widths, strict=True)]
    return results


def coverage(response: Response, method: str, found: Sequence[Held]) -> Coverage | None:
    """How often intervals held and how wide they were; None where nothing was held out."""
    if not found:
        return None
    widths = [one.half_width for one in found]
    return Coverage.model_validate(
        {
            "response": response,
            "method": method,
            "held_out": len(found),
            "inside": sum(one.inside for one in found) / len(found),
            "median_half_width": median(widths),
            "worst_half_width": max(widths),
        }
    )
