"""The frontier: memory ratio against time ratio, a path a policy from sparse to dense, named at its densest point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.canvas import WIDTH, figure_svg, panel_svg
from gnn_checkpointing.report.figures.labels import Box, placed
from gnn_checkpointing.report.figures.marks import tag
from gnn_checkpointing.report.figures.palette import INK, Family, family, ramp
from gnn_checkpointing.report.figures.scales import Scale

PANEL = (4.9, 4.0)
_KEY = (4.9, 1.15)
_LETTERS = 7.0
_LEFT = 0.175 * WIDTH


@dataclass(frozen=True)
class Place:
    """A policy at one density: its position on the frontier, with the interval of its time."""

    level: str
    memory: float
    time: float
    low: float
    high: float


@dataclass(frozen=True)
class Path:
    """One policy from the sparsest level to the densest; hollow where it trains another model."""

    policy: str
    name: str
    places: tuple[Place, ...]
    hollow: bool = False


def frontier_panel(name: str, paths: Sequence[Path], levels: Sequence[str], x: Scale, y: Scale) -> str:
    """Return the SVG of one convolution; `levels` are all densities, sparse before dense."""

    def draw(axes: Axes) -> None:
        scales.apply(axes, x, y)
        axes.axhline(1.0, color=INK, linewidth=0.8, dashes=(4, 3), alpha=0.7)
        axes.axvline(1.0, color=INK, linewidth=0.8, dashes=(4, 3), alpha=0.7)
        for path in paths:
            _draw_path(axes, path, levels)
        _name_ends(axes, paths)

    return panel_svg(name, draw, labels_width=0.80 - _axes_width(), size=PANEL)


def key_panel(name: str, policies: Sequence[str], levels: Sequence[str]) -> str:
    """Return the SVG that explains colours, sizes and shapes."""

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, _KEY[0])
        axes.set_ylim(0, _KEY[1])
        axes.text(0.05, 0.95, "average degree", va="center")
        step = min(0.62, 3.5 / max(1, len(levels)))
        for position, level in enumerate(levels):
            left = 1.3 + position * step
            axes.plot(left, 0.95, "o", color=_colour(level, levels), markersize=_size(level, levels))
            axes.text(left + 0.09, 0.95, level, va="center", fontsize=8)
        for position, member in enumerate(_families(policies)):
            left, height = 0.1 + (position % 2) * 2.4, 0.62 - 0.24 * (position // 2)
            axes.plot(left, height, member.marker, color=INK, markersize=5.5, alpha=0.8)
            axes.text(left + 0.13, height, member.name, va="center", fontsize=8)

    return figure_svg(name, draw, _KEY)


def _families(policies: Sequence[str]) -> list[Family]:
    return list(dict.fromkeys(family(policy) for policy in policies))


def _axes_width() -> float:
    return 0.97 - _LEFT / PANEL[0]


def _draw_path(axes: Axes, path: Path, levels: Sequence[str]) -> None:
    line = axes.plot(
        [place.memory for place in path.places],
        [place.time for place in path.places],
        color=INK,
        linewidth=0.8,
        alpha=0.35,
        zorder=1.5,
    )
    tag(line, "data", path.policy)
    for place in path.places:
        colour = _colour(place.level, levels)
        drawn = axes.errorbar(
            place.memory,
            place.time,
            yerr=[[place.time - place.low], [place.high - place.time]],
            color=colour,
            marker=family(path.policy).marker,
            markersize=_size(place.level, levels),
            markerfacecolor="none" if path.hollow else colour,
            elinewidth=0.9,
        )
        tag(drawn.get_children(), "data", path.policy)


def _name_ends(axes: Axes, paths: Sequence[Path]) -> None:
    """Write each policy's name near its densest point, with a thin line where it had to move away."""
    scale = 72 / axes.figure.dpi
    corners = axes.get_window_extent()
    frame = Box(corners.x0 * scale, corners.y0 * scale, corners.x1 * scale, corners.y1 * scale)
    spots = {path.policy: [_spot(axes, place, scale) for place in path.places] for path in paths}
    marks = [Box(x - 3.5, y - 3.5, x + 3.5, y + 3.5) for each in spots.values() for x, y in each]
    # Along the paths and the dashed lines too, as smaller marks.
    one = axes.transData.transform((1.0, 1.0)) * scale
    lines = [[(one[0], frame.bottom), (one[0], frame.top)], [(frame.left, one[1]), (frame.right, one[1])]]
    marks += [Box(x - 1, y - 1, x + 1, y + 1) for line in (*spots.values(), *lines) for x, y in _along(line)]
    # The most crowded corner is where memory is least: its names choose first.
    order = sorted(paths, key=lambda path: path.places[-1].memory)
    anchors = [spots[path.policy][-1] for path in order]
    boxes = placed(anchors, [path.name for path in order], marks, frame, _LETTERS)
    for path, (x, y), box in zip(order, anchors, boxes, strict=True):
        to_axes = (frame.right - frame.left, frame.top - frame.bottom)
        left, middle = (box.left - frame.left) / to_axes[0], ((box.bottom + box.top) / 2 - frame.bottom) / to_axes[1]
        near = min(max(x, box.left), box.right), min(max(y, box.bottom), box.top)
        if math.dist(near, (x, y)) > 8:
            axes.plot(
                [(x - frame.left) / to_axes[0], (near[0] - frame.left) / to_axes[0]],
                [(y - frame.bottom) / to_axes[1], (near[1] - frame.bottom) / to_axes[1]],
                transform=axes.transAxes,
                color=INK,
                linewidth=0.5,
                alpha=0.6,
                zorder=1.4,
            )
        label = axes.text(left, middle, path.name, transform=axes.transAxes, va="center", ha="left", fontsize=_LETTERS)
        tag(label, "label", path.policy)


def _along(line: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points every few points of length along a line."""
    found = []
    for (x0, y0), (x1, y1) in pairwise(line):
        steps = max(1, int(math.dist((x0, y0), (x1, y1)) / 4))
        found += [(x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps) for step in range(steps + 1)]
    return found


def _spot(axes: Axes, place: Place, scale: float) -> tuple[float, float]:
    x, y = axes.transData.transform((place.memory, place.time))
    return float(x) * scale, float(y) * scale


def _share(level: str, levels: Sequence[str]) -> float:
    return levels.index(level) / max(1, len(levels) - 1)


def _colour(level: str, levels: Sequence[str]) -> str:
    return ramp(_share(level, levels))


def _size(level: str, levels: Sequence[str]) -> float:
    return 3.2 + 3.0 * _share(level, levels)
