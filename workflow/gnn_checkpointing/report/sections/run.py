"""The run itself: which cell had the machine when, and that no two had it together."""

from __future__ import annotations

from datetime import datetime

from gnn_checkpointing.analysis.results import GraphTurns, Run
from gnn_checkpointing.analysis.turns import turns_of
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure, Panel
from gnn_checkpointing.report.figures.drawn import of_bars
from gnn_checkpointing.report.figures.gantt import Bar, gantt_panel, graphs_a_row
from gnn_checkpointing.report.inputs import MEASUREMENTS, QUALITY, ReportInputs
from gnn_checkpointing.report.page import Section
from gnn_checkpointing.report.sections.parts import blocks
from gnn_checkpointing.report.tables import Of, table
from gnn_checkpointing.report.texts import texts

_text = texts("run")

_PER_MINUTE = 60.0
_MOST_GRAPHS = 120
"""Of the table: of more, those are told that took longest."""


def run_section(inputs: ReportInputs) -> Section | None:
    """Every turn at the machine, None where nothing was measured."""
    run = inputs.quality.run
    if run is None:
        return None
    sentence = _text("turns-at-the-machine-in", run=run, quality=inputs.quality)
    turns = turns_of(inputs.rows)
    places = {graph.graph: place for place, graph in enumerate(run.graphs)}

    def minutes(moment: datetime) -> float:
        return (moment - turns[0].began).total_seconds() / _PER_MINUTE

    bars = [Bar(places[turn.graph], minutes(turn.began), minutes(turn.ended), turn.process) for turn in turns]
    panel = Panel(
        id="panel-run",
        title="Turns at the machine",
        alternative=f"Gantt chart of the run: {sentence}",
        svg=gantt_panel("panel-run", bars),
        drawn=of_bars(bars, [graph.graph for graph in run.graphs]),
    )
    several, machines = graphs_a_row(len(run.graphs)), len({turn.host for turn in turns})
    figure = Figure(
        id="figure-run",
        caption=_text("figure-run"),
        how_to_read=_text("figure-run-how-to-read", several=several, run=run, machines=machines),
        panels=(panel,),
        source=MEASUREMENTS,
        size="wide",
    )
    shown = table(
        "table-run",
        _text("table-run", most=_MOST_GRAPHS, graphs=len(run.graphs)),
        QUALITY,
        _longest(run),
        Of("Graph", "graph", content="prose"),
        Of("Turns", "turns", units.count),
        Of("Began", lambda graph: units.fixed(graph.began_seconds / _PER_MINUTE, 2), unit="minutes", content="number"),
        Of("Ended", lambda graph: units.fixed(graph.ended_seconds / _PER_MINUTE, 2), unit="minutes", content="number"),
    )
    return Section("run", "The run", blocks(sentence, figure, shown))


def _longest(run: Run) -> list[GraphTurns]:
    """The graphs of the table, in the order in which they were measured."""
    longest = sorted(run.graphs, key=lambda graph: graph.began_seconds - graph.ended_seconds)[:_MOST_GRAPHS]
    names = {graph.graph for graph in longest}
    return [graph for graph in run.graphs if graph.graph in names]
