"""All predictive laws of a study: their choice, bounds, scores on real graphs, and consequences."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gnn_checkpointing.analysis.fitting import WEIGHTS, answering, why_not
from gnn_checkpointing.analysis.laws import asked, selection
from gnn_checkpointing.analysis.laws.counts import analytic, closed_forms
from gnn_checkpointing.analysis.laws.fit import fit_form, knee, relative_terms
from gnn_checkpointing.analysis.laws.series import FORMS, Series
from gnn_checkpointing.analysis.results import Candidate, Knee, Predictions, PredictiveLaw, ResidentLaw, Response, Score
from gnn_checkpointing.analysis.rounding import Floats, first_least
from gnn_checkpointing.analysis.table import Protocol, Row, by_series, comparable, drawn
from gnn_checkpointing.records.measurements_table import Value

# Laws of one size need at least so many levels of edges; errors that differ by less than `_EQUAL` are equal.
_LEAST_LEVELS = 4
_EQUAL = 1e-6


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


def one_size_laws(measured: Sequence[Row]) -> tuple[list[PredictiveLaw], list[ResidentLaw]]:
    """Laws in the edges for series with one number of nodes, where no law in both can be fitted.

    They serve planning only: costs that all graphs share are charged to the nodes, and the half-width of an interval is
    the worst error on a held-out level.
    """
    laws: list[PredictiveLaw] = []
    resident: list[ResidentLaw] = []
    for (convolution, policy), cells in by_series(drawn(measured)):
        if len({(row.num_nodes, row.num_features) for row in cells}) > 1:
            continue
        every = [Series(answering(cells, response), response) for response in WEIGHTS]
        found = [_law(one) for one in every if len({row.num_edges for row in one.rows}) >= _LEAST_LEVELS]
        laws += found
        if found:
            before = np.array([float(row.resident_bytes) for row in cells])
            columns = np.column_stack([every[0].sizes.nodes, every[0].sizes.edges])
            node, edge = relative_terms(columns, before, before).tolist()
            resident.append(
                ResidentLaw(convolution=convolution, policy=policy, constant=0.0, per_node=node, per_edge=edge)
            )
    return laws, resident


def _law(series: Series) -> PredictiveLaw:
    """The law in all edges or in the edges at once, whichever has the smaller error on held-out levels."""
    sizes, values = series.sizes, series.values
    forms = {"additive": ("edges", sizes.edges)}
    if sizes.at_once is not None:
        forms["blocks"] = ("edges_at_once", sizes.at_once)
    columns = {form: np.column_stack([sizes.nodes, worked]) for form, (_, worked) in forms.items()}
    errors = {form: _worst_held_out(each, series) for form, each in columns.items()}
    form = list(forms)[first_least(list(errors.values()), nothing=_EQUAL)]
    terms = relative_terms(columns[form], values, values)
    pieces = [dict(zip(("nodes", forms[form][0]), terms.tolist(), strict=True))]
    return series.law(form, pieces, None, columns[form] @ terms, errors[form])


def _worst_held_out(columns: Floats, series: Series) -> float:
    """The worst error on a level that was left out of the fit."""
    worst, values = 0.0, series.values
    for level in np.unique(series.sizes.edges):
        out = series.sizes.edges == level
        expected = columns[out] @ relative_terms(columns[~out], values[~out], values[~out])
        worst = max(worst, float(np.abs(expected / values[out] - 1).max()))
    return worst
