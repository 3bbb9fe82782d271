"""The instrument and the run: three readings of memory compared, what common tools would say, and who ran when."""

from __future__ import annotations

from datetime import datetime
from statistics import median
from typing import Any

from gnn_checkpointing.analysis.turns import turns_of
from gnn_checkpointing.measurement import readings
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figure import Figure, Panel
from gnn_checkpointing.report.figures.bars import Turn, drawn_turns, gantt_panel, graphs_a_row
from gnn_checkpointing.report.inputs import MEASUREMENTS, ReportInputs
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.sourced import counted_where, sourced

_text = Texts("instrument")

_PER_MINUTE = 60.0
MOST_GRAPHS = 120
"""Of the table: of more, those that took longest."""


def tolerated(name: str) -> float:
    """A tolerance of the readings with its address."""
    value: float = getattr(readings, name)
    return sourced(value, f"gnn_checkpointing/measurement/readings.py#/{name}")


def demonstrated(inputs: ReportInputs) -> list[tuple[str, str, str, float | None]]:
    """Each instrument: its name, what it speaks of, what it says of a step whose memory is known, and that / the exact."""
    shown = inputs.demonstration
    rows = []
    for line in _text.lines("instruments", shown=shown):
        name, of, field = line.split(" | ")
        value: int | None = getattr(shown, field)
        share = None if value is None else value / shown.exact_bytes if shown.exact_bytes else 0.0
        rows.append((name, of, "saw nothing" if value is None else units.size(value), share))
    return rows


def halves_table(inputs: ReportInputs) -> Table:
    """How each policy's step is shared between forward and backward."""
    found: dict[str, list[tuple[float, float]]] = {policy: [] for policy in inputs.policies}
    for row in inputs.completed:
        forward, backward = (number(row, f"{half}_time_seconds") for half in ("forward", "backward"))
        if forward is not None and backward is not None and forward + backward > 0:
            found[str(row["policy"])].append((forward, backward))

    def timed(policy: str) -> int:
        conditions = (("policy", "=", policy), ("allocator", "=", inputs.reference), ("outcome", "=", "completed"))
        return counted_where(inputs.rows, *conditions, ("forward_time_seconds", ">", 0))

    def share(policy: str) -> float:
        return median(forward / (forward + backward) for forward, backward in found[policy])

    return _text.table(
        inputs,
        "table-halves",
        MEASUREMENTS,
        [policy for policy in found if found[policy]],
        timed=timed,
        share=share,
        rest=lambda policy: 1 - share(policy),
        quotient=lambda policy: median(backward / forward for forward, backward in found[policy] if forward > 0),
    )


def run_figure(inputs: ReportInputs, sentence: str) -> Figure:
    """Every turn at the machine; `sentence` sums them up."""
    graphs = [graph.graph for graph in inputs.quality.run.graphs] if inputs.quality.run else []
    turns = turns_of(inputs.rows)

    def minutes(moment: datetime) -> float:
        return (moment - turns[0].began).total_seconds() / _PER_MINUTE

    bars = [Turn(graphs.index(turn.graph), minutes(turn.began), minutes(turn.ended), turn.process) for turn in turns]
    svg, drawn = gantt_panel("panel-run", bars), drawn_turns(bars, graphs)
    panel = Panel("panel-run", "Turns at the machine", f"Gantt chart of the run: {sentence}", svg, drawn)
    several, machines = graphs_a_row(len(graphs)), len({turn.host for turn in turns})
    how = _text("figure-run-how-to-read", several=several, run=inputs.quality.run, machines=machines)
    return Figure("figure-run", _text("figure-run"), how, (panel,), MEASUREMENTS, size="wide")


def longest(inputs: ReportInputs) -> list[Any]:
    """The graphs that took longest, in the order in which they were measured."""
    graphs = inputs.quality.run.graphs if inputs.quality.run else []
    chosen = sorted(graphs, key=lambda graph: graph.began_seconds - graph.ended_seconds)[:MOST_GRAPHS]
    return [graph for graph in graphs if graph in chosen]


def in_minutes(seconds: float) -> str:
    return units.fixed(seconds / _PER_MINUTE, 2)
