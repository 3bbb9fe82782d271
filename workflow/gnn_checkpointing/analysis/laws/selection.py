"""Which form a law takes: the one that best predicts whole levels of density and size that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gnn_checkpointing.analysis.laws.fit import fit_form, why_not_form
from gnn_checkpointing.analysis.laws.series import Series
from gnn_checkpointing.analysis.results import Candidate, HeldOutError
from gnn_checkpointing.analysis.support import Floats, graphs_of, why_not_on
from gnn_checkpointing.analysis.table import Row
from gnn_checkpointing.analysis.tolerance import first_least

# Scores that differ by less are equal, and the form that the study lists first is taken.
_EQUAL = 1e-6


@dataclass(frozen=True)
class Trial:
    """One form on one series; `score` is None where it could not be tried, and `reason` says why."""

    form: str
    errors: tuple[HeldOutError, ...]
    score: float | None
    reason: str


def trials(series: Series, forms: Sequence[str], found: Sequence[Fold]) -> list[Trial]:
    """Every form's errors on the levels that decide."""
    chosen = deciding(found, series.rows)
    return [_trial(series, form, chosen) for form in forms]


def best(tried: Sequence[Trial]) -> str | None:
    """The form with the lowest score, of equals the first; None where none could be tried."""
    scored = [(trial.score, trial.form) for trial in tried if trial.score is not None]
    return scored[first_least([score for score, _ in scored], nothing=_EQUAL)][1] if scored else None


def candidates(series: Series, tried: Sequence[Trial]) -> list[Candidate]:
    """The whole leaderboard, losers included."""
    chosen = best(tried)
    return [
        Candidate(
            convolution=series.convolution,
            policy=series.policy,
            response=series.response,
            form=trial.form,
            chosen=trial.form == chosen,
            score=trial.score,
            errors=list(trial.errors),
            reason=trial.reason,
        )
        for trial in tried
    ]


def _trial(series: Series, form: str, chosen: Sequence[Fold]) -> Trial:
    if not chosen:
        return Trial(form, (), None, "neither the densest level nor the largest graphs can be held out")
    for fold in chosen:
        reason = why_not_form(form, series.only(fold.kept).sizes)
        if reason is not None:
            return Trial(form, (), None, reason)
    errors = tuple(_error(series, form, fold) for fold in chosen)
    return Trial(form, errors, max(error.median_relative_error for error in errors), "")


def _error(series: Series, form: str, fold: Fold) -> HeldOutError:
    kept, held = series.only(fold.kept), series.only(fold.held)
    values = fit_form(form, kept.sizes, kept.values).at(held.sizes)
    relative = np.abs(values - held.values) / held.values
    return HeldOutError(
        place="densest" if fold.factor == "density" else "largest",
        level=fold.level,
        cells=len(fold.held),
        median_relative_error=float(np.median(relative)),
        worst_relative_error=float(relative.max()),
    )


Factor = Literal["density", "nodes"]


@dataclass(frozen=True)
class Fold:
    """A level that is held out: positions of the rows that are kept and of those that are not."""

    factor: Factor
    level: float
    kept: list[int]
    held: list[int]


def folds(rows: Sequence[Row]) -> list[Fold]:
    """A fold for each level of density and each number of nodes, where the others still carry a law.

    A level goes as a whole: replicates of one size and density hold the same number of edges, and a law that has seen
    one of them has seen the other.
    """
    graphs = graphs_of(rows)
    levels: dict[Factor, Floats] = {"density": graphs.levels, "nodes": graphs.nodes.astype(np.float64)}
    found = []
    for factor, values in levels.items():
        for level in np.unique(values):
            held = values == level
            if why_not_on(graphs.only(~held)) is None:
                fold = Fold(factor, float(level), np.flatnonzero(~held).tolist(), np.flatnonzero(held).tolist())
                found.append(fold)
    return found


def deciding(found: Sequence[Fold], rows: Sequence[Row]) -> list[Fold]:
    """The folds that choose among candidates: the densest level and the largest number of nodes."""
    densest = max((float(row.requested_average_degree or 0.0) for row in rows), default=0.0)
    largest = max((float(row.num_nodes) for row in rows), default=0.0)
    wanted = {("density", densest), ("nodes", largest)}
    return [fold for fold in found if (fold.factor, fold.level) in wanted]
