"""Laws that predict: which form was chosen, how far off each was on graphs that it never saw, and what fits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import median

from gnn_checkpointing.analysis.results import Candidate, Capacity, Censored, PredictiveLaw, Response, Score
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.inputs import PREDICTIONS, ReportInputs
from gnn_checkpointing.report.page import Figure, Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.report.sections.parts import grouped, over_levels, pair_of, scatter
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


DRAWN: dict[str, Response] = {"memory": "activation_bytes", "time": "step_time_seconds"}


def graph_table(inputs: ReportInputs) -> Table:
    """Median and worst error of each graph, over convolutions and policies."""
    scores = inputs.predictions.scorecard
    own = grouped(scores, lambda score: (score.label, score.response))
    graphs = dict.fromkeys((score.label, score.num_nodes, score.num_edges) for score in scores)

    def errors(response: Response) -> Iterator[Of[tuple[str, int, int]]]:
        def middle(graph: tuple[str, int, int]) -> float | None:
            found = own.get((graph[0], response))
            return median(map(_size, found)) if found else None

        def worst(graph: tuple[str, int, int]) -> str:
            found = max(own.get((graph[0], response), []), key=_size, default=None)
            sign = "+" if found and found.error > 0 else ""
            return f"{sign}{units.percent(found.error)} ({found.convolution}, {found.policy})" if found else ""

        name = "Memory" if response == "activation_bytes" else "Time"
        yield Of(f"{name}, median", middle, units.percent)
        yield Of(f"{name}, worst", worst, content="prose")

    columns = (column for response in DRAWN.values() for column in errors(response))
    by_edges = sorted(graphs, key=lambda graph: graph[2])
    return _text.table(inputs, "table-scorecard-graphs", PREDICTIONS, by_edges, *columns)


def _size(score: Score) -> float:
    return abs(score.error)


def errors_figure(inputs: ReportInputs, name: str) -> Figure | None:
    """The errors of one response over the graphs' edges; None where none was predicted."""
    chosen = [score for score in inputs.predictions.scorecard if score.response == DRAWN[name]]
    if not chosen:
        return None
    own = grouped(chosen, pair_of)
    shown = {
        convolution: [
            Line(policy, tuple(Point.of(s.num_edges, s.error, f"{convolution} on {s.label}") for s in found))
            for policy in inputs.policies
            if (found := own.get((convolution, policy)))
        ]
        for convolution in inputs.convolutions
    }
    response = RESPONSES[DRAWN[name]]

    def told(convolution: str) -> str:
        policies = grouped((one for one in chosen if one.convolution == convolution), lambda one: one.policy)
        found = [(policy, median(map(_size, scores)), max(scores, key=_size)) for policy, scores in policies.items()]
        return _text("errors", response=response, convolution=convolution, found=found)

    x = scales.count_scale([score.num_edges for score in chosen], "edges of the real graph")
    y = scales.share_scale([score.error for score in chosen], "error (% of measured)")
    return scatter(_text, inputs, f"figure-scorecard-{name}", PREDICTIONS, shown, (x, y), told, response=response)


def answer_of(one: Censored) -> str:
    """Whether the law foresaw it."""
    return one.reason if one.foreseen is None else "yes" if one.foreseen else "no"


def capacities(inputs: ReportInputs) -> Table:
    """The densest graph that fits into each memory."""
    found = inputs.predictions.capacities
    places = {(one.convolution, one.policy, one.memory_bytes): one for one in found}

    def of(limit: float) -> Iterator[Of[tuple[str, str]]]:
        yield Of(f"Degree in {units.size(limit)}", lambda pair: degree(places[*pair, limit]), content="number")
        yield Of("Gain", lambda pair: places[*pair, limit].gain, units.plain, "/ none")

    def degree(one: Capacity) -> str:
        return _text("capacity", one=one, degree=one.average_degree, interval=units.interval)

    limits = dict.fromkeys(one.memory_bytes for one in found)
    columns = (column for limit in limits for column in of(limit))
    nodes = " and ".join({one.num_nodes: units.count(one.num_nodes) for one in found}.values())
    pairs = dict.fromkeys(map(pair_of, found))
    return _text.table(inputs, "table-capacity", PREDICTIONS, pairs, *columns, nodes=nodes)
