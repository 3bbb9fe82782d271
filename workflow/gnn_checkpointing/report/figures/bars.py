"""Horizontal bars: each policy's memory against a limit, and the time each cell took on the machine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures import scales, svg
from gnn_checkpointing.report.figures.chart import WIDTH, Chart, draw, panel
from gnn_checkpointing.report.figures.labels import Box
from gnn_checkpointing.report.figures.layers import bars, rule
from gnn_checkpointing.report.figures.palette import INK, looks
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.page import Drawn, Panel
from gnn_checkpointing.sourced import plain

_ROW = 26.0
_ABOVE, _BELOW, _LEFT = 22.0, 32.0, 78.0
_PAST = 1.16
"""How far the axis reaches past the limit."""

_RUN_WIDTH, _RUN_HEIGHT = 446.0, 216.0
_COLOURS = ("#0072b2", "#d55e00", "#009e73")
_MOST_ROWS = 120
_TOUCHING = 1 / 1000
"""Fraction of the run: where graphs share rows, bars of one row and process closer than this are drawn as one."""


@dataclass(frozen=True)
class Bar:
    """A policy's peak memory, None if it ran out of memory; `cell` is what it was measured on."""

    name: str
    value: float | None
    cell: str = ""


@dataclass(frozen=True)
class Turn:
    """One cell's time in one process, in minutes since the run began; `row` counts graphs from 0."""

    row: int
    start: float
    end: float
    process: int


def bar_panel(needs: Sequence[Bar], gib: float) -> Panel:
    """A bar per policy from zero, and the limit in GiB; after running out of memory a bar is pale and runs past it."""
    height = _ABOVE + _ROW * len(needs) + _BELOW
    limit = gib * units.GIB
    end = _PAST * plain(limit)
    frame = Box(_LEFT, _ABOVE, WIDTH - 8, height - _BELOW)
    inner = scales.minute_scale(end / units.GIB, "")
    ticks = tuple(tick * units.GIB for tick in inner.ticks)
    x = Scale("peak memory (GiB)", False, 0.0, end, ticks, inner.tick_labels, "size")
    y = Scale("", False, len(needs) - 0.5, -0.5, tuple(map(float, range(len(needs)))), tuple(bar.name for bar in needs))
    kinds = [bar.name.partition(",")[0] for bar in needs]
    layers = [
        partial(
            bars,
            name=bar.name,
            colour=looks([kind])[kind].colour,
            spans=[(row, 0.0, end if bar.value is None else bar.value, f"{_words(bar, limit)}; {bar.cell}")],
            opacity=0.3 if bar.value is None else 0.9,
        )
        for row, (bar, kind) in enumerate(zip(needs, kinds, strict=True))
    ]
    root = svg.drawing(WIDTH, height)
    group = draw(root, Chart(frame, x, y, [*layers, partial(rule, x=plain(limit))], grid=(True, False)))
    place = frame.left + frame.width / _PAST
    svg.words(group, place, frame.top - 8, f"limit {units.plain(gib)} GiB", 8.0, text_anchor="middle")
    for row, bar in enumerate(needs):
        left = frame.left + frame.width * (0.0 if bar.value is None else plain(bar.value) / end)
        middle = frame.top + frame.height * (row + 0.5) / len(needs)
        svg.words(group, left + 5, middle, _words(bar, limit), 8.0, fill=INK)
    said = "; ".join(f"{bar.name} {units.size(bar.value) if bar.value else 'ran out of memory'}" for bar in needs)
    rows = tuple((bar.name, "" if bar.value is None else bar.value, limit) for bar in needs)
    return Panel(
        f"Under a limit of {units.plain(gib)} GiB",
        f"Bar chart: peak memory under a limit of {units.size(limit)}. {said}.",
        svg.written(root),
        Drawn(("policy", "peak memory (bytes)", "limit (bytes)"), rows),
    )


def _words(bar: Bar, limit: float) -> str:
    return f"out of memory (over {units.plain(limit / units.GIB)} GiB)" if bar.value is None else units.size(bar.value)


def graphs_a_row(graphs: int) -> int:
    """How many graphs share a row of a run's chart."""
    return math.ceil(graphs / _MOST_ROWS)


def gantt_panel(turns: Sequence[Turn], graphs: Sequence[str], told: str) -> Panel:
    """Gantt chart of a run: a row for each graph, a bar for each turn, coloured by process.

    If there are more graphs than rows that can be told apart, several share a row, and touching bars are joined.
    """
    rows = tuple((graphs[turn.row], turn.process, turn.start, turn.end) for turn in turns)
    turns = _shared(turns)
    frame = Box(14, 20, _RUN_WIDTH - 10, _RUN_HEIGHT - 32)
    # All bars of a process form one path, so that hundreds of bars add few bytes.
    layers = [
        partial(
            bars,
            name="",
            colour=_COLOURS[one % len(_COLOURS)],
            spans=[(t.row, t.start, t.end, "") for t in turns if t.process == one],
        )
        for one in sorted({turn.process for turn in turns})
    ]
    y = Scale("graphs, in their order", False, max(turn.row for turn in turns) + 0.5, -0.5, (), ())
    x = scales.minute_scale(max(turn.end for turn in turns), "minutes since the run began")
    drawing = panel(Chart(frame, x, y, layers), _RUN_HEIGHT, _RUN_WIDTH)
    drawn = Drawn(("graph", "process", "began (minutes)", "ended (minutes)"), rows)
    return Panel("Turns at the machine", told, drawing, drawn)


def _shared(turns: Sequence[Turn]) -> Sequence[Turn]:
    """Turns with several graphs per row, if there are too many, and with touching turns joined."""
    several = graphs_a_row(1 + max(turn.row for turn in turns))
    if several == 1:
        return turns
    near = _TOUCHING * max(turn.end for turn in turns)
    found: list[Turn] = []
    for turn in sorted(turns, key=lambda turn: (turn.row // several, turn.process, turn.start)):
        row, last = turn.row // several, found[-1] if found else None
        if last and (last.row, last.process) == (row, turn.process) and turn.start <= last.end + near:
            found[-1] = replace(last, end=max(last.end, turn.end))
        else:
            found.append(replace(turn, row=row))
    return found
