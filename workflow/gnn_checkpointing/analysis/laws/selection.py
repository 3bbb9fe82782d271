"""Held-out levels, used to choose a law's form and the unit of time, and to bound the law's error."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Literal, NamedTuple

import numpy as np

from gnn_checkpointing.analysis.fitting import ROUNDING, WEIGHTS, answering, held_out, why_not
from gnn_checkpointing.analysis.laws.fit import fit_form, why_not_form
from gnn_checkpointing.analysis.laws.one_size import one_size_errors, one_size_series
from gnn_checkpointing.analysis.laws.series import FORMS, Series, matrix
from gnn_checkpointing.analysis.results import Candidate, Coverage, HeldOutError, Response
from gnn_checkpointing.analysis.rounding import Floats, first_least
from gnn_checkpointing.analysis.table import Row, by_series, drawn

# Scores that differ by less are equal; the form that the study lists first is then taken.
_EQUAL = 1e-6
_TIME: Response = "step_time_seconds"


class Fold(NamedTuple):
    """A held-out level: positions of the rows that are kept and of those that are held out."""

    factor: Literal["density", "nodes"]
    level: float
    kept: list[int]
    held: list[int]


def folds(rows: Sequence[Row]) -> list[Fold]:
    """A fold for each level of density and each number of nodes, provided that the others still suffice for a law.

    A level is held out as a whole: replicates of one size and density have the same number of edges, so a law fitted to
    one of them has seen the other.
    """
    levels: dict[Literal["density", "nodes"], list[float]] = {
        "density": [row.degree for row in rows],
        "nodes": [float(row.num_nodes) for row in rows],
    }
    found = []
    for factor, values in levels.items():
        for level in sorted(set(values)):
            kept, held = ([place for place, one in enumerate(values) if (one == level) is out] for out in (False, True))
            if why_not([rows[place] for place in kept]) is None:
                found.append(Fold(factor, level, kept, held))
    return found


def candidates(series: Series, forms: Sequence[str], found: Sequence[Fold]) -> list[Candidate]:
    """Every form with its errors on the densest level and the largest size; the lowest score is chosen, the first among
    equals. No form is chosen if none could be tried."""
    ends = {("density", max(row.degree for row in series.rows)), ("nodes", series.sizes.nodes.max())}
    tried = [_tried(series, form, [fold for fold in found if fold[:2] in ends]) for form in forms]
    scored = [(one.score, place) for place, one in enumerate(tried) if one.score is not None]
    if scored:
        place = scored[first_least([score for score, _ in scored], nothing=_EQUAL)][1]
        tried[place] = tried[place].model_copy(update={"chosen": True})
    return tried


def _tried(series: Series, form: str, decide: Sequence[Fold]) -> Candidate:
    reasons = (why_not_form(form, series.only(fold.kept).sizes) for fold in decide)
    reason = next(filter(None, reasons), "")
    if not decide:
        reason = "neither the densest level nor the largest graphs can be held out"
    errors = []
    for fold in decide if not reason else ():
        values, actual = _without(series, form, fold)
        relative = np.abs(values - actual) / actual
        errors.append(
            HeldOutError(
                place="densest" if fold.factor == "density" else "largest",
                level=fold.level,
                cells=len(fold.held),
                median_relative_error=float(np.median(relative)),
                worst_relative_error=float(relative.max()),
            )
        )
    score = max((error.median_relative_error for error in errors), default=None)
    tried = {"form": form, "chosen": False, "score": score, "errors": errors, "reason": reason}
    return Candidate.model_validate({**series.about, **tried})


def _without(series: Series, form: str, fold: Fold) -> tuple[Floats, Floats]:
    """Predictions for a level by the form fitted without it, and the measured values."""
    kept, held = series.only(fold.kept), series.only(fold.held)
    return fit_form(form, kept.sizes, kept.values).at(held.sizes), held.values


class Miss(NamedTuple):
    """A held-out cell and the law's error on it, as a share of the prediction."""

    fold: int
    row: int
    share: float


class Held(NamedTuple):
    """Whether an interval made without a held-out cell contains it, and the half-width of that interval."""

    inside: bool
    half_width: float


def misses(series: Series, form: str, found: Sequence[Fold]) -> list[Miss]:
    """Errors of the form, fitted without a level, on each cell of that level; levels that it needs stay in."""
    return [
        Miss(number, row, abs(value - actual) / max(value, ROUNDING * actual))
        for number, fold in enumerate(found)
        if why_not_form(form, series.only(fold.kept).sizes) is None
        for row, value, actual in zip(fold.held, *(each.tolist() for each in _without(series, form, fold)), strict=True)
    ]


def half_width(missed: Iterable[Miss], response: Response, confidence: float) -> float | None:
    """Half-width of an interval as a share of the prediction; None without any miss.

    Bytes are exact, so the errors are the law's own, and the bound is the worst one seen. Seconds scatter, so theirs is
    the conformal quantile, the ceil((n + 1) confidence)-th smallest of n (Vovk, Gammerman and Shafer 2005, "Algorithmic
    learning in a random world").
    """
    shares = sorted(miss.share for miss in missed)
    if not shares:
        return None
    rank = math.ceil((len(shares) + 1) * confidence) if response == _TIME else len(shares)
    return shares[min(rank, len(shares)) - 1]


def held(missed: Sequence[Miss], response: Response, confidence: float) -> list[Held]:
    """For each held-out cell, whether an interval made from other cells of other levels contains it."""
    found = []
    for number in sorted({miss.fold for miss in missed}):
        own = [miss for miss in missed if miss.fold == number]
        rows = {miss.row for miss in own}
        others = [miss for miss in missed if miss.fold != number and miss.row not in rows]
        reach = half_width(others, response, confidence)
        if reach is not None:
            found += [Held(miss.share <= reach + ROUNDING, reach) for miss in own]
    return found


def held_by_least_squares(series: Series, found: Sequence[Fold], confidence: float) -> list[Held]:
    """As `held`, for the prediction intervals of least squares, which assume the additive form."""
    results: list[Held] = []
    for fold in found:
        parts = (series.only(places) for places in (fold.kept, fold.held))
        seen, unseen = ((matrix(FORMS["additive"], part.sizes), part.values) for part in parts)
        _, inside, widths = held_out(seen, unseen, WEIGHTS[series.response], confidence)
        results += map(Held, inside.tolist(), widths.tolist())
    return results


def coverage(response: Response, method: str, found: Sequence[Held]) -> Coverage | None:
    """How often intervals contained the measurements, and their widths; None if nothing was held out."""
    if not found:
        return None
    inside, widths = zip(*found, strict=True)
    tried = {"held_out": len(found), "inside": sum(inside) / len(found)}
    reach = {"median_half_width": median(widths), "worst_half_width": max(widths)}
    return Coverage.model_validate({"response": response, "method": method, **tried, **reach})


def at_one_speed(rows: Sequence[Row]) -> tuple[list[Row], bool]:
    """The rows with the step times that laws are fitted to, and whether these are in sentinels.

    The rule was fixed before any data. If every timed row has a sentinel, which is a fixed step of the same kind of
    work timed in the same rounds, step times are divided by it; but not if the additive law then errs more on
    held-out cells than in plain seconds: a large step also slows the sentinel that follows it, and few rounds tell
    little of the speed. Times are published in seconds at the median speed of the machine, since few rows ran at the
    fastest speed.
    """
    timed = answering(rows, _TIME)
    read = np.array([row.sentinel_seconds for row in timed if row.sentinel_seconds is not None])
    if not len(read) or len(read) < len(timed):
        return list(rows), False
    usual = float(np.median(read))
    divided = [
        row
        if row.step_time_seconds is None
        else row.but(step_time_seconds=row.step_time_seconds * usual / row.sentinel_seconds)
        for row in rows
    ]
    in_seconds, in_sentinels = (_held_out_error(each) for each in (rows, divided))
    used = in_seconds is None or in_sentinels is None or in_sentinels <= in_seconds
    return (divided if used else list(rows)), used


def _held_out_error(rows: Sequence[Row]) -> float | None:
    """Root mean square error of additive laws on held-out levels; None where there is no law.

    A median would not see the few largest graphs, which are what a law is asked about.
    """
    shares: list[float] = []
    for _, cells in by_series(drawn(rows)):
        timed = answering(cells, _TIME)
        if why_not(timed, _TIME) is None:
            shares += [miss.share for miss in misses(Series(timed, _TIME), "additive", folds(timed))]
        elif (one := one_size_series(timed, _TIME)) is not None:
            shares += one_size_errors(one)
    return float(np.sqrt(np.mean(np.square(shares)))) if shares else None
