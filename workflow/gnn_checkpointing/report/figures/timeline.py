"""Live bytes over one training step: one small drawing a policy, all on the same axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.canvas import figure_svg
from gnn_checkpointing.report.figures.marks import tag
from gnn_checkpointing.report.figures.palette import INK, Look

_COLUMNS = 3
_WIDTH = 4.9
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.62, 0.08, 0.24, 0.42
_GAP, _ROW = 0.14, 1.12
_BUCKETS = 70


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
    """Return the SVG of one convolution's policies, on a logarithmic axis from `low` to `high` bytes."""
    columns = min(_COLUMNS, len(courses))
    rows = math.ceil(len(courses) / columns)
    height = _BOTTOM + rows * (_ROW + _TOP)
    width = (_WIDTH - _LEFT - _RIGHT - (_COLUMNS - 1) * _GAP) / _COLUMNS
    size = (_LEFT + _RIGHT + columns * width + (columns - 1) * _GAP, height)

    def draw(figure: Figure) -> None:
        for number, course in enumerate(courses):
            row, column = divmod(number, columns)
            left = _LEFT + column * (width + _GAP)
            bottom = height - (row + 1) * (_ROW + _TOP)
            axes = figure.add_axes((left / size[0], bottom / height, width / size[0], _ROW / height))
            last = number + columns >= len(courses)
            _draw_course(axes, course, low, high, labelled=(column == 0, last))

    return figure_svg(name, draw, size)


def _draw_course(axes: Axes, course: Course, low: float, high: float, labelled: tuple[bool, bool]) -> None:
    axes.patch.set_visible(False)
    tag(axes, "label", course.policy)
    axes.grid(visible=True, color=INK, alpha=0.13, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_yscale("log")
    axes.set_xlim(0, 1)
    axes.set_ylim(low, high)
    axes.axvline(course.forward_ended, color=INK, linewidth=0.8, dashes=(3, 2), alpha=0.7)
    points = drawn_points(course)
    axes.plot(
        [share for share, _ in points],
        [max(value, low) for _, value in points],
        color=course.look.colour,
        linewidth=1.2,
    )
    axes.set_title(course.policy, loc="left", fontsize=7.5, pad=3)
    axes.text(0.97, 0.94, course.peak, transform=axes.transAxes, ha="right", va="top", fontsize=7)
    y = scales.size_scale([low, high], "")
    y_labels, x_labels = labelled
    kept = [(tick, text) for tick, text in zip(y.ticks, y.tick_labels, strict=True) if low <= tick <= high]
    axes.yaxis.set_major_locator(FixedLocator([tick for tick, _ in kept]))
    axes.yaxis.set_major_formatter(FixedFormatter([text if y_labels else "" for _, text in kept]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    axes.xaxis.set_major_formatter(FixedFormatter(["0", "0.5", "1"] if x_labels else ["", "", ""]))
    axes.tick_params(labelsize=7)
    if x_labels:
        axes.set_xlabel("share of the step", fontsize=7)


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
