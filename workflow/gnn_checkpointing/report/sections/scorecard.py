"""The laws' record: real graphs that they never saw, cells beyond the memory, and the densest graph that fits."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from gnn_checkpointing.analysis.results import Capacity, Censored, Response, Score
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.points import thinning
from gnn_checkpointing.report.inputs import PREDICTIONS, ReportInputs
from gnn_checkpointing.report.page import Figure, Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.report.sections.parts import grouped, pair_of, scatter
from gnn_checkpointing.report.sections.predictions import RESPONSES

_text = Texts("scorecard")

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
            Line(policy, tuple(Point(s.num_edges, *3 * (s.error,), f"{convolution} on {s.label}") for s in found))
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
    panels, lines = scatter(inputs, shown, told, (x, y)), thinning(shown.values())
    return _text.figure(f"figure-scorecard-{name}", PREDICTIONS, panels, response=response, drawn_lines=lines)


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
