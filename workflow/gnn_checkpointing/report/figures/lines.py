"""Lines over density: one line a policy, intervals drawn, each line labelled at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes

from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.canvas import ABOVE, BELOW, HEIGHT, WIDTH, panel_svg
from gnn_checkpointing.report.figures.labels import wrapped
from gnn_checkpointing.report.figures.marks import tag
from gnn_checkpointing.report.figures.palette import INK, Look
from gnn_checkpointing.report.figures.scales import Scale

_LINE_HEIGHT_POINTS = 10.5


@dataclass(frozen=True)
class Point:
    """A value over x, with the ends of its interval or range."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """One policy's points, ordered by x."""

    policy: str
    points: tuple[Point, ...]


def line_panel(
    name: str, lines: Sequence[Line], looks: Mapping[str, Look], x: Scale, y: Scale, reference: float | None = None
) -> str:
    """Return the SVG of one panel; `reference` draws a level line, such as 1 for ratios."""

    def draw(axes: Axes) -> None:
        scales.apply(axes, x, y)
        if reference is not None:
            tag(axes.axhline(reference, color=INK, linewidth=0.8, dashes=(4, 3), alpha=0.7), "data")
        for line in lines:
            _draw_line(axes, line, looks[line.policy])
        _label_ends(axes, lines, looks, y, height - BELOW - ABOVE)

    height = _height(lines)
    return panel_svg(name, draw, labels_width=0.24, size=(WIDTH, height), words=(x.words, y.words))


def _height(lines: Sequence[Line]) -> float:
    """Return the panel's height in inches: more than usual where the names at the ends need it."""
    rows = sum(1 + wrapped(line.policy).count("\n") for line in lines if line.points)
    return max(HEIGHT, rows * _LINE_HEIGHT_POINTS / 72 + BELOW + ABOVE)


def _draw_line(axes: Axes, line: Line, look: Look) -> None:
    xs, ys = [point.x for point in line.points], [point.y for point in line.points]
    spans = [[p.y - p.low for p in line.points], [p.high - p.y for p in line.points]]
    drawn = axes.errorbar(
        xs,
        ys,
        yerr=spans,
        color=look.colour,
        marker=look.marker,
        markersize=4,
        linewidth=1.4,
        elinewidth=1.1,
        capsize=2.2,
        linestyle=(0, look.dashes) if look.dashes else "-",
    )
    tag(drawn.get_children(), "data", line.policy)


def _label_ends(axes: Axes, lines: Sequence[Line], looks: Mapping[str, Look], y: Scale, inches: float) -> None:
    """Write each policy's name beside its last point, moved apart where names would touch."""
    ends = [line for line in lines if line.points]
    texts = [wrapped(line.policy) for line in ends]
    heights = [_LINE_HEIGHT_POINTS * (1 + text.count("\n")) / (72 * inches) for text in texts]
    longest = max((len(part) for text in texts for part in text.split("\n")), default=0)
    transform = axes.transData + axes.transAxes.inverted()
    wanted = [float(transform.transform((line.points[-1].x, line.points[-1].y))[1]) for line in ends]
    for line, text, start, place in zip(ends, texts, wanted, _inside(spread(wanted, heights), heights), strict=True):
        right = float(transform.transform((line.points[-1].x, y.low))[0])
        look = looks[line.policy]
        lead = axes.plot(
            [right + 0.02, 1.045],
            [start, place],
            transform=axes.transAxes,
            color=look.colour,
            linewidth=0.8,
            clip_on=False,
        )
        label = axes.text(
            1.06,
            place,
            text,
            transform=axes.transAxes,
            va="center",
            ha="left",
            fontsize=8 if longest < 13 else 7,
            linespacing=1.05,
        )
        tag(lead, "lead", line.policy)
        tag(label, "label", line.policy)


def _inside(places: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Return the places, all moved by the same, so that as many as can stand beside the axes."""
    if not places:
        return []
    top = max(place + height / 2 for place, height in zip(places, heights, strict=True))
    bottom = min(place - height / 2 for place, height in zip(places, heights, strict=True))
    shift = min(0.0, 1.04 - top) or max(0.0, -0.04 - bottom)
    return [place + shift for place in places]


def spread(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Return places near the wanted ones, in the same order, no two nearer than half the sum of their heights."""
    order = sorted(range(len(wanted)), key=lambda position: (wanted[position], position))
    places = list(wanted)
    for _ in range(200):
        moved = False
        for below, above in pairwise(order):
            gap = (heights[below] + heights[above]) / 2
            lack = gap - (places[above] - places[below])
            if lack > 1e-6:
                places[below] -= lack / 2
                places[above] += lack / 2
                moved = True
        if not moved:
            break
    return places
