"""Laws that predict: which form was chosen from which, how far off each was, and the bytes counted beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gnn_checkpointing.analysis.results import Candidate, PredictiveLaw, Response
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import PREDICTIONS, ReportInputs
from gnn_checkpointing.report.page import Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.parts import CONVOLUTION, Columns, Part, blocks, over_levels
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted, counted_where, exponential, sourced

_text = texts("predictions")

FORMS = {
    "additive": "additive",
    "blocks": "additive, with blocks",
    "several_blocks": "additive, with several blocks",
    "largest_of_two": "larger of two",
    "largest_of_two_blocks": "larger of two, with blocks",
    "knee": "with a knee",
    "quadratic": "quadratic",
    "power": "power law",
}
RESPONSES: dict[Response, str] = {
    "activation_bytes": "Activation memory",
    "saved_activation_bytes": "Saved activations",
    "step_time_seconds": "Step time",
}
_FACTORS = {
    "constant": "",
    "nodes": "N",
    "edges": "E",
    "edges_at_once": "K",
    "nodes_with_blocks": "N₂",
    "edges_squared": "E²",
    "log_nodes": "N",
    "log_edges": "E",
}
_TERM = re.compile(r"(?<=\w) (?=\w)")
"""The blanks within a product, at which no line should break."""

_METHODS = {
    "held_out_bound": "worst error on the other levels (bound)",
    "conformal": "conformal quantile of errors on the other levels",
    "least_squares": "least squares' own prediction interval, additive law",
}
_NOTABLE = sourced(0.05, "gnn_checkpointing/report/sections/predictions.py#/_NOTABLE")
"""Below this p-value a knee is told of."""
_COVERAGE: Columns = (
    Of("Response", lambda one: RESPONSES[one.response]),
    Of("Interval", lambda one: _METHODS[one.method], content="prose"),
    Of("Held-out cells", "held_out", units.count),
    Of("Inside", "inside", units.accuracy),
    Of("Median width", "median_half_width", units.share, "±"),
    Of("Widest", "worst_half_width", units.share, "±"),
)
_COUNTED: Columns = (
    CONVOLUTION,
    Of("Policy", "policy"),
    Of("Bytes", lambda one: "peak" if one.response == "activation_bytes" else "saved"),
)
_ANALYTIC: Columns = (
    *_COUNTED,
    Of("Measured", "measured", lambda value: units.fixed(value, 1)),
    Of("Law", "law", lambda value: units.fixed(value, 1)),
    Of("Counted", lambda one: one.counted or 0, units.count),
    Of("Count", "formula", content="prose"),
)
_CLOSED_FORMS: Columns = (
    *_COUNTED,
    Of("Closed form", lambda one: _TERM.sub(units.SPACE, one.formula), content="prose"),
    Of("Cells", "cells", units.count),
    Of("Exact to the byte", "exact_cells", units.count, "cells"),
    Of("Worst error", "worst_error", units.share),
    Of("Fitted law is off by", "law_error", units.share, "at most"),
)
_KNEES: Columns = (
    CONVOLUTION,
    Of("Policy", "policy"),
    Of("From", "num_edges", units.count, "edges"),
    Of("Before", "per_edge_before", units.duration, "per edge"),
    Of("After", "per_edge_after", units.duration, "per edge"),
    Of("p", "p_value", units.probability),
)
_LAWS: Columns = (
    CONVOLUTION,
    Of("Policy", "policy"),
    Of("Form", lambda law: FORMS[law.form]),
    Of("Law", lambda law: in_words(law), content="prose"),
    Of("Interval", "half_width", units.share, "±"),
    Of("Worst residual", "worst_relative_residual", units.share),
)


def predictions_section(inputs: ReportInputs) -> Section | None:
    """Predictive laws, None where no law predicts anything."""
    found = inputs.predictions
    if not found.laws:
        return None
    parts: list[Part] = [_text("a-law-that-predicts-is", confidence=found.confidence)]
    for response in RESPONSES:
        laws = [law for law in found.laws if law.response == response]
        if laws:
            board = [one for one in found.leaderboard if one.response == response]
            caption = _text("table-predictive", response=RESPONSES[response])
            chosen = table(f"table-predictive-{_id(response)}", caption, PREDICTIONS, laws, *_LAWS)
            parts += [chosen, _leaderboard(board, response)]
    coverage = table("table-coverage", _text("table-coverage"), PREDICTIONS, found.coverage, *_COVERAGE)
    return Section("predictions", "Laws that predict", blocks(*parts, coverage, _counts(inputs), _knees(inputs)))


def _id(response: Response) -> str:
    return response.removeprefix("step_").partition("_")[0]


def _leaderboard(board: Sequence[Candidate], response: Response) -> Table:
    """Each form's score for each series; the chosen one is marked by a word, not by colour."""
    cells = {(one.convolution, one.policy, one.form): one for one in board}
    forms = dict.fromkeys(one.form for one in board)

    def score(one: Candidate) -> str:
        return units.NOTHING if one.score is None else units.share(one.score) + (" (chosen)" if one.chosen else "")

    caption = _text("every-candidate-s-score-the", response=RESPONSES[response])
    id = f"table-leaderboard-{_id(response)}"
    return over_levels(id, caption, PREDICTIONS, cells, forms, score, heading=FORMS.__getitem__, unit="")


def _counts(inputs: ReportInputs) -> list[Table]:
    """Bytes of an edge, and of a step, counted beside the measured ones."""
    analytic, closed = inputs.predictions.analytic, inputs.predictions.closed_forms
    nodes = " and ".join({one.num_nodes: units.count(one.num_nodes) for one in analytic}.values())
    counted = [one for one in analytic if one.counted is not None]
    by_edge = table("table-analytic", _text("table-analytic", nodes=nodes), PREDICTIONS, counted, *_ANALYTIC)
    by_step = table("table-closed-forms", _text("table-closed-forms"), PREDICTIONS, closed, *_CLOSED_FORMS)
    return [by_edge, by_step]


def _knees(inputs: ReportInputs) -> list[Part]:
    found = inputs.predictions.knees
    if not found:
        return []
    number = counted_where(found, ("p_value", "<", _NOTABLE))
    sentence = _text("knees", number=number, of=counted(found), notable=_NOTABLE)
    bent = [one for one in found if one.p_value < _NOTABLE]
    shown = table("table-knees", _text("table-knees"), PREDICTIONS, bent, *_KNEES)
    return [sentence, shown]


def in_words(law: PredictiveLaw) -> str:
    """The law as a formula with units, such as "larger of 1.20 KiB + 400 B·N and 96.0 B·E".

    N are nodes, E edges, K edges of the largest block, N₂ nodes where two blocks are full.
    """
    if law.form == "power":
        return _power(law)
    pieces = [_sum(law, piece) for piece in law.pieces if any(piece.values())] or ["0"]
    return pieces[0] if len(pieces) == 1 else f"larger of {pieces[0]} and {pieces[1]}"


def amount(value: float, response: Response) -> str:
    """A response's value with its unit."""
    return units.duration(value) if response == "step_time_seconds" else units.size(value)


def _sum(law: PredictiveLaw, piece: dict[str, float]) -> str:
    terms = []
    for name, value in piece.items():
        if value:
            factor = f"(E {units.MINUS} {units.count(law.knee or 0)})₊" if name == "edges_over_knee" else _FACTORS[name]
            terms.append(f"{_slope(value, law.response)}·{factor}" if factor else amount(value, law.response))
    return " + ".join(terms)


def _slope(value: float, response: Response) -> str:
    """What one node or edge costs: whole bytes, as they are counted."""
    if response == "step_time_seconds":
        return units.duration(value)
    return f"{units.significant(value, 4 if value >= 1000 else 3)}{units.SPACE}B"


def _power(law: PredictiveLaw) -> str:
    (piece,) = law.pieces
    powers = [
        f"{_FACTORS[name]}^{units.fixed(value, 3)}" for name, value in piece.items() if name != "constant" and value
    ]
    return "·".join([amount(exponential(piece["constant"]), law.response), *powers])
