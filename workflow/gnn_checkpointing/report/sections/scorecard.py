"""The laws' record: real graphs that they never saw, cells beyond the memory, and the densest graph that fits."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from gnn_checkpointing.analysis.results import Capacity, Censored, Response, Score, ScoreSummary
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import thinning
from gnn_checkpointing.report.inputs import PREDICTIONS, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Of, figure, scattered, table
from gnn_checkpointing.report.sections.law_words import RESPONSES, amount
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import counted, counted_where

_text = texts("scorecard")

_DRAWN: tuple[Response, ...] = ("activation_bytes", "step_time_seconds")


def scorecard_section(inputs: ReportInputs) -> Section | None:
    """Return the section on what the laws say of what they were not fitted to; None where they were asked nothing."""
    found = inputs.predictions
    blocks: list[Block] = []
    if found.scorecard:
        blocks += _real(inputs, found.scorecard, found.summaries)
    if found.censored:
        blocks += _censored(found.censored)
    if found.capacities:
        blocks += _capacities(found.capacities)
    return Section("scorecard", "The laws' record", tuple(blocks)) if blocks else None


def _real(inputs: ReportInputs, scores: Sequence[Score], summaries: Sequence[ScoreSummary]) -> list[Block]:
    outside = sorted({score.label for score in scores if not score.in_range})
    text = (
        "Laws fitted on the generated graphs of this run alone predict its real graphs from their nodes, edges and "
        "degrees. A bound on bytes is what held-out generated graphs left, which all have one number of classes and "
        "one share of training nodes: a real graph's own can move its bytes past such a bound by the little that is "
        "shown below."
    )
    if outside:
        text += f" Not counted below, since the laws saw no graphs of their size: {', '.join(outside)}."
    blocks: list[Block] = [Paragraph(text)]
    if summaries:
        blocks.append(_summary_table(summaries))
    blocks.append(_graph_table(scores))
    blocks += [figure for response in _DRAWN if (figure := _figure(inputs, scores, response)) is not None]
    return blocks


def _summary_table(summaries: Sequence[ScoreSummary]) -> Table:
    return table(
        "table-scorecard",
        "Errors of the laws on real graphs within their range.",
        PREDICTIONS,
        summaries,
        Of("Response", lambda one: RESPONSES[one.response]),
        Of("Predictions", "scored", units.count),
        Of("Median error", "median_error", units.percent),
        Of("Worst error", "worst_error", units.percent),
        Of("Worst at", lambda one: one.worst_at, content="prose"),
        Of("Inside interval", "inside", units.percent),
    )


def _graph_table(scores: Sequence[Score]) -> Table:
    """Return median and worst error of each graph, over convolutions and policies."""
    graphs = list(dict.fromkeys((score.label, score.num_nodes, score.num_edges) for score in scores))
    rows = []
    for label, nodes, edges in sorted(graphs, key=lambda graph: graph[2]):
        cells = [label, units.count(nodes), units.count(edges)]
        for response in _DRAWN:
            own = [score for score in scores if score.label == label and score.response == response]
            cells += _errors(own)
        rows.append(tuple(cells))
    return Table(
        id="table-scorecard-graphs",
        caption=_text("table-scorecard-graphs"),
        columns=(
            Column("Graph"),
            Column("Nodes", "", "number"),
            Column("Edges", "", "number"),
            Column("Memory, median", "", "number"),
            Column("Memory, worst", "", "prose"),
            Column("Time, median", "", "number"),
            Column("Time, worst", "", "prose"),
        ),
        rows=tuple(rows),
        source=PREDICTIONS,
    )


def _errors(own: Sequence[Score]) -> list[str]:
    if not own:
        return [units.NOTHING, units.NOTHING]
    middle = median(abs(score.error) for score in own)
    worst = max(own, key=lambda score: abs(score.error))
    sign = "+" if worst.error > 0 else ""
    return [
        units.percent(middle),
        f"{sign}{units.percent(worst.error)} ({worst.convolution}, {worst.policy})",
    ]


def _figure(inputs: ReportInputs, scores: Sequence[Score], response: Response) -> Figure | None:
    chosen = [score for score in scores if score.response == response]
    if not chosen:
        return None
    x = scales.count_scale([score.num_edges for score in chosen], "edges of the real graph")
    y = scales.share_scale([score.error for score in chosen], "error (% of measured)")
    name = "time" if response == "step_time_seconds" else "memory"
    shown = {
        convolution: [
            Line(policy, points)
            for policy in inputs.policies
            if (points := tuple(_point(s) for s in chosen if (s.convolution, s.policy) == (convolution, policy)))
        ]
        for convolution in inputs.convolutions
    }
    return figure(
        f"figure-scorecard-{name}",
        f"{RESPONSES[response]} of real graphs: what the law said, less what was measured.",
        _text("a-marker-is-one-real", drawn_lines=thinning(shown.values())),
        PREDICTIONS,
        (
            scattered(each, lines, looks(inputs.policies), x, y, _alternative(chosen, each, response))
            for each, lines in shown.items()
        ),
    )


def _point(score: Score) -> Point:
    return Point(score.num_edges, score.error, score.error, score.error, f"{score.convolution} on {score.label}")


def _alternative(scores: Sequence[Score], convolution: str, response: Response) -> str:
    own = [score for score in scores if score.convolution == convolution]
    sentences = [f"Errors of the law of {RESPONSES[response].lower()} on real graphs, {convolution}."]
    for policy in dict.fromkeys(score.policy for score in own):
        errors = [score for score in own if score.policy == policy]
        worst = max(errors, key=lambda score: abs(score.error))
        sentences.append(
            f"Policy {policy}: median {units.percent(median(abs(score.error) for score in errors))}, worst "
            f"{units.percent(worst.error)} on {worst.label}."
        )
    return " ".join(sentences)


def _censored(found: list[Censored]) -> list[Block]:
    right, wrong = (counted_where(found, ("foreseen", "=", foreseen)) for foreseen in (True, False))
    text = (
        f"What ran into a limit is known to lie above it, and no more. Of {units.count(counted(found))} such cells "
        f"under a policy a law could be asked of {units.count(right + wrong)}, and put {units.count(right)} above the "
        "limit."
    )
    return [
        Paragraph(text),
        table(
            "table-censored",
            _text("table-censored"),
            PREDICTIONS,
            found,
            Of("Graph", "label", content="prose"),
            Of("Convolution", "convolution"),
            Of("Policy", "policy"),
            Of("Limit", lambda one: _limit(one, one.limit), content="number"),
            Of(
                "By the law",
                lambda one: units.NOTHING if one.predicted is None else _limit(one, one.predicted),
                content="number",
            ),
            Of(
                "Foreseen",
                lambda one: one.reason if one.foreseen is None else "yes" if one.foreseen else "no",
                content="prose",
            ),
        ),
    ]


def _limit(one: Censored, value: float) -> str:
    return amount(value, "activation_bytes" if one.outcome == "out_of_memory" else "step_time_seconds")


def _capacities(found: Sequence[Capacity]) -> list[Block]:
    nodes = " and ".join({one.num_nodes: units.count(one.num_nodes) for one in found}.values())
    limits = list(dict.fromkeys(one.memory_bytes for one in found))
    series = list(dict.fromkeys((one.convolution, one.policy) for one in found))
    by_place = {(one.convolution, one.policy, one.memory_bytes): one for one in found}
    columns = [Column("Convolution"), Column("Policy")]
    for limit in limits:
        columns += [Column(f"Degree in {units.size(limit)}", "", "number"), Column("Gain", "/ none", "number")]
    return [
        Table(
            id="table-capacity",
            caption=_text("table-capacity", nodes=nodes),
            columns=tuple(columns),
            rows=tuple(
                (
                    pair[0],
                    pair[1],
                    *(cell for limit in limits for cell in _capacity(by_place[(*pair, limit)])),
                )
                for pair in series
            ),
            source=PREDICTIONS,
        )
    ]


def _capacity(one: Capacity) -> tuple[str, str]:
    gain = units.NOTHING if one.gain is None else units.plain(one.gain)
    degree = one.average_degree
    if degree is None:
        return "none fits", gain
    if one.unbounded:
        return "complete graph*", gain
    star = "" if one.in_range else "*"
    ends = units.interval(units.plain(degree.low), units.plain(degree.high))
    return f"{units.plain(degree.estimate)} ({ends}){star}", gain
