"""Which graph moves a law most?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gnn_checkpointing.analysis.fitting import WEIGHTS, Fit, fitted, is_nothing
from gnn_checkpointing.analysis.regression import RESPONSES
from gnn_checkpointing.analysis.results import Influence, Response
from gnn_checkpointing.analysis.support import COLUMNS, answering, design, observed, why_no_response, why_not
from gnn_checkpointing.analysis.table import Row, grouped
from gnn_checkpointing.analysis.tolerance import first_greatest, least_squares

Floats = NDArray[np.float64]
EDGES = COLUMNS.index("edges")


def influence(rows: Sequence[Row], confidence: float) -> tuple[list[Influence], list[str]]:
    """The most influential graph of each law of peak and time, and which laws have none and why."""
    found: list[Influence] = []
    missing: list[str] = []
    for (convolution, policy), cells in grouped(rows, lambda row: (row.convolution, row.policy)):
        for response in RESPONSES:
            answers = answering(cells, response)
            reason = why_not(answers) or why_no_response(answers, response)
            answer = reason or _influence(answers, response, confidence)
            if isinstance(answer, str):
                missing.append(f"{convolution}, {policy}: no graph's influence on {response} is told: {answer}.")
            else:
                found.append(answer)
    return found, missing


def _influence(cells: Sequence[Row], response: Response, confidence: float) -> Influence | str:
    fit = fitted(design(cells), observed(cells, response), WEIGHTS[response], confidence)
    if is_nothing(fit, EDGES):
        return "the law does not grow with the edges, so nothing is a share of its slope"
    graphs = [row.graph for row in cells]
    names = list(dict.fromkeys(graphs))
    moves = _moves(fit, graphs, names)
    shares = moves[:, EDGES] / abs(fit.result.params[EDGES])
    worst = first_greatest(np.abs(shares))
    return Influence(
        convolution=cells[0].convolution,
        policy=cells[0].policy,
        response=response,
        graph="" if fit.exact else names[worst],
        shift_per_edge=0.0 if fit.exact else float(shares[worst]),
        cooks_distance=0.0 if fit.exact else _cooks_distance(fit, moves[worst]),
    )


def _moves(fit: Fit, graphs: Sequence[str], names: Sequence[str]) -> Floats:
    """By how much the scaled coefficients move without each named graph ([num_names, num_columns]).

    Weights stay those of the whole fit: it is the same law that is asked.
    """
    columns, target = fit.result.model.wexog, fit.result.model.wendog
    kept = [np.array(graphs) != name for name in names]
    moves: Floats = np.array([least_squares(columns[own], target[own]) for own in kept]) - fit.result.params
    return moves


def _cooks_distance(fit: Fit, move: Floats) -> float:
    """How far all fitted values move, in units of the residual variance: Cook (1977), Technometrics 19:1."""
    columns = fit.result.model.wexog
    return float(((columns @ move) ** 2).sum() / (len(move) * fit.result.mse_resid))
