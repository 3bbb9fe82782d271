"""When each cell had the machine: one row a graph, one bar a cell and process, in the order of their beginning.

Of more graphs than rows can be told apart, some share a row, and bars that touch there are one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gnn_checkpointing.report.figures.chart import Chart, Frame, panel
from gnn_checkpointing.report.figures.layers import Bars
from gnn_checkpointing.report.figures.scales import Scale, minute_scale

_WIDTH, _HEIGHT = 446.0, 216.0
_COLOURS = ("#0072b2", "#d55e00", "#009e73")
_MOST_ROWS = 120
_TOUCHING = 1 / 1000
"""Of the run: bars of one row and process that are no further apart are drawn as one, where graphs share rows."""


@dataclass(frozen=True)
class Bar:
    """One cell's time in one process, in minutes since the run began; `row` counts graphs from 0."""

    row: int
    start: float
    end: float
    process: int


def graphs_a_row(graphs: int) -> int:
    """Return how many graphs share a row."""
    return math.ceil(graphs / _MOST_ROWS)


def gantt_panel(name: str, bars: Sequence[Bar]) -> str:
    """The SVG of a run."""
    bars = _shared(bars)
    rows = 1 + max(bar.row for bar in bars)
    frame = Frame(14, 20, _WIDTH - 10, _HEIGHT - 32)
    # All bars of a process are one path: hundreds of them take no room of their own.
    layers = [
        Bars("", _COLOURS[process % len(_COLOURS)], [(b.row, b.start, b.end, "") for b in bars if b.process == process])
        for process in sorted({bar.process for bar in bars})
    ]
    y = Scale("graphs, in their order", False, rows - 0.5, -0.5, (), ())
    x = minute_scale(max(bar.end for bar in bars), "minutes since the run began")
    return panel(name, Chart(frame, x, y, layers), _HEIGHT, _WIDTH)


def _shared(bars: Sequence[Bar]) -> Sequence[Bar]:
    """Return the bars with graphs put together in rows, and with what touches there joined."""
    several = graphs_a_row(1 + max(bar.row for bar in bars))
    if several == 1:
        return bars
    near = _TOUCHING * max(bar.end for bar in bars)
    found: list[Bar] = []
    for bar in sorted(bars, key=lambda bar: (bar.row // several, bar.process, bar.start)):
        row, last = bar.row // several, found[-1] if found else None
        if last and (last.row, last.process) == (row, bar.process) and bar.start <= last.end + near:
            found[-1] = replace(last, end=max(last.end, bar.end))
        else:
            found.append(replace(bar, row=row))
    return found
