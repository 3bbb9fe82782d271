"""The run itself: which cell had the machine when, and that no two had it together."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from gnn_checkpointing.measurements_table import turns
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures.gantt import Bar, gantt_panel
from gnn_checkpointing.report.inputs import MEASUREMENTS, QUALITY, ReportInputs, Row
from gnn_checkpointing.report.page import Cell, Column, Figure, Panel, Paragraph, Section, Table

_PER_MINUTE = 60.0


def run_section(inputs: ReportInputs) -> Section | None:
    """Return the section on the run, None where nothing was measured."""
    spans = _spans(inputs.rows)
    if not spans:
        return None
    begin = min(start for _, _, start, _ in spans)
    graphs = list(dict.fromkeys(graph for graph, _, _, _ in spans))
    bars = [
        Bar(graphs.index(graph), _minutes(begin, start), _minutes(begin, end), process)
        for graph, process, start, end in spans
    ]
    processes = 1 + max(bar.process for bar in bars)
    gaps = sum(max(0.0, after.start - before.end) for before, after in pairwise(bars))
    whole = max(bar.end for bar in bars)
    overlapping = inputs.quality.overlapping_cells
    alone = "no two of them overlap" if overlapping == 0 else f"{units.count(overlapping)} pairs of them overlap"
    sentence = (
        f"{units.count(len(bars))} turns at the machine in {units.duration(whole * _PER_MINUTE)}, "
        f"{units.count(len({row['cell'] for row in inputs.rows}))} cells in {processes} "
        f"{'process' if processes == 1 else 'processes'} each at most: {alone}. Between them the machine started "
        f"processes, drew graphs and trained for {units.duration(gaps * _PER_MINUTE)}."
    )
    colours = "" if processes == 1 else "; a colour for each process: the first blue, the second orange, a third green"
    return Section(
        "run",
        "The run",
        (
            Paragraph(sentence),
            Figure(
                id="figure-run",
                caption="When each cell had the machine.",
                how_to_read="A row is a graph, in the order in which they were measured, a bar a cell in one process"
                f"{colours}. Bars that stand one above the other would have been measured together.",
                panels=(
                    Panel(
                        id="panel-run",
                        title="Turns at the machine",
                        alternative=f"Gantt chart of the run: {sentence}",
                        svg=gantt_panel("panel-run", bars),
                    ),
                ),
                source=f"{MEASUREMENTS}: started, ended, again_started, again_ended; {QUALITY}: overlapping_cells",
                size="wide",
            ),
            Table(
                id="table-run",
                caption="When each graph was measured, in minutes since the run began.",
                columns=(
                    Column("Graph", "", "prose"),
                    Column("Turns", "", "number"),
                    Column("Began", "minutes", "number"),
                    Column("Ended", "minutes", "number"),
                ),
                rows=tuple(
                    _row(graph, [bar for bar in bars if bar.row == place]) for place, graph in enumerate(graphs)
                ),
                source=MEASUREMENTS,
            ),
        ),
    )


def _row(graph: str, bars: list[Bar]) -> tuple[Cell, ...]:
    start, end = min(bar.start for bar in bars), max(bar.end for bar in bars)
    return (
        Cell(graph, graph),
        Cell(units.count(len(bars)), len(bars)),
        Cell(units.fixed(start, 2), start),
        Cell(units.fixed(end, 2), end),
    )


def _spans(rows: list[Row]) -> list[tuple[str, int, datetime, datetime]]:
    """Return graph, process, begin and end of every turn at the machine, in order."""
    cells = {str(row["cell"]): row for row in rows if row["started"] and row["outcome"] != "unavailable"}
    found = []
    for row in cells.values():
        for process, (start, end) in enumerate(turns(row)):
            found.append((str(row["graph_label"]), process, datetime.fromisoformat(start), datetime.fromisoformat(end)))
    return sorted(found, key=lambda span: span[2])


def _minutes(begin: datetime, moment: datetime) -> float:
    return (moment - begin).total_seconds() / _PER_MINUTE
