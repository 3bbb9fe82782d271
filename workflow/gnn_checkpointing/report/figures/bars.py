"""A bar per policy from zero, beside a limit: what ran out of memory runs past it, pale and without a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures import scales, svg
from gnn_checkpointing.report.figures.chart import WIDTH, Chart, Frame, draw
from gnn_checkpointing.report.figures.layers import Bars, Rule
from gnn_checkpointing.report.figures.palette import INK, looks
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.sourced import plain

_ROW = 26.0
_ABOVE, _BELOW, _LEFT = 22.0, 32.0, 78.0
_PAST = 1.16
"""How far the axis reaches past the limit."""


@dataclass(frozen=True)
class Bar:
    """What a policy needed, None where it ran out; `cell` is what it was measured on."""

    name: str
    value: float | None
    cell: str = ""


def bar_panel(name: str, bars: Sequence[Bar], limit: float) -> str:
    """The SVG of some bars and the limit."""
    height = _ABOVE + _ROW * len(bars) + _BELOW
    end = _PAST * plain(limit)
    frame = Frame(_LEFT, _ABOVE, WIDTH - 8, height - _BELOW)
    inner = scales.minute_scale(end / units.GIB, "")
    ticks = tuple(tick * units.GIB for tick in inner.ticks)
    x = Scale("peak memory (GiB)", False, 0.0, end, ticks, inner.tick_labels, "size")
    y = Scale("", False, len(bars) - 0.5, -0.5, tuple(map(float, range(len(bars)))), tuple(bar.name for bar in bars))
    colours = {bar.name: looks([bar.name.partition(",")[0]])[bar.name.partition(",")[0]].colour for bar in bars}
    layers = [
        Bars(
            bar.name,
            colours[bar.name],
            [(row, 0.0, end if bar.value is None else bar.value, f"{_words(bar, limit)}; {bar.cell}")],
            opacity=0.3 if bar.value is None else 0.9,
        )
        for row, bar in enumerate(bars)
    ]
    root = svg.drawing(WIDTH, height, name)
    group = draw(root, Chart(frame, x, y, [*layers, Rule(x=plain(limit))], grid=(True, False)))
    place = frame.left + frame.width / _PAST
    svg.words(group, place, frame.top - 8, f"limit {units.plain(limit / units.GIB)} GiB", 8.0, text_anchor="middle")
    for row, bar in enumerate(bars):
        left = frame.left + frame.width * (0.0 if bar.value is None else plain(bar.value) / end)
        middle = frame.top + frame.height * (row + 0.5) / len(bars)
        svg.words(group, left + 5, middle, _words(bar, limit), 8.0, fill=INK)
    return svg.written(root)


def _words(bar: Bar, limit: float) -> str:
    return f"out of memory (over {units.plain(limit / units.GIB)} GiB)" if bar.value is None else units.size(bar.value)
