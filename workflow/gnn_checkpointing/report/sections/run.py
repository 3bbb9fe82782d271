"""The run itself: which cell had the machine when, and that no two had it together."""

from __future__ import annotations

from datetime import datetime

from gnn_checkpointing.analysis.results import GraphTurns, Run
from gnn_checkpointing.analysis.turns import turns_of
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure, Panel
from gnn_checkpointing.report.figures.bars import Turn, drawn_turns, gantt_panel, graphs_a_row
from gnn_checkpointing.report.inputs import MEASUREMENTS, QUALITY, ReportInputs
from gnn_checkpointing.report.page import Column, Paragraph, Section, Table
from gnn_checkpointing.report.texts import texts

_text = texts("run")

_PER_MINUTE = 60.0
_MOST_GRAPHS = 120
"""Of the table: of more, those are told that took longest."""


def run_section(inputs: ReportInputs) -> Section | None:
    """Return the section on the run, None where nothing was measured."""
    run = inputs.quality.run
    if run is None:
        return None
    sentence, bars = _sentence(inputs, run), _bars(inputs, run)
    colours = "" if run.processes == 1 else "; a colour for each process: first blue, second orange, third green"
    return Section(
        "run",
        "The run",
        (
            Paragraph(sentence),
            Figure(
                id="figure-run",
                caption="When each cell had the machine.",
                how_to_read=_text(
                    "figure-run-how_to_read", run=_rows(run), colours=colours, inputs=_above_each_other(inputs)
                ),
                panels=(
                    Panel(
                        id="panel-run",
                        title="Turns at the machine",
                        alternative=f"Gantt chart of the run: {sentence}",
                        svg=gantt_panel("panel-run", bars),
                        drawn=drawn_turns(bars, [graph.graph for graph in run.graphs]),
                    ),
                ),
                source=MEASUREMENTS,
                size="wide",
            ),
            Table(
                id="table-run",
                caption=_caption(run),
                columns=(
                    Column("Graph", "", "prose"),
                    Column("Turns", "", "number"),
                    Column("Began", "minutes", "number"),
                    Column("Ended", "minutes", "number"),
                ),
                rows=tuple(_row(graph) for graph in _told(run)),
                source=QUALITY,
            ),
        ),
    )


def _sentence(inputs: ReportInputs, run: Run) -> str:
    overlapping = inputs.quality.overlapping_cells
    alone = "no two of them overlap" if overlapping == 0 else f"{units.count(overlapping)} pairs of them overlap"
    return _text(
        "turns-at-the-machine-in",
        turns=run.turns,
        seconds=run.seconds,
        cells=inputs.quality.cells,
        processes=run.processes,
        processes2="process" if run.processes == 1 else "processes",
        alone=alone,
        idle_seconds=run.idle_seconds,
    )


def _rows(run: Run) -> str:
    several = graphs_a_row(len(run.graphs))
    return "A row is a graph," if several == 1 else f"A row is {units.count(several)} graphs that follow each other,"


def _told(run: Run) -> list[GraphTurns]:
    """Return the graphs of the table, in the order in which they were measured."""
    longest = sorted(run.graphs, key=lambda graph: graph.began_seconds - graph.ended_seconds)[:_MOST_GRAPHS]
    names = {graph.graph for graph in longest}
    return [graph for graph in run.graphs if graph.graph in names]


def _caption(run: Run) -> str:
    if len(run.graphs) <= _MOST_GRAPHS:
        return _text("when-each-graph-was-measured")
    return _text("when-the-graphs-that-took", most_graphs=_MOST_GRAPHS, graphs=len(run.graphs))


def _above_each_other(inputs: ReportInputs) -> str:
    """Return what bars at the same minutes mean: nodes of a cluster measure side by side."""
    machines = len({turn.host for turn in turns_of(inputs.rows)})
    if machines == 1:
        return _text("bars-that-stand-one-above")
    return _text("bars-may-stand-one-above", machines=machines)


def _bars(inputs: ReportInputs, run: Run) -> list[Turn]:
    places = {graph.graph: place for place, graph in enumerate(run.graphs)}
    found = turns_of(inputs.rows)
    return [
        Turn(
            places[turn.graph], _minutes(found[0].began, turn.began), _minutes(found[0].began, turn.ended), turn.process
        )
        for turn in found
    ]


def _row(graph: GraphTurns) -> tuple[str, ...]:
    start, end = graph.began_seconds / _PER_MINUTE, graph.ended_seconds / _PER_MINUTE
    return (
        graph.graph,
        units.count(graph.turns),
        units.fixed(start, 2),
        units.fixed(end, 2),
    )


def _minutes(begin: datetime, moment: datetime) -> float:
    return (moment - begin).total_seconds() / _PER_MINUTE
