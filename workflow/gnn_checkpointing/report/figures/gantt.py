"""When each cell had the machine: one row a graph, one bar a cell and process, in the order of their beginning.

Of more graphs than rows can be told apart, some share a row, and bars that touch there are one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator, NullLocator

from gnn_checkpointing.report.figures.canvas import panel_svg

_SIZE = (6.2, 3.0)
_COLOURS = ("#0072b2", "#d55e00", "#009e73")
_GAP = 0.15
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
    """Return the SVG of a run."""
    bars = _shared(bars)
    rows = 1 + max(bar.row for bar in bars)
    end = max(bar.end for bar in bars)

    def draw(axes: Axes) -> None:
        axes.set_xlim(0, end)
        axes.set_ylim(rows - 0.5, -0.5)
        axes.set_xlabel("minutes since the run began")
        axes.set_ylabel("graphs, in their order")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_locator(NullLocator())
        axes.grid(visible=False, axis="y")
        for process in sorted({bar.process for bar in bars}):
            colour = _COLOURS[process % len(_COLOURS)]
            # One path for all bars of a process: hundreds of them take no room of their own.
            axes.add_patch(PathPatch(_outline(bars, process), facecolor=colour, edgecolor="none"))

    return panel_svg(name, draw, size=_SIZE)


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


def _outline(bars: Sequence[Bar], process: int) -> Path:
    own = [bar for bar in bars if bar.process == process]
    boxes = [
        Path(
            [
                (bar.start, bar.row - 0.5 + _GAP),
                (bar.end, bar.row - 0.5 + _GAP),
                (bar.end, bar.row + 0.5 - _GAP),
                (bar.start, bar.row + 0.5 - _GAP),
                (bar.start, bar.row - 0.5 + _GAP),
            ],
            closed=True,
        )
        for bar in own
    ]
    return Path.make_compound_path(*boxes)
