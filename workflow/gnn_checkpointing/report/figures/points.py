"""Scatter plots: residuals over the number of edges, ratios by graph, and one machine against another."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from gnn_checkpointing.report.figures import svg
from gnn_checkpointing.report.figures.chart import ABOVE, HEIGHT, WIDTH, Chart, Layer, Point, draw, inside
from gnn_checkpointing.report.figures.layers import rule, series
from gnn_checkpointing.report.figures.lines import Line
from gnn_checkpointing.report.figures.palette import Look
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.page import Drawn, Panel

_ROW = 13.0
"""Height of one row of a legend, in points."""
_MOST_MARKS = 300
"""Maximum number of marks in a panel: more cannot be told apart, and would make pages of many cells far larger."""


@dataclass(frozen=True)
class Mark:
    """A ratio on the line of one graph."""

    label: str
    policy: str
    value: float


def drawn_marks(lines: Sequence[Line]) -> list[Line]:
    """Lines with the marks to draw: all, or the lowest, middle and highest of each group of neighbours along x."""
    most = _MOST_MARKS // max(1, len(lines))
    return [
        line if len(line.points) <= most else Line(line.policy, _outermost(line.points, most // 3)) for line in lines
    ]


def _outermost(points: Sequence[Point], groups: int) -> tuple[Point, ...]:
    """From each of `groups` groups of neighbours along x, the points with the lowest, middle and highest y."""
    ordered = sorted(points, key=lambda point: (point.x, point.y))
    ends = [round(number * len(ordered) / groups) for number in range(groups + 1)]
    ranked = (sorted(ordered[begin:end], key=lambda point: point.y) for begin, end in pairwise(ends))
    return tuple(each for group in ranked for each in (group[0], group[len(group) // 2], group[-1]))


def thinning(panels: Iterable[Sequence[Line]]) -> str:
    """Sentence for the caption if not every mark is drawn; else ""."""
    if all(drawn_marks(lines) == list(lines) for lines in panels):
        return ""
    return (
        " There are more cells than marks can be told apart: of those next to each other along the horizontal axis the "
        "lowest, the middle and the highest are drawn, and the figure's CSV file has all."
    )


def scattered(
    title: str,
    lines: Sequence[Line],
    looks: Mapping[str, Look],
    x: Scale,
    y: Scale,
    told: str,
    *,
    diagonal: bool = False,
) -> Panel | None:
    """Scatter plot, one mark per cell, with a line at y = 0 or the diagonal x = y; None if there are no lines."""
    if not lines:
        return None
    low, high = max(x.low, y.low), min(x.high, y.high)
    place = {"through": ((low, low), (high, high))} if diagonal else {"y": 0.0}
    layers: list[Layer] = [partial(rule, dashes=None, **place)]
    rows = _legend_rows([line.policy for line in lines])
    height = HEIGHT + _ROW * (rows - 1)
    frame = inside(height, above=ABOVE + _ROW * rows)
    plain: dict[str, Any] = {"joined": False, "whiskers": False, "hollow": True, "size": 3.6, "cell": title}
    layers += [
        partial(series, name=each.policy, look=looks[each.policy], points=each.points, **plain)
        for each in drawn_marks(lines)
    ]
    own = {line.policy: looks[line.policy] for line in lines}
    drawing = _under_legend(height, Chart(frame, x, y, layers), own, hollow=True)
    drawn = tuple((line.policy, point.x, point.y) for line in lines for point in line.points)
    return Panel(title, told, drawing, Drawn(("policy", x.label, y.label), drawn), title)


def marks_on_rows(title: str, marks: Sequence[Mark], looks: Mapping[str, Look], x: Scale, names: str) -> Panel:
    """Dot chart: a row for each graph, with a mark for each of several names, such as policies."""
    labels = list(dict.fromkeys(mark.label for mark in marks))
    policies = list(dict.fromkeys(mark.policy for mark in marks))
    rows = _legend_rows(policies)
    # Room for each graph's marks side by side.
    height = max(HEIGHT + _ROW * (rows - 1), 5.0 * len(policies) * len(labels) + 50 + _ROW * rows)
    frame = inside(height, 0.32 * WIDTH, 8 + _ROW * rows)
    ticks = tuple(float(place) for place in range(len(labels)))
    y = Scale("", False, len(labels) - 0.5, -0.5, ticks, tuple(map(_short, labels)))
    layers: list[Layer] = [partial(rule, x=1.0)]
    for position, policy in enumerate(policies):
        shift = min(0.18, 0.8 / len(policies)) * (position - (len(policies) - 1) / 2)
        own = [mark for mark in marks if mark.policy == policy]
        spots = [Point(m.value, labels.index(m.label) + shift, 0.0, 0.0, m.label) for m in own]
        plain: dict[str, Any] = {"joined": False, "whiskers": False, "on_rows": True, "size": 4.5, "cell": title}
        layers.append(partial(series, name=policy, look=looks[policy], points=spots, **plain))
    drawing = _under_legend(height, Chart(frame, x, y, layers), {each: looks[each] for each in policies}, hollow=False)
    parts = "; ".join(f"{mark.policy} on {mark.label} {x.text(mark.value)}" for mark in marks)
    drawn = Drawn(("graph", names, x.label), tuple((mark.label, mark.policy, mark.value) for mark in marks))
    return Panel(title, f"Dot chart, {title}: {x.label}. {parts}.", drawing, drawn, title if names == "policy" else "")


def _short(label: str) -> str:
    """A graph's label, cut to fit beside the panel; the table below has the whole label."""
    return label if len(label) <= 14 else label[:13] + "\N{HORIZONTAL ELLIPSIS}"


def _legend_rows(names: Sequence[str]) -> int:
    return math.ceil(len(names) / _columns(names))


def _columns(names: Sequence[str]) -> int:
    """How many names a legend holds side by side."""
    return min(max(1, len(names)), 3 if max(map(len, names), default=0) < 14 else 2)


def _under_legend(height: float, chart: Chart, looks: Mapping[str, Look], *, hollow: bool) -> str:
    """SVG of a chart below a legend in rows."""
    root = svg.drawing(WIDTH, height)
    draw(root, chart)
    columns = _columns(list(looks))
    for place, (policy, look) in enumerate(looks.items()):
        x, y = 4 + (WIDTH - 4) / max(columns, 2) * (place % columns), 7 + _ROW * (place // columns)
        group = svg.add(root, "g", class_=f"label p:{policy}")
        shape = svg.path([(x + 3, y)]) + svg.marker(look.marker, 4.5)
        svg.add(group, "path", d=shape, stroke=look.colour, fill="none" if hollow else look.colour, stroke_width=0.9)
        svg.words(group, x + 9, y, policy, 8.0)
    return svg.written(root)
