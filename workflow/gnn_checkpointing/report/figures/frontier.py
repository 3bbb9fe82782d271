"""The frontier: time ratio against memory ratio, a path per policy from sparse to dense, labelled at its dense end."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from gnn_checkpointing.report.figures import svg
from gnn_checkpointing.report.figures.chart import Chart, Layer, Name, Point, panel, span_of
from gnn_checkpointing.report.figures.labels import Box, placed
from gnn_checkpointing.report.figures.layers import HOLLOW, front_line, rule, series, stairs, tell, whisker
from gnn_checkpointing.report.figures.lines import Line
from gnn_checkpointing.report.figures.palette import INK, Look, ramp
from gnn_checkpointing.report.figures.scales import Scale, log_ratio_scale
from gnn_checkpointing.report.figures.svg import Element, marker
from gnn_checkpointing.report.page import Drawn, Panel

_WIDTH, _HEIGHT = 353.0, 262.0
_FRAME = Box(43, 20, 344, 230)
_COLUMNS = 3
"""Policies side by side in the key."""
_LETTERS = 7.0
_INK = Look(INK, "o")
MOST_NAMES = 7
"""Maximum number of labels beside marks; the key has the shape of every policy."""


def frontier_panel(
    paths: Sequence[Line],
    levels: Sequence[str],
    shapes: Mapping[str, Look],
    front: Sequence[str],
    few: Sequence[str],
    others: Sequence[str],
    title: str,
    told: str,
) -> Panel:
    """Panel of one convolution, which is the title, on axes of its own; `levels` are all densities, sparse first.

    Each path holds one policy's memory and time ratios from sparse to dense; a point's `cell` is its level. Of the
    `shapes` the marker is drawn. `front` are the Pareto-optimal policies at the densest level: a line joins them. They
    are labelled first, then the `few`. `others` train a different model: their marks are hollow.
    """
    every = [point for path in paths for point in path.points]
    x = log_ratio_scale([point.x for point in every], "activation memory / none")
    y = log_ratio_scale([end for point in every for end in (point.low, point.high)], "step time / none")
    densest = [(path, path.points[-1]) for path in paths if path.points[-1].cell == levels[-1]]
    best = [(point.x, point.y) for path, point in densest if path.policy in front]
    corners = stairs(sorted([*best, *([(1.0, 1.0)] if "none" in front else [])]))
    none = Point(1.0, 1.0, 1.0, 1.0, "what all others are divided by")
    plain: dict[str, Any] = {"marks": False, "whiskers": False, "width": 0.7, "opacity": 0.3}
    courses = (partial(series, name=path.policy, look=_INK, points=path.points, **plain) for path in paths)
    layers: list[Layer] = [partial(rule, x=1.0), partial(rule, y=1.0), *courses, partial(front_line, corners=corners)]
    layers += [
        partial(_levels, path=p, levels=levels, shape=shapes[p.policy].marker, hollow=p.policy in others, cell=title)
        for p in paths
    ]
    layers.append(partial(series, name="none", look=_INK, points=[none], size=6.5, whiskers=False))
    names = _names(paths, named(paths, front, few), levels, others, corners, x, y)
    drawing = panel(Chart(_FRAME, x, y, layers, names), _HEIGHT, _WIDTH)
    rows = ((path.policy, at.cell, at.x, at.y, at.low, at.high) for path in paths for at in path.points)
    drawn = Drawn(("policy", "average degree asked for", x.label, y.label, "low", "high"), tuple(rows))
    return Panel(title, told, drawing, drawn, title)


def key_panel(shapes: Mapping[str, Look], levels: Sequence[str], others: Sequence[str], told: str) -> Panel:
    """Key to the colours and sizes of densities and to the shape of each policy; `others` are hollow, as in panels."""
    root = svg.drawing(_WIDTH, 28.0 + 15 * math.ceil(len(shapes) / _COLUMNS))
    svg.words(root, 4, 10, "average degree")
    step = min(44.0, 252 / max(1, len(levels)))
    for position, level in enumerate(levels):
        left, colour = 92 + position * step, ramp(_share(level, levels))
        svg.add(root, "path", d=svg.path([(left, 10)]) + marker("o", _size(level, levels)), fill=colour)
        svg.words(root, left + 6, 10, level, 8.0)
    for position, (policy, look) in enumerate(shapes.items()):
        left, top = 8 + (position % _COLUMNS) * 117, 30 + 15 * (position // _COLUMNS)
        fill = HOLLOW | {"stroke": "currentColor"} if policy in others else {"fill_opacity": 0.8}
        svg.add(root, "path", d=svg.path([(left, top)]) + marker(look.marker, 6.5), **fill)
        svg.words(root, left + 9, top, _text(policy, others), 8.0)
    return Panel("Key", told, svg.written(root), role="key")


def _text(policy: str, others: Sequence[str]) -> str:
    """Label of a policy, with an asterisk if it trains a different model."""
    return f"{policy}*" if policy in others else policy


def _levels(
    plot: Element, chart: Chart, *, path: Line, levels: Sequence[str], shape: str, hollow: bool, cell: str
) -> None:
    """Draw a policy's marks, coloured and sized by density; each tells both of its ratios to none."""
    group = svg.add(plot, "g", class_=f"p:{path.policy}", **(HOLLOW if hollow else {}))
    numbers = []
    for point in path.points:
        colour = ramp(_share(point.cell, levels))
        if point.low < point.high:
            svg.add(group, "path", d=whisker(chart, point), stroke_width=1, color=colour)
        mark = marker(shape, _size(point.cell, levels))
        svg.add(group, "path", class_="marks", d=svg.path([chart.at(point.x, point.y)]) + mark, color=colour)
        numbers.append((chart.x.text(point.x), chart.y.text(point.y) + span_of(point, chart.y), point.cell))
    told = "{}: {} of plain training's activation memory, {} of its step time"
    tell(plot, group, told, f"{cell}, average degree {{}}", numbers)


def named(paths: Sequence[Line], front: Sequence[str], few: Sequence[str]) -> list[Line]:
    """Paths to label, at most seven with none: first the front, then the few, each by increasing memory."""
    places = {path.policy: (path.policy not in front, path.policy not in few, path.points[-1].x) for path in paths}
    order = sorted(paths, key=lambda path: (places[path.policy], path.policy))
    return order[: MOST_NAMES - 1]


def _names(
    paths: Sequence[Line],
    chosen: Sequence[Line],
    levels: Sequence[str],
    others: Sequence[str],
    corners: Sequence[tuple[float, float]],
    x: Scale,
    y: Scale,
) -> list[Name]:
    """Labels near none's mark and the densest mark of each chosen path, with a thin line if they had to move away.

    No two of these lines cross. `corners` are the corners of the front.
    """
    one = _spot(1.0, 1.0, x, y)
    spots = {path.policy: [_spot(point.x, point.y, x, y) for point in path.points] for path in paths}
    marks = [_around(one, one, 4.0)]
    for path in paths:
        for point in path.points:
            low, spot, high = (_spot(point.x, value, x, y) for value in (point.low, point.y, point.high))
            marks += [_around(low, high, 1.5), _around(spot, spot, _size(point.cell, levels) / 2 + 1)]
    front = [_spot(*corner, x, y) for corner in corners]
    lines = [[(one[0], _FRAME.bottom), (one[0], _FRAME.top)], [(_FRAME.left, one[1]), (_FRAME.right, one[1])]]
    thin = [_around(spot, spot, 1.0) for line in (*spots.values(), front, *lines) for spot in _along(line)]
    policies = ["none", *(path.policy for path in chosen)]
    anchors = [one, *(spots[policy][-1] for policy in policies[1:])]
    texts = [_text(policy, others) for policy in policies]
    boxes = placed(anchors, texts, marks, _FRAME, _LETTERS, thin)
    found = []
    for policy, text, anchor, box in zip(policies, texts, anchors, boxes, strict=True):
        if box is not None:
            near = box.nearest(anchor)
            lead = (anchor, near) if math.dist(near, anchor) > 7 else None
            at = (anchor[0] - _FRAME.left, anchor[1] - _FRAME.top)
            middle = (box.top + box.bottom) / 2
            found.append(Name(policy, text, at, box.left, middle, lead, size=_LETTERS, side="near"))
    return found


def _around(low: tuple[float, float], high: tuple[float, float], margin: float) -> Box:
    """Bounding box, with a margin, of a vertical line from `low` up to `high`."""
    return Box(low[0] - margin, high[1] - margin, high[0] + margin, low[1] + margin)


def _along(line: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Places along a line, less than 8 points apart."""
    found = []
    for (x0, y0), (x1, y1) in pairwise(line):
        steps = max(1, int(math.dist((x0, y0), (x1, y1)) / 4))
        found += [(x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps) for step in range(steps + 1)]
    return found


def _spot(memory: float, time: float, x: Scale, y: Scale) -> tuple[float, float]:
    across, down = Chart(_FRAME, x, y).at(memory, time)
    return _FRAME.left + across, _FRAME.top + down


def _share(level: str, levels: Sequence[str]) -> float:
    return levels.index(level) / max(1, len(levels) - 1)


def _size(level: str, levels: Sequence[str]) -> float:
    return 4.0 + 2.5 * _share(level, levels)
