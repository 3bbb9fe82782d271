"""All predictive laws of a study: their choice, bounds, scores on real graphs, and consequences."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gnn_checkpointing.analysis.fitting import WEIGHTS, answering, why_not
from gnn_checkpointing.analysis.laws import asked, selection
from gnn_checkpointing.analysis.laws.counts import analytic, closed_forms
from gnn_checkpointing.analysis.laws.fit import fit_form, knee
from gnn_checkpointing.analysis.laws.one_size import one_size_laws
from gnn_checkpointing.analysis.laws.series import FORMS, Series
from gnn_checkpointing.analysis.results import Candidate, Knee, Predictions, Response, Score
from gnn_checkpointing.analysis.table import Protocol, Row, by_series, comparable, drawn
from gnn_checkpointing.records.measurements_table import Value


def predictions(
    rows: Sequence[Mapping[str, Value]], measured: Sequence[Row], protocol: Protocol, generator: np.random.Generator
) -> Predictions:
    """Laws of the `measured` rows and all their consequences; `rows` also include policies that did not complete."""
    laws: list[asked.FittedLaw] = []
    leaderboard: list[Candidate] = []
    knees: list[Knee] = []
    missing: list[str] = []
    tried: dict[tuple[Response, str], list[selection.Held]] = defaultdict(list)
    scorecard: list[Score] = []
    real = [row for row in comparable(measured) if row.is_real]
    for series, levels in _all_series(measured, missing):
        in_time, confidence = series.response == "step_time_seconds", protocol.confidence
        board = selection.candidates(series, protocol.time_forms if in_time else protocol.memory_forms, levels)
        leaderboard += board
        if in_time and (bend := knee(series, protocol.resamples, generator)) is not None:
            knees.append(bend)
        form = next((one.form for one in board if one.chosen), None)
        missed = [] if form is None else selection.misses(series, form, levels)
        reach = selection.half_width(missed, series.response, confidence)
        if form is None or reach is None:
            missing.append(f"{series.name}: no law predicts {series.response}: {board[0].reason}.")
            continue
        method = "conformal" if in_time else "held_out_bound"
        tried[series.response, method] += selection.held(missed, series.response, confidence)
        if series.response != "saved_activation_bytes":
            tried[series.response, "least_squares"] += selection.held_by_least_squares(
                series, levels, protocol.confidence
            )
        fit = fit_form(form, series.sizes, series.values)
        pieces = [dict(zip(FORMS[form].columns, piece.tolist(), strict=True)) for piece in fit.pieces]
        laws.append(asked.FittedLaw(series.law(form, pieces, fit.knee, fit.at(series.sizes), reach), fit, series))
        scored, unscored = asked.scores(laws[-1], real)
        scorecard += scored
        missing += unscored
    laws = [law.reaching(asked.worst_miss(scorecard, law.law.response)) for law in laws]
    scorecard = asked.bounded(scorecard)
    ours = [row for row in rows if row["allocator"] == protocol.reference_allocator]
    along_edges, along_edges_resident = one_size_laws(measured)
    coverages = (selection.coverage(*key, results) for key, results in tried.items())
    counts = (analytic(law.series, law.fit) for law in laws if law.law.response != "step_time_seconds")
    return Predictions(
        confidence=protocol.confidence,
        candidates={"memory": list(protocol.memory_forms), "time": list(protocol.time_forms)},
        laws=[law.law for law in laws],
        resident=list({law.series.key[:2]: law.resident for law in laws}.values()),
        one_size=along_edges,
        one_size_resident=along_edges_resident,
        leaderboard=leaderboard,
        coverage=[one for one in coverages if one is not None],
        knees=knees,
        analytic=[one for one in counts if one is not None],
        closed_forms=closed_forms(measured, [law.law for law in laws]),
        scorecard=scorecard,
        summaries=asked.summaries(scorecard),
        censored=asked.censored(ours, laws, protocol.timeout_seconds),
        capacities=asked.capacities(laws, protocol.capacity_gib),
        not_fitted=missing,
    )


def _all_series(measured: Sequence[Row], missing: list[str]) -> Iterator[tuple[Series, list[selection.Fold]]]:
    """Yield every series that suffices for a law, with its folds; `missing` gets the reasons of the others."""
    rows = drawn(measured)
    if not rows:
        missing.append("No law predicts anything: no comparable cell of a generated graph was measured.")
    for (convolution, policy), cells in by_series(rows):
        levels = selection.folds(cells)
        for response in WEIGHTS:
            having = answering(cells, response)
            if reason := why_not(having, response):
                missing.append(f"{convolution}, {policy}: no law predicts {response}: {reason}.")
                continue
            yield Series(having, response), levels if len(having) == len(cells) else selection.folds(having)
