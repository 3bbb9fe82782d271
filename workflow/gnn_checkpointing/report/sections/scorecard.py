"""The laws' record: real graphs that they never saw, cells beyond the memory, and the densest graph that fits."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from gnn_checkpointing.analysis.results import Capacity, Censored, Response, Score
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.points import thinning
from gnn_checkpointing.report.inputs import PREDICTIONS, ReportInputs
from gnn_checkpointing.report.page import Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.parts import CONVOLUTION, Columns, Part, blocks, grouped, scatter
from gnn_checkpointing.report.sections.predictions import RESPONSES, amount
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted, counted_where

_text = texts("scorecard")

_DRAWN: dict[str, Response] = {"memory": "activation_bytes", "time": "step_time_seconds"}
_SUMMARY: Columns = (
    Of("Response", lambda one: RESPONSES[one.response]),
    Of("Predictions", "scored", units.count),
    Of("Median error", "median_error", units.percent),
    Of("Worst error", "worst_error", units.percent),
    Of("Worst at", "worst_at", content="prose"),
    Of("Inside interval", "inside", units.percent),
)
_CENSORED: Columns = (
    Of("Graph", "label", content="prose"),
    CONVOLUTION,
    Of("Policy", "policy"),
    Of("Limit", lambda one: _limit(one, one.limit), content="number"),
    Of("By the law", lambda one: _limit(one, one.predicted), content="number"),
    Of(
        "Foreseen", lambda one: one.reason if one.foreseen is None else "yes" if one.foreseen else "no", content="prose"
    ),
)


def scorecard_section(inputs: ReportInputs) -> Section | None:
    """What the laws say of what they were not fitted to; None where they were asked nothing."""
    found = inputs.predictions
    parts = blocks(
        _real(inputs, found.scorecard) if found.scorecard else None,
        _censored(found.censored) if found.censored else None,
        _capacities(found.capacities) if found.capacities else None,
    )
    return Section("scorecard", "The laws' record", parts) if parts else None


def _real(inputs: ReportInputs, scores: Sequence[Score]) -> list[Part]:
    summaries = table("table-scorecard", _text("table-scorecard"), PREDICTIONS, inputs.predictions.summaries, *_SUMMARY)
    opening = _text("real", outside=sorted({score.label for score in scores if not score.in_range}))
    figures = [_figure(inputs, scores, name) for name in _DRAWN]
    return [opening, summaries, _graph_table(scores), figures]


def _graph_table(scores: Sequence[Score]) -> Table:
    """Median and worst error of each graph, over convolutions and policies."""
    graphs = dict.fromkeys((score.label, score.num_nodes, score.num_edges) for score in scores)
    found = grouped(scores, lambda score: (score.label, score.response))

    def of(name: str, response: Response) -> Columns:
        def own(graph: tuple[str, int, int]) -> list[Score]:
            return found.get((graph[0], response), [])

        return (
            Of(f"{name}, median", lambda graph: median(map(_size, own(graph))) if own(graph) else None, units.percent),
            Of(f"{name}, worst", lambda graph: _worst(own(graph)) if own(graph) else None, content="prose"),
        )

    return table(
        "table-scorecard-graphs",
        _text("table-scorecard-graphs"),
        PREDICTIONS,
        sorted(graphs, key=lambda graph: graph[2]),
        Of("Graph", lambda graph: graph[0]),
        Of("Nodes", lambda graph: graph[1], units.count),
        Of("Edges", lambda graph: graph[2], units.count),
        *of("Memory", "activation_bytes"),
        *of("Time", "step_time_seconds"),
    )


def _size(score: Score) -> float:
    return abs(score.error)


def _worst(own: Sequence[Score]) -> str:
    found = max(own, key=_size)
    return f"{'+' if found.error > 0 else ''}{units.percent(found.error)} ({found.convolution}, {found.policy})"


def _figure(inputs: ReportInputs, scores: Sequence[Score], name: str) -> Figure | None:
    chosen = [score for score in scores if score.response == _DRAWN[name]]
    if not chosen:
        return None
    x = scales.count_scale([score.num_edges for score in chosen], "edges of the real graph")
    y = scales.share_scale([score.error for score in chosen], "error (% of measured)")

    def own(*pair: str) -> tuple[Point, ...]:
        return tuple(
            Point(s.num_edges, s.error, s.error, s.error, f"{s.convolution} on {s.label}")
            for s in chosen
            if (s.convolution, s.policy) == pair
        )

    shown = {
        convolution: [Line(policy, found) for policy in inputs.policies if (found := own(convolution, policy))]
        for convolution in inputs.convolutions
    }
    response = RESPONSES[_DRAWN[name]]
    words = (
        _text("figure-scorecard", response=response),
        _text("a-marker-is-one-real", drawn_lines=thinning(shown.values())),
        PREDICTIONS,
    )

    def told(convolution: str) -> str:
        policies = grouped((one for one in chosen if one.convolution == convolution), lambda one: one.policy)
        found = [(policy, median(map(_size, scores)), max(scores, key=_size)) for policy, scores in policies.items()]
        return _text("errors", response=response, convolution=convolution, found=found)

    return scatter(inputs, f"figure-scorecard-{name}", words, shown, told, (x, y))


def _censored(found: list[Censored]) -> list[Part]:
    right, wrong = (counted_where(found, ("foreseen", "=", foreseen)) for foreseen in (True, False))

    shown = table("table-censored", _text("table-censored"), PREDICTIONS, found, *_CENSORED)
    return [_text("censored", cells=counted(found), asked=right + wrong, right=right), shown]


def _limit(one: Censored, value: float | None) -> str | None:
    response: Response = "activation_bytes" if one.outcome == "out_of_memory" else "step_time_seconds"
    return None if value is None else amount(value, response)


def _capacities(found: Sequence[Capacity]) -> Table:
    nodes = " and ".join({one.num_nodes: units.count(one.num_nodes) for one in found}.values())
    limits = dict.fromkeys(one.memory_bytes for one in found)
    places = {(one.convolution, one.policy, one.memory_bytes): one for one in found}

    def of(limit: float) -> Columns:
        return (
            Of(f"Degree in {units.size(limit)}", lambda pair: _degree(places[*pair, limit]), content="number"),
            Of("Gain", lambda pair: places[*pair, limit].gain, units.plain, "/ none"),
        )

    return table(
        "table-capacity",
        _text("table-capacity", nodes=nodes),
        PREDICTIONS,
        dict.fromkeys((one.convolution, one.policy) for one in found),
        Of("Convolution", lambda pair: pair[0]),
        Of("Policy", lambda pair: pair[1]),
        *(column for limit in limits for column in of(limit)),
    )


def _degree(one: Capacity) -> str:
    degree = one.average_degree
    if degree is None:
        return "none fits"
    if one.unbounded:
        return "complete graph*"
    ends = units.interval(units.plain(degree.low), units.plain(degree.high))
    return f"{units.plain(degree.estimate)} ({ends}){'' if one.in_range else '*'}"
