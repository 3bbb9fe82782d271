"""The laws' record: real graphs that they never saw, cells beyond the memory, and the densest graph that fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from gnn_checkpointing.analysis.results import Capacity, Censored, Response, Score
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.points import thinning
from gnn_checkpointing.report.inputs import PREDICTIONS, ReportInputs
from gnn_checkpointing.report.page import Section, Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.report.sections.parts import Part, blocks, grouped, pair_of, scatter
from gnn_checkpointing.report.sections.predictions import RESPONSES, amount
from gnn_checkpointing.report.texts import Texts
from gnn_checkpointing.sourced import counted, counted_where

_text = Texts("scorecard")

_DRAWN: dict[str, Response] = {"memory": "activation_bytes", "time": "step_time_seconds"}


def scorecard_section(inputs: ReportInputs) -> Section | None:
    """What the laws say of what they were not fitted to; None where they were asked nothing."""
    found = inputs.predictions
    parts = blocks(
        _real(inputs, found.scorecard) if found.scorecard else None,
        _censored(inputs, found.censored) if found.censored else None,
        _capacities(inputs, found.capacities) if found.capacities else None,
    )
    return Section("scorecard", "The laws' record", parts) if parts else None


def _real(inputs: ReportInputs, scores: Sequence[Score]) -> list[Part]:
    own = grouped(scores, lambda score: (score.label, score.response))
    graphs = dict.fromkeys((score.label, score.num_nodes, score.num_edges) for score in scores)

    def errors(response: Response) -> Iterator[Of[tuple[str, int, int]]]:
        """Median and worst error of each graph, over convolutions and policies."""

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

    by_edges = sorted(graphs, key=lambda graph: graph[2])
    columns = (column for response in _DRAWN.values() for column in errors(response))
    summaries = inputs.predictions.summaries
    return [
        _text("real", outside=sorted({score.label for score in scores if not score.in_range})),
        _text.table(inputs, "table-scorecard", PREDICTIONS, summaries, response_of=RESPONSES.get),
        _text.table(inputs, "table-scorecard-graphs", PREDICTIONS, by_edges, *columns),
        [_figure(inputs, scores, name) for name in _DRAWN],
    ]


def _size(score: Score) -> float:
    return abs(score.error)


def _figure(inputs: ReportInputs, scores: Sequence[Score], name: str) -> Figure | None:
    chosen = [score for score in scores if score.response == _DRAWN[name]]
    if not chosen:
        return None
    own = grouped(chosen, pair_of)
    shown = {
        convolution: [
            Line(policy, tuple(Point(s.num_edges, *3 * (s.error,), f"{convolution} on {s.label}") for s in found))
            for policy in inputs.policies
            if (found := own.get((convolution, policy)))
        ]
        for convolution in inputs.convolutions
    }
    response = RESPONSES[_DRAWN[name]]

    def told(convolution: str) -> str:
        policies = grouped((one for one in chosen if one.convolution == convolution), lambda one: one.policy)
        found = [(policy, median(map(_size, scores)), max(scores, key=_size)) for policy, scores in policies.items()]
        return _text("errors", response=response, convolution=convolution, found=found)

    x = scales.count_scale([score.num_edges for score in chosen], "edges of the real graph")
    y = scales.share_scale([score.error for score in chosen], "error (% of measured)")
    panels, lines = scatter(inputs, shown, told, (x, y)), thinning(shown.values())
    return _text.figure(f"figure-scorecard-{name}", PREDICTIONS, panels, response=response, drawn_lines=lines)


def _censored(inputs: ReportInputs, found: list[Censored]) -> list[Part]:
    right, wrong = (counted_where(found, ("foreseen", "=", foreseen)) for foreseen in (True, False))

    def words(one: Censored, value: float | None) -> str:
        response: Response = "activation_bytes" if one.outcome == "out_of_memory" else "step_time_seconds"
        return "" if value is None else amount(value, response)

    shown = _text.table(
        inputs,
        "table-censored",
        PREDICTIONS,
        found,
        limit=lambda one: words(one, one.limit),
        by_law=lambda one: words(one, one.predicted),
        answer=lambda one: one.reason if one.foreseen is None else "yes" if one.foreseen else "no",
    )
    return [_text("censored", cells=counted(found), asked=right + wrong, right=right), shown]


def _capacities(inputs: ReportInputs, found: Sequence[Capacity]) -> Table:
    places = {(one.convolution, one.policy, one.memory_bytes): one for one in found}

    def of(limit: float) -> Iterator[Of[tuple[str, str]]]:
        yield Of(f"Degree in {units.size(limit)}", lambda pair: _degree(places[*pair, limit]), content="number")
        yield Of("Gain", lambda pair: places[*pair, limit].gain, units.plain, "/ none")

    limits = dict.fromkeys(one.memory_bytes for one in found)
    columns = (column for limit in limits for column in of(limit))
    nodes = " and ".join({one.num_nodes: units.count(one.num_nodes) for one in found}.values())
    pairs = dict.fromkeys(map(pair_of, found))
    return _text.table(inputs, "table-capacity", PREDICTIONS, pairs, *columns, nodes=nodes)


def _degree(one: Capacity) -> str:
    degree = one.average_degree
    if degree is None:
        return "none fits"
    if one.unbounded:
        return "complete graph*"
    ends = units.interval(units.plain(degree.low), units.plain(degree.high))
    return f"{units.plain(degree.estimate)} ({ends}){'' if one.in_range else '*'}"
