"""Laws that predict: which form was chosen from which, how far off each was, and the bytes counted beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gnn_checkpointing.analysis.results import (
    AnalyticCount,
    Candidate,
    ClosedForm,
    Coverage,
    Knee,
    PredictiveLaw,
    Response,
)
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import PREDICTIONS, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.law_words import FORMS, RESPONSES, in_words
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted, counted_where, sourced

_text = texts("predictions")

_TERM = re.compile(r"(?<=\w) (?=\w)")
"""The blanks within a product, at which no line should break."""

_METHODS = {
    "held_out_bound": "worst error on the other levels (bound)",
    "conformal": "conformal quantile of errors on the other levels",
    "least_squares": "least squares' own prediction interval, additive law",
}
_IDS: dict[Response, str] = {
    "activation_bytes": "activation",
    "saved_activation_bytes": "saved",
    "step_time_seconds": "time",
}
_NOTABLE = sourced(0.05, "gnn_checkpointing/report/sections/predictions.py#/_NOTABLE")
"""Below this p-value a knee is told of."""


def predictions_section(inputs: ReportInputs) -> Section | None:
    """Return the section on predictive laws, None where no law predicts anything."""
    found = inputs.predictions
    if not found.laws:
        return None
    blocks: list[Block] = [Paragraph(_text("a-law-that-predicts-is", confidence=found.confidence))]
    for response in RESPONSES:
        laws = [law for law in found.laws if law.response == response]
        if laws:
            blocks.append(_laws(laws, response))
            blocks.append(_leaderboard([one for one in found.leaderboard if one.response == response], response))
    blocks.append(_coverage(found.coverage))
    if found.analytic:
        blocks.append(_analytic(found.analytic))
    if found.closed_forms:
        blocks.append(_closed_forms(found.closed_forms))
    if found.knees:
        blocks += _knees(found.knees)
    return Section("predictions", "Laws that predict", tuple(blocks))


def _laws(laws: Sequence[PredictiveLaw], response: Response) -> Table:
    return table(
        f"table-predictive-{_IDS[response]}",
        f"{RESPONSES[response]}: the chosen law, and how far its intervals reach.",
        PREDICTIONS,
        laws,
        Of("Convolution", "convolution"),
        Of("Policy", "policy"),
        Of("Form", lambda law: FORMS[law.form]),
        Of("Law", lambda law: in_words(law), content="prose"),
        Of("Interval", "half_width", units.share, unit="±"),
        Of("Worst residual", "worst_relative_residual", units.share),
    )


def _leaderboard(board: Sequence[Candidate], response: Response) -> Table:
    """Return each form's score for each series; the chosen one is marked by a word, not by colour."""
    forms = list(dict.fromkeys(one.form for one in board))
    series = list(dict.fromkeys((one.convolution, one.policy) for one in board))
    scores = {(one.convolution, one.policy, one.form): one for one in board}
    return Table(
        id=f"table-leaderboard-{_IDS[response]}",
        caption=_text("every-candidate-s-score-the", response=RESPONSES[response]),
        columns=(Column("Convolution"), Column("Policy"), *(Column(FORMS[form], "", "number") for form in forms)),
        rows=tuple((pair[0], pair[1], *(_score(scores.get((*pair, form))) for form in forms)) for pair in series),
        source=PREDICTIONS,
    )


def _score(one: Candidate | None) -> str:
    if one is None or one.score is None:
        return units.NOTHING
    return units.share(one.score) + (" (chosen)" if one.chosen else "")


def _coverage(found: Iterable[Coverage]) -> Table:
    return table(
        "table-coverage",
        _text("table-coverage"),
        PREDICTIONS,
        found,
        Of("Response", lambda one: RESPONSES[one.response]),
        Of("Interval", lambda one: _METHODS[one.method], content="prose"),
        Of("Held-out cells", "held_out", units.count),
        Of("Inside", "inside", units.accuracy),
        Of("Median width", "median_half_width", units.share, unit="±"),
        Of("Widest", "worst_half_width", units.share, unit="±"),
    )


def _analytic(found: Sequence[AnalyticCount]) -> Table:
    counted = [one for one in found if one.counted is not None]
    nodes = " and ".join({one.num_nodes: units.count(one.num_nodes) for one in found}.values())
    return table(
        "table-analytic",
        _text("table-analytic", nodes=nodes),
        PREDICTIONS,
        counted,
        Of("Convolution", "convolution"),
        Of("Policy", "policy"),
        Of("Bytes", lambda one: "peak" if one.response == "activation_bytes" else "saved"),
        Of("Measured", "measured", lambda value: units.fixed(value, 1)),
        Of("Law", "law", lambda value: units.fixed(value, 1)),
        Of("Counted", lambda one: units.count(one.counted or 0), content="number"),
        Of("Count", lambda one: one.formula, content="prose"),
    )


def _closed_forms(found: Sequence[ClosedForm]) -> Table:
    return table(
        "table-closed-forms",
        _text("table-closed-forms"),
        PREDICTIONS,
        found,
        Of("Convolution", "convolution"),
        Of("Policy", "policy"),
        Of("Bytes", lambda one: "peak" if one.response == "activation_bytes" else "saved"),
        Of("Closed form", lambda one: _TERM.sub(units.SPACE, one.formula), content="prose"),
        Of("Cells", "cells", units.count),
        Of("Exact to the byte", "exact_cells", units.count, "cells"),
        Of("Worst error", "worst_error", units.share),
        Of("Fitted law is off by", "law_error", units.share, "at most"),
    )


def _knees(found: list[Knee]) -> list[Block]:
    bent = [one for one in found if one.p_value < _NOTABLE]
    number = counted_where(found, ("p_value", "<", _NOTABLE))
    sentence = (
        "A breakpoint was looked for in every law of time (largest F over places between the sparsest and the densest "
        f"graphs, wild bootstrap): {units.count(number)} of {units.count(counted(found))} laws have one at p < "
        f"{units.plain(_NOTABLE)}, where chance alone gives {units.plain(_NOTABLE * counted(found))}."
    )
    if not bent:
        return [Paragraph(sentence)]
    return [
        Paragraph(sentence),
        table(
            "table-knees",
            "Where the time of one more edge changes.",
            PREDICTIONS,
            bent,
            Of("Convolution", "convolution"),
            Of("Policy", "policy"),
            Of("From", "num_edges", units.count, unit="edges"),
            Of("Before", "per_edge_before", units.duration, unit="per edge"),
            Of("After", "per_edge_after", units.duration, unit="per edge"),
            Of("p", "p_value", units.probability),
        ),
    ]
