"""Laws: regressions and their residuals; predictive laws, their errors on unseen graphs, and which graphs fit."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from gnn_checkpointing.analysis.results import Censored, Interaction, Law, PredictiveLaw, Response, Score
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.inputs import PREDICTIONS, REGRESSIONS, ReportInputs
from gnn_checkpointing.report.page import Figure, Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.report.sections.parts import over_levels, pair_of, points, scatter
from gnn_checkpointing.sourced import exponential, sourced

_text = Texts("predictions")

RESPONSES: dict[Response, str] = {
    "activation_bytes": "Activation memory",
    "saved_activation_bytes": "Saved activations",
    "step_time_seconds": "Step time",
}
_TERM = re.compile(r"(?<=\w) (?=\w)")
NOTABLE = sourced(0.05, "gnn_checkpointing/report/sections/predictions.py#/NOTABLE")
"""A knee is reported if its p-value is below this."""


def short(response: Response) -> str:
    """Short name of a response, for ids."""
    return response.removeprefix("step_").partition("_")[0]


def unbroken(formula: str) -> str:
    """The formula with non-breaking spaces within products, so that no line breaks there."""
    return _TERM.sub(units.SPACE, formula)


def leaderboard(inputs: ReportInputs, response: Response) -> Table:
    """Table of each form's score for each series; a word, not a colour, marks the chosen form."""
    board = [one for one in inputs.predictions.leaderboard if one.response == response]
    cells = {(one.convolution, one.policy, one.form): one for one in board}
    forms, words = dict.fromkeys(one.form for one in board), partial(_text, "score")
    id, heading = f"table-leaderboard-{short(response)}", _text.names("forms").__getitem__
    known: dict[str, Any] = {"heading": heading, "unit": "", "response": RESPONSES[response]}
    return over_levels(_text, inputs, id, PREDICTIONS, cells, forms, lambda one: words(one=one), **known)


def in_words(law: PredictiveLaw) -> str:
    """The law as a formula with units, such as "larger of 1.20 KiB + 400 B·N and 96.0 B·E".

    N are nodes, E edges, K the edges of the largest block; N₂ are the nodes where a layer fills two blocks or more.
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
    """Cost of one node or edge, with its unit; from 1000 bytes on with four digits."""
    if response == "step_time_seconds":
        return units.duration(value)
    return f"{units.significant(value, 4 if value >= 1000 else 3)}{units.SPACE}B"


def _power(law: PredictiveLaw) -> str:
    (piece,), factors = law.pieces, _text.names("factors")
    powers = [f"{factors[name]}^{units.fixed(value, 3)}" for name, value in piece.items() if name in factors and value]
    return "·".join([amount(exponential(piece["constant"]), law.response), *powers])


DRAWN: dict[str, Response] = {"memory": "activation_bytes", "time": "step_time_seconds"}


def graph_table(inputs: ReportInputs) -> Table:
    """Table of the median and worst error on each graph, over convolutions and policies."""
    scores = inputs.predictions.scorecard
    own = grouped(scores, lambda score: (score.label, score.response))
    graphs = dict.fromkeys((score.label, score.num_nodes, score.num_edges) for score in scores)

    def of(response: Response) -> Callable[[tuple[str, int, int]], list[Score] | None]:
        return lambda graph: own.get((graph[0], response))

    by_edges = sorted(graphs, key=lambda graph: graph[2])
    known: dict[str, Any] = {name: of(response) for name, response in DRAWN.items()}
    return _text.table(inputs, "table-scorecard-graphs", PREDICTIONS, by_edges, **known)


def middle(scores: Sequence[Score]) -> float:
    """Median absolute error of some predictions."""
    return median(map(_size, scores))


def worst(scores: Sequence[Score]) -> str:
    """The largest error of some predictions, with its convolution and policy."""
    found = max(scores, key=_size)
    return f"{'+' if found.error > 0 else ''}{units.percent(found.error)} ({found.convolution}, {found.policy})"


def _size(score: Score) -> float:
    return abs(score.error)


def errors_figure(inputs: ReportInputs, name: str) -> Figure | None:
    """Errors of one response over the graphs' edges; None without predictions."""
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
        found = [(policy, middle(scores), max(scores, key=_size)) for policy, scores in policies.items()]
        return _text("errors", response=response, convolution=convolution, found=found)

    x = scales.count_scale([score.num_edges for score in chosen], "edges of the real graph")
    y = scales.share_scale([score.error for score in chosen], "error (% of measured)")
    return scatter(_text, inputs, f"figure-scorecard-{name}", PREDICTIONS, shown, (x, y), told, response=response)


def answer_of(one: Censored) -> str:
    """Whether the law foresaw the outcome ("yes" or "no"), or the reason why that is unknown."""
    return one.reason if one.foreseen is None else "yes" if one.foreseen else "no"


def capacities(inputs: ReportInputs) -> Table:
    """Table of the densest graph that fits into each memory."""
    found = inputs.predictions.capacities
    places = {(one.convolution, one.policy, one.memory_bytes): one for one in found}

    def of(limit: float) -> Iterator[Of[tuple[str, str]]]:
        yield Of(f"Degree in {units.size(limit)}", lambda pair: degree(one=places[*pair, limit]), content="number")
        yield Of("Gain", lambda pair: places[*pair, limit].gain, units.plain, "/ none")

    degree = partial(_text, "capacity", interval=units.interval)
    limits = dict.fromkeys(one.memory_bytes for one in found)
    columns = (column for limit in limits for column in of(limit))
    nodes = " and ".join({one.num_nodes: units.count(one.num_nodes) for one in found}.values())
    pairs = dict.fromkeys(map(pair_of, found))
    return _text.table(inputs, "table-capacity", PREDICTIONS, pairs, *columns, nodes=nodes)


@dataclass(frozen=True)
class Reading:
    """How to print a response and its laws' coefficients: each coefficient has a unit's factor and name."""

    response: Response
    id: str
    noun: str
    constant: tuple[float, str]
    slope: tuple[float, str]


_BYTES, _SECONDS = ((units.KIB, "KiB"), (1.0, "bytes")), ((units.MILLISECOND, "ms"), (units.NANOSECOND, "ns"))
READINGS = [
    Reading(response, short(response), noun, *(_SECONDS if response == "step_time_seconds" else _BYTES))
    for response, noun in RESPONSES.items()
]


def law_table(inputs: ReportInputs, name: str, items: Sequence[Law | Interaction], reading: Reading) -> Table:
    """Table of the laws of a response, or of their differences."""
    factors = {"in_constant": reading.constant[0], "in_slope": reading.slope[0]}
    words = {key: partial(units.scaled_estimate, factor=factor) for key, factor in factors.items()}
    known: dict[str, Any] = {"reading": reading, "level": inputs.regressions.confidence, **words}
    return _text.table(inputs, f"{name}-{reading.id}", REGRESSIONS, items, **known)


def residuals_figure(inputs: ReportInputs, laws: Sequence[Law], reading: Reading) -> Figure:
    """Relative residual of each cell, a panel for each convolution."""
    own = {name: [law for law in laws if law.convolution == name] for name in inputs.convolutions}
    shown = {
        convolution: [
            Line(law.policy, tuple(Point.of(r.num_edges, r.relative) for r in law.residuals))
            for law in fitted
            if law.residuals
        ]
        for convolution, fitted in own.items()
    }
    every = points(shown.values())
    x = scales.count_scale([point.x for point in every] or [1.0], "edges")
    y = scales.share_scale([point.y for point in every] or [0.0], "residual (% of fitted)")

    def told(name: str) -> str:
        return _text("residuals", reading=reading, laws=own[name], level=inputs.regressions.confidence)

    return scatter(_text, inputs, f"figure-residuals-{reading.id}", REGRESSIONS, shown, (x, y), told, reading=reading)


def quantiles_figure(inputs: ReportInputs, laws: Sequence[Law], reading: Reading) -> Figure | None:
    """Q-Q plots of the laws whose residuals are more than rounding; None if there are none."""
    shown = {
        convolution: [line for law in laws if law.convolution == convolution and (line := _against_normal(law)).points]
        for convolution in inputs.convolutions
    }
    every = points(shown.values())
    if not every:
        return None
    x = scales.deviation_scale([point.x for point in every], "normal quantile")
    y = scales.deviation_scale([point.y for point in every], "residual (standard deviations)")

    def told(name: str) -> str:
        furthest = [(line.policy, max(line.points, key=lambda each: abs(each.y - each.x))) for line in shown[name]]
        return _text("quantiles", convolution=name, noun=reading.noun, furthest=furthest)

    known: dict[str, Any] = {"diagonal": True, "reading": reading}
    return scatter(_text, inputs, f"figure-quantiles-{reading.id}", REGRESSIONS, shown, (x, y), told, **known)


def _against_normal(law: Law) -> Line:
    pairs = [
        (r.normal_quantile, r.standardised)
        for r in law.residuals
        if r.normal_quantile is not None and r.standardised is not None
    ]
    return Line(law.policy, tuple(Point.of(x, y) for x, y in sorted(pairs)))
