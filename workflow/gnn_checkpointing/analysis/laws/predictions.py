"""All predictive laws of a study: chosen, bounded, scored on real graphs, and asked what they imply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gnn_checkpointing.analysis.laws.bounds import Held, coverage, half_width, held, held_by_least_squares, misses
from gnn_checkpointing.analysis.laws.capacity import capacities, resident_terms
from gnn_checkpointing.analysis.laws.censoring import censored
from gnn_checkpointing.analysis.laws.closed_forms import closed_forms
from gnn_checkpointing.analysis.laws.fit import FittedForm, fit_form, knee
from gnn_checkpointing.analysis.laws.one_size import one_size_laws
from gnn_checkpointing.analysis.laws.scorecard import scores, summaries
from gnn_checkpointing.analysis.laws.selection import Fold, best, candidates, folds, trials
from gnn_checkpointing.analysis.laws.series import FORMS, Series, residuals, series_of
from gnn_checkpointing.analysis.laws.tensor_counts import analytic
from gnn_checkpointing.analysis.protocol import Protocol
from gnn_checkpointing.analysis.results import (
    AnalyticCount,
    Candidate,
    Coverage,
    Knee,
    Predictions,
    PredictiveLaw,
    ResidentLaw,
    Response,
    Score,
)
from gnn_checkpointing.analysis.support import answering, why_no_response, why_not
from gnn_checkpointing.analysis.table import Row, comparable, grouped
from gnn_checkpointing.records.measurements_table import Value

RESPONSES: tuple[Response, ...] = ("activation_bytes", "saved_activation_bytes", "step_time_seconds")


@dataclass
class _Found:
    """What has been found so far, law by law."""

    laws: list[tuple[PredictiveLaw, FittedForm, Series]] = field(default_factory=list)
    leaderboard: list[Candidate] = field(default_factory=list)
    held: dict[tuple[Response, str], list[Held]] = field(default_factory=dict)
    knees: list[Knee] = field(default_factory=list)
    analytic: list[AnalyticCount] = field(default_factory=list)
    scorecard: list[Score] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def predictions(
    rows: Sequence[Mapping[str, Value]],
    measured: Sequence[Row],
    protocol: Protocol,
    generator: np.random.Generator,
) -> Predictions:
    """The laws of the `measured` rows and all that follows; `rows` also have what did not run to its end."""
    found = _Found()
    real = [row for row in comparable(measured) if row.is_real]
    for series, levels in _all_series(measured, found.missing):
        _add_law(found, series, levels, real, protocol, generator)
    ours = [row for row in rows if row["allocator"] == protocol.reference_allocator]
    fits = {(law.convolution, law.policy, law.response): fit for law, fit, _ in found.laws}
    resident = {(series.convolution, series.policy): resident_terms(series.rows) for _, _, series in found.laws}
    along_edges, along_edges_resident = one_size_laws(measured)
    features = found.laws[0][0].num_features if found.laws else None
    return Predictions(
        confidence=protocol.confidence,
        candidates={"memory": list(protocol.memory_forms), "time": list(protocol.time_forms)},
        laws=[law for law, _, _ in found.laws],
        resident=[_resident(*named, terms.tolist()) for named, terms in resident.items()],
        one_size=along_edges,
        one_size_resident=along_edges_resident,
        leaderboard=found.leaderboard,
        coverage=list(_coverages(found)),
        knees=found.knees,
        analytic=found.analytic,
        closed_forms=closed_forms(measured, [law for law, _, _ in found.laws]),
        scorecard=found.scorecard,
        summaries=summaries(found.scorecard),
        censored=censored(ours, fits, resident, features, protocol.timeout_seconds),
        capacities=capacities(found.laws, protocol.capacity_gib),
        not_fitted=found.missing,
    )


def _all_series(measured: Sequence[Row], missing: list[str]) -> Iterator[tuple[Series, list[Fold]]]:
    """Yield every series that can carry a law, with what is held out of it; of the others, say why not."""
    drawn = [row for row in comparable(measured) if row.is_drawn]
    if not drawn:
        missing.append("No law predicts anything: no comparable cell of a generated graph was measured.")
    for (convolution, policy), cells in grouped(drawn, lambda row: (row.convolution, row.policy)):
        levels = folds(cells)
        for response in RESPONSES:
            answers = answering(cells, response)
            reason = why_not(answers) or why_no_response(answers, response)
            if reason is not None:
                missing.append(f"{convolution}, {policy}: no law predicts {response}: {reason}.")
                continue
            yield series_of(answers, response), levels if len(answers) == len(cells) else folds(answers)


def _add_law(
    found: _Found,
    series: Series,
    levels: Sequence[Fold],
    real: Sequence[Row],
    protocol: Protocol,
    generator: np.random.Generator,
) -> None:
    """Choose the law of one series, bound it on held-out `levels`, and ask it for the real graphs."""
    in_time = series.response == "step_time_seconds"
    tried = trials(series, protocol.time_forms if in_time else protocol.memory_forms, levels)
    found.leaderboard += candidates(series, tried)
    if in_time and (bend := knee(series, protocol.resamples, generator)) is not None:
        found.knees.append(bend)
    form = best(tried)
    missed = [] if form is None else misses(series, form, levels)
    reach = half_width(missed, series.response, protocol.confidence)
    if form is None or reach is None:
        found.missing.append(f"{series.name}: no law predicts {series.response}: {tried[0].reason}.")
        return
    _remember(
        found, series, "conformal" if in_time else "held_out_bound", held(missed, series.response, protocol.confidence)
    )
    if series.response != "saved_activation_bytes":
        _remember(found, series, "least_squares", held_by_least_squares(series, levels, protocol.confidence))
    fit = fit_form(form, series.sizes, series.values)
    law = _law(series, fit, reach)
    found.laws.append((law, fit, series))
    if not in_time and (count := analytic(series, fit)) is not None:
        found.analytic.append(count)
    scored, unscored = scores(law, fit, real)
    found.scorecard += scored
    found.missing += unscored


def _remember(found: _Found, series: Series, method: str, results: list[Held]) -> None:
    found.held.setdefault((series.response, method), []).extend(results)


def _coverages(found: _Found) -> Iterator[Coverage]:
    for (response, method), results in found.held.items():
        if (one := coverage(response, method, results)) is not None:
            yield one


def _resident(convolution: str, policy: str, terms: list[float]) -> ResidentLaw:
    constant, per_node, per_edge = terms
    return ResidentLaw(convolution=convolution, policy=policy, constant=constant, per_node=per_node, per_edge=per_edge)


def _law(series: Series, fit: FittedForm, reach: float) -> PredictiveLaw:
    values = fit.at(series.sizes)
    relative = (series.values - values) / values
    columns = FORMS[fit.form].columns
    edges, nodes = series.sizes.edges, series.sizes.nodes
    return PredictiveLaw(
        convolution=series.convolution,
        policy=series.policy,
        response=series.response,
        form=fit.form,
        pieces=[dict(zip(columns, piece.tolist(), strict=True)) for piece in fit.pieces],
        knee=fit.knee,
        cells=len(series.rows),
        num_nodes=(int(nodes.min()), int(nodes.max())),
        num_edges=(int(edges.min()), int(edges.max())),
        num_features=series.rows[0].num_features,
        half_width=reach,
        held_out_error=None if series.response == "step_time_seconds" else reach,
        median_relative_residual=float(np.median(np.abs(relative))),
        worst_relative_residual=float(np.abs(relative).max()),
        residuals=residuals(series.rows, series.values, values, relative),
    )
