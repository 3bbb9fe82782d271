"""Live bytes over one training step: one small drawing a policy, all on the same axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gnn_checkpointing.report.figures import scales, svg
from gnn_checkpointing.report.figures.chart import Chart, Frame, Point, draw
from gnn_checkpointing.report.figures.layers import Rule, Series
from gnn_checkpointing.report.figures.palette import Look
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.page import Drawn
from gnn_checkpointing.sourced import plain

_COLUMNS = 3
_WIDTH = 353.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 45.0, 6.0, 17.0, 30.0
_GAP, _ROW = 10.0, 80.0
_BUCKETS = 48


@dataclass(frozen=True)
class Course:
    """One policy's step: bytes above resident over the share of the step, and where forward ended."""

    policy: str
    look: Look
    shares: tuple[float, ...]
    live_bytes: tuple[float, ...]
    forward_ended: float
    peak: str


def timeline_panel(name: str, courses: Sequence[Course], low: float, high: float) -> str:
    """The SVG of one convolution's policies, on a logarithmic axis from `low` to `high` bytes."""
    columns = min(_COLUMNS, len(courses))
    width = (_WIDTH - _LEFT - _RIGHT - (_COLUMNS - 1) * _GAP) / _COLUMNS
    height = _BOTTOM + math.ceil(len(courses) / columns) * (_ROW + _TOP)
    root = svg.drawing(_LEFT + _RIGHT + columns * width + (columns - 1) * _GAP, height, name)
    for number, course in enumerate(courses):
        row, column = divmod(number, columns)
        left, top = _LEFT + column * (width + _GAP), _TOP + row * (_ROW + _TOP)
        frame = Frame(left, top, left + width, top + _ROW)
        last = number + columns >= len(courses)
        _draw_course(root, course, low, high, frame, labelled=(last, column == 0))
    return svg.written(root)


def _draw_course(
    root: svg.Element, course: Course, low: float, high: float, frame: Frame, labelled: tuple[bool, bool]
) -> None:
    x = Scale("share of the step" if labelled[0] else "", False, 0.0, 1.0, (0.0, 0.5, 1.0), ("0", "0.5", "1"))
    ticks = scales.size_scale([low, high], "")
    kept = [(t, text) for t, text in zip(ticks.ticks, ticks.tick_labels, strict=True) if low <= t <= high]
    y = Scale(course.policy, True, low, high, tuple(t for t, _ in kept), tuple(text for _, text in kept), "size")
    points = [Point(share, max(value, low), 0.0, 0.0) for share, value in drawn_points(course)]
    line = Series(course.policy, course.look, points, marks=False, width=1.2)
    chart = Chart(
        frame,
        x,
        y,
        [Rule(x=course.forward_ended, dashes="3 2"), line],
        title_size=7.5,
        small=True,
        tick_labels=labelled,
    )
    group = draw(root, chart)
    svg.words(group, frame.right - 3, frame.top + 7, course.peak, 7.0, text_anchor="end")


def drawn_points(course: Course) -> list[tuple[float, float]]:
    """Return share of the step and live bytes at the points that are drawn."""
    return thinned(list(zip(course.shares, course.live_bytes, strict=True)), _BUCKETS)


def thinned(points: Sequence[tuple[float, float]], buckets: int) -> list[tuple[float, float]]:
    """Return the points with at most the lowest and the highest of each bucket along x; no peak is lost."""
    groups: dict[int, list[tuple[float, float]]] = {}
    for share, value in points:
        groups.setdefault(min(int(share * buckets), buckets - 1), []).append((share, value))
    kept = []
    for each in groups.values():
        ends = {min(each, key=lambda point: point[1]), max(each, key=lambda point: point[1])}
        kept += sorted(ends)
    return kept


def drawn_courses(courses: Sequence[Course]) -> Drawn:
    """What a panel draws: the points of each policy's step."""
    rows = (
        (course.policy, round(plain(share), 5), value) for course in courses for share, value in drawn_points(course)
    )
    return Drawn(("policy", "share of the step", "live bytes above resident"), tuple(rows))
