"""Residuals over the number of edges, ratios by graph, and one machine against another: points without lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator

from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.canvas import ABOVE, BELOW, HEIGHT, WIDTH, panel_svg
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.marks import tag
from gnn_checkpointing.report.figures.palette import INK, Look
from gnn_checkpointing.report.figures.scales import Scale

_ROW = 0.18
"""Inches that one row of a legend takes."""
_MOST_MARKS = 300
"""Of a panel: more cannot be told apart, and a page of ten thousand cells would be ten times as large."""


@dataclass(frozen=True)
class Mark:
    """A ratio on the line of one graph."""

    label: str
    policy: str
    value: float


def drawn_marks(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with the marks that are drawn: all, or of neighbours along x the lowest, middle and highest."""
    most = _MOST_MARKS // max(1, len(lines))
    return [
        line if len(line.points) <= most else Line(line.policy, _outermost(line.points, most // 3)) for line in lines
    ]


def _outermost(points: Sequence[Point], groups: int) -> tuple[Point, ...]:
    """Return three points of each of so many groups of neighbours along x: by y the lowest, the middle, the highest."""
    ordered = sorted(points, key=lambda point: (point.x, point.y))
    ends = [round(number * len(ordered) / groups) for number in range(groups + 1)]
    ranked = (sorted(ordered[begin:end], key=lambda point: point.y) for begin, end in pairwise(ends))
    return tuple(each for group in ranked for each in (group[0], group[len(group) // 2], group[-1]))


def thinning(panels: Iterable[Sequence[Line]]) -> str:
    """Return the sentence that a caption owes to its reader where not every mark is drawn; else nothing."""
    if all(drawn_marks(lines) == list(lines) for lines in panels):
        return ""
    return (
        " There are more cells than marks can be told apart: of those next to each other along the horizontal axis the "
        "lowest, the middle and the highest are drawn, and the figure's CSV file has all."
    )


def residual_panel(
    name: str, lines: Sequence[Line], looks: Mapping[str, Look], x: Scale, y: Scale, *, diagonal: bool = False
) -> str:
    """Return the SVG of residuals, one marker a cell, around the level line of 0 or the diagonal of a Q-Q plot."""
    return _scattered(
        name, lines, looks, x, y, lambda axes: axes.axline((0, 0), slope=1) if diagonal else axes.axhline(0)
    )


def identity_panel(name: str, lines: Sequence[Line], looks: Mapping[str, Look], x: Scale, y: Scale) -> str:
    """Return the SVG of values on two machines, one marker a cell, around the line on which both are equal.

    Both axes are of one kind, and run from the same value to the same.
    """
    return _scattered(name, lines, looks, x, y, lambda axes: axes.axline((x.low, x.low), (x.high, x.high)))


def _scattered(
    name: str,
    lines: Sequence[Line],
    looks: Mapping[str, Look],
    x: Scale,
    y: Scale,
    reference: Callable[[Axes], Line2D],
) -> str:
    """Return the SVG of markers without lines around the line that `reference` draws."""

    def draw(axes: Axes) -> None:
        scales.apply(axes, x, y)
        line = reference(axes)
        line.set(color=INK, linewidth=0.8, alpha=0.7)
        tag(line, "data")
        for each in drawn_marks(lines):
            look = looks[each.policy]
            marks = axes.plot(
                [point.x for point in each.points],
                [point.y for point in each.points],
                linestyle="none",
                color=look.colour,
                marker=look.marker,
                markersize=3.6,
                markerfacecolor="none",
                markeredgewidth=0.9,
                label=each.policy,
            )
            tag(marks, "data", each.policy)
        bottom, top = BELOW / height, (height - ABOVE - _ROW * rows) / height
        axes.set_position((0.13, bottom, 0.80, top - bottom))
        # Above the title, which stands just over the axes.
        _legend(axes, 1 + 0.28 / (height * (top - bottom)), columns)

    columns = _columns([line.policy for line in lines])
    rows = math.ceil(len(lines) / columns)
    height = HEIGHT + _ROW * (rows - 1)
    return panel_svg(name, draw, size=(WIDTH, height), words=(x.words, y.words))


def _columns(policies: Sequence[str]) -> int:
    """Return how many names a legend holds side by side."""
    return min(max(1, len(policies)), 3 if max(map(len, policies), default=0) < 14 else 2)


def _legend(axes: Axes, above: float, columns: int, left: float = -0.02) -> None:
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(left, above),
        ncols=columns,
        frameon=False,
        fontsize=8,
        handletextpad=0.1,
        columnspacing=1.0,
        borderaxespad=0,
    )
    legend.set_zorder(3)
    for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
        tag([each for each in (handle, text) if each is not None], "label", text.get_text())


def ratio_panel(name: str, marks: Sequence[Mark], looks: Mapping[str, Look], x: Scale) -> str:
    """Return the SVG of ratios, one line of the panel a graph, one marker a policy."""
    labels = list(dict.fromkeys(mark.label for mark in marks))
    policies = list(dict.fromkeys(mark.policy for mark in marks))

    def draw(axes: Axes) -> None:
        axes.set_xscale("log" if x.log else "linear")
        axes.xaxis.set_major_locator(FixedLocator(list(x.ticks)))
        axes.xaxis.set_major_formatter(FixedFormatter(list(x.tick_labels)))
        axes.xaxis.minorticks_off()
        axes.set_xlim(x.low, x.high)
        axes.set_xlabel(x.label)
        axes.axvline(1.0, color=INK, linewidth=0.8, dashes=(4, 3), alpha=0.7)
        axes.yaxis.set_major_locator(FixedLocator(list(range(len(labels)))))
        axes.yaxis.set_major_formatter(FixedFormatter([_short(label) for label in labels]))
        axes.set_ylim(len(labels) - 0.5, -0.5)
        for position, policy in enumerate(policies):
            look = looks[policy]
            shift = min(0.18, 0.8 / len(policies)) * (position - (len(policies) - 1) / 2)
            chosen = [mark for mark in marks if mark.policy == policy]
            drawn = axes.plot(
                [mark.value for mark in chosen],
                [labels.index(mark.label) + shift for mark in chosen],
                linestyle="none",
                color=look.colour,
                marker=look.marker,
                markersize=4.5,
                label=policy,
            )
            tag(drawn, "data", policy)
        bottom, top = BELOW / height, (height - 0.06 - _ROW * rows) / height
        axes.set_position((0.32, bottom, 0.65, top - bottom))
        # Many names begin at the panel's left edge, since the axes' own leaves no room for two columns.
        _legend(axes, 1.0, columns, left=-0.02 if rows == 1 else -0.46)

    columns = _columns(policies)
    rows = math.ceil(len(policies) / columns)
    # Room for each graph's markers side by side.
    height = max(HEIGHT + _ROW * (rows - 1), 0.07 * len(policies) * len(labels) + 0.7 + _ROW * rows)
    return panel_svg(name, draw, size=(WIDTH, height))


def _short(label: str) -> str:
    """Return a graph's label cut to what fits beside the panel; the table beneath has it whole."""
    return label if len(label) <= 13 else label[:12] + "\N{HORIZONTAL ELLIPSIS}"
