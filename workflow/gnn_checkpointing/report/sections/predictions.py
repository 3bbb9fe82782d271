"""Laws that predict: which form was chosen from which, how far off each was, and the bytes counted beside it."""

from __future__ import annotations

import re

from gnn_checkpointing.analysis.results import Candidate, PredictiveLaw, Response
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.inputs import PREDICTIONS, ReportInputs
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.sections.parts import over_levels
from gnn_checkpointing.sourced import exponential, sourced

_text = Texts("predictions")

RESPONSES: dict[Response, str] = {
    "activation_bytes": "Activation memory",
    "saved_activation_bytes": "Saved activations",
    "step_time_seconds": "Step time",
}
_TERM = re.compile(r"(?<=\w) (?=\w)")
NOTABLE = sourced(0.05, "gnn_checkpointing/report/sections/predictions.py#/NOTABLE")
"""Below this p-value a knee is told of."""


def short(response: Response) -> str:
    """A response as a part of an address."""
    return response.removeprefix("step_").partition("_")[0]


def unbroken(formula: str) -> str:
    """The formula without blanks within a product, at which no line should break."""
    return _TERM.sub(units.SPACE, formula)


def leaderboard(inputs: ReportInputs, response: Response) -> Table:
    """Each form's score for each series; the chosen one is marked by a word, not by colour."""
    board = [one for one in inputs.predictions.leaderboard if one.response == response]
    cells = {(one.convolution, one.policy, one.form): one for one in board}
    forms, names = dict.fromkeys(one.form for one in board), _text.names("forms")

    def score(one: Candidate) -> str:
        return units.NOTHING if one.score is None else units.share(one.score) + (" (chosen)" if one.chosen else "")

    return over_levels(
        _text,
        inputs,
        f"table-leaderboard-{short(response)}",
        PREDICTIONS,
        cells,
        forms,
        score,
        heading=names.__getitem__,
        unit="",
        response=RESPONSES[response],
    )


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
