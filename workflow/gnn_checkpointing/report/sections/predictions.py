"""Laws that predict: which form was chosen from which, how far off each was, and the bytes counted beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gnn_checkpointing.analysis.results import Candidate, PredictiveLaw, Response
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import PREDICTIONS, ReportInputs
from gnn_checkpointing.report.page import Section, Table
from gnn_checkpointing.report.sections.parts import Part, blocks, over_levels
from gnn_checkpointing.report.texts import Texts
from gnn_checkpointing.sourced import counted, counted_where, exponential, sourced

_text = Texts("predictions")

RESPONSES: dict[Response, str] = {
    "activation_bytes": "Activation memory",
    "saved_activation_bytes": "Saved activations",
    "step_time_seconds": "Step time",
}
_TERM = re.compile(r"(?<=\w) (?=\w)")
"""The blanks within a product, at which no line should break."""

_NOTABLE = sourced(0.05, "gnn_checkpointing/report/sections/predictions.py#/_NOTABLE")
"""Below this p-value a knee is told of."""


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
            id, name = f"table-predictive-{_id(response)}", RESPONSES[response]
            chosen = _text.table(inputs, id, PREDICTIONS, laws, response=name, form_of=_text.names("forms").get, words=in_words)
            parts += [chosen, _leaderboard(inputs, board, response)]
    coverage = _text.table(
        inputs,
        "table-coverage",
        PREDICTIONS,
        found.coverage,
        response_of=RESPONSES.get,
        method_of=_text.names("methods").get,
    )
    return Section("predictions", "Laws that predict", blocks(*parts, coverage, _counts(inputs), _knees(inputs)))


def _id(response: Response) -> str:
    return response.removeprefix("step_").partition("_")[0]


def _leaderboard(inputs: ReportInputs, board: Sequence[Candidate], response: Response) -> Table:
    """Each form's score for each series; the chosen one is marked by a word, not by colour."""
    cells = {(one.convolution, one.policy, one.form): one for one in board}
    forms = dict.fromkeys(one.form for one in board)

    def score(one: Candidate) -> str:
        return units.NOTHING if one.score is None else units.share(one.score) + (" (chosen)" if one.chosen else "")

    return over_levels(
        _text,
        inputs,
        f"table-leaderboard-{_id(response)}",
        PREDICTIONS,
        cells,
        forms,
        score,
        heading=_text.names("forms").__getitem__,
        unit="",
        response=RESPONSES[response],
    )


def _counts(inputs: ReportInputs) -> list[Table]:
    """Bytes of an edge, and of a step, counted beside the measured ones."""
    analytic, closed = inputs.predictions.analytic, inputs.predictions.closed_forms
    nodes = " and ".join({one.num_nodes: units.count(one.num_nodes) for one in analytic}.values())
    counted = [one for one in analytic if one.counted is not None]

    def bytes_of(response: Response) -> str:
        return "peak" if response == "activation_bytes" else "saved"

    def words(formula: str) -> str:
        return _TERM.sub(units.SPACE, formula)

    return [
        _text.table(inputs, "table-analytic", PREDICTIONS, counted, nodes=nodes, bytes_of=bytes_of),
        _text.table(inputs, "table-closed-forms", PREDICTIONS, closed, bytes_of=bytes_of, words=words),
    ]


def _knees(inputs: ReportInputs) -> list[Part]:
    found = inputs.predictions.knees
    if not found:
        return []
    number = counted_where(found, ("p_value", "<", _NOTABLE))
    sentence = _text("knees", number=number, of=counted(found), notable=_NOTABLE)
    bent = [one for one in found if one.p_value < _NOTABLE]
    return [sentence, _text.table(inputs, "table-knees", PREDICTIONS, bent)]


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
    terms, factors = [], _text.names("factors")
    factors["edges_over_knee"] = f"(E {units.MINUS} {units.count(law.knee or 0)})₊"
    for name, value in piece.items():
        if value:
            factor = factors.get(name)
            terms.append(f"{_slope(value, law.response)}·{factor}" if factor else amount(value, law.response))
    return " + ".join(terms)


def _slope(value: float, response: Response) -> str:
    """What one node or edge costs: whole bytes, as they are counted."""
    if response == "step_time_seconds":
        return units.duration(value)
    return f"{units.significant(value, 4 if value >= 1000 else 3)}{units.SPACE}B"


def _power(law: PredictiveLaw) -> str:
    (piece,), factors = law.pieces, _text.names("factors")
    powers = [f"{factors[name]}^{units.fixed(value, 3)}" for name, value in piece.items() if name in factors and value]
    return "·".join([amount(exponential(piece["constant"]), law.response), *powers])
