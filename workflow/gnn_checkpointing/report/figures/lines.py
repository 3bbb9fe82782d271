"""Line charts over density: one line per policy with intervals, labelled at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from gnn_checkpointing.report.figures import svg
from gnn_checkpointing.report.figures.chart import ABOVE, BELOW, HEIGHT, Chart, Name, Point, inside, panel
from gnn_checkpointing.report.figures.labels import Box, wrapped
from gnn_checkpointing.report.figures.layers import rule, series
from gnn_checkpointing.report.figures.palette import Look
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.page import Drawn, Panel

__all__ = ["Line", "Point", "lines_over", "spread"]

_NAMES = 64.0
"""Right margin for labels, in points."""
_LINE_HEIGHT = 10.5


@dataclass(frozen=True)
class Line:
    """One policy's points, ordered by x."""

    policy: str
    points: tuple[Point, ...]


def lines_over(
    title: str,
    lines: Sequence[Line],
    looks: Mapping[str, Look],
    x: Scale,
    y: Scale,
    *,
    reference: float | None = None,
    convolution: str = "",
    told: str = "",
    names: str = "policy",
) -> Panel | None:
    """Line chart over x; None if no line has points.

    `reference` draws a horizontal line, such as 1 for ratios. `told` replaces the default text alternative, which gives
    the ends of the lines.
    """
    lines = [line for line in lines if line.points]
    if not lines:
        return None
    ends = "; ".join(
        f"{line.policy} {y.text(line.points[0].y)} at {x.text(line.points[0].x)}, {y.text(line.points[-1].y)} at "
        f"{x.text(line.points[-1].x)}"
        for line in lines
    )
    rows = tuple((line.policy, point.x, point.y, point.low, point.high) for line in lines for point in line.points)
    height = max(HEIGHT, _LINE_HEIGHT * sum(1 + wrapped(line.policy).count("\n") for line in lines) + BELOW + ABOVE)
    frame = inside(height, right=_NAMES)
    rules = [] if reference is None else [partial(rule, y=reference)]
    drawn = [
        partial(series, name=line.policy, look=looks[line.policy], points=line.points, cell=title) for line in lines
    ]
    return Panel(
        title,
        told or f"Line chart, {title}: {y.label} against {x.label}. {ends}.",
        panel(Chart(frame, x, y, [*rules, *drawn], _end_names(lines, looks, frame, x, y)), height),
        Drawn((names, x.label, y.label, "low", "high"), rows),
        convolution,
    )


def _end_names(lines: Sequence[Line], looks: Mapping[str, Look], frame: Box, x: Scale, y: Scale) -> list[Name]:
    """Labels of the lines beside their last points, moved apart where they would touch."""
    texts = [wrapped(line.policy) for line in lines]
    heights = [_LINE_HEIGHT * (1 + text.count("\n")) for text in texts]
    size = 8.0 if max(svg.text_width(text, 8.0) for text in texts) < _NAMES - 4 else 7.0
    starts = [frame.bottom - frame.height * y.share(line.points[-1].y) for line in lines]
    rights = [frame.left + frame.width * x.share(line.points[-1].x) for line in lines]
    places = _inside(spread(starts, heights), heights, frame)
    return [
        Name(
            line.policy,
            text,
            at=(right - frame.left, start - frame.top),
            x=frame.right + 9,
            y=place,
            lead=((right + 3.5, start), (frame.right + 7, place)),
            colour=looks[line.policy].colour,
            size=size,
        )
        for line, text, start, right, place in zip(lines, texts, starts, rights, places, strict=True)
    ]


def _inside(places: Sequence[float], heights: Sequence[float], frame: Box) -> list[float]:
    """Shift all places by the same amount so that as many as possible lie beside the axes."""
    top = min(place - height / 2 for place, height in zip(places, heights, strict=True))
    bottom = max(place + height / 2 for place, height in zip(places, heights, strict=True))
    shift = max(0.0, frame.top - 6 - top) or min(0.0, frame.bottom + 6 - bottom)
    return [place + shift for place in places]


def spread(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Places near the wanted ones, in the same order, no two closer than half the sum of their heights."""
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
