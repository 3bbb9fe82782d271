"""Layers of a chart: series of marks and lines, reference lines, fronts, bars and ribbons."""

from collections.abc import Sequence

from gnn_checkpointing.report.figures import svg
from gnn_checkpointing.report.figures.chart import Chart, Point, span_of
from gnn_checkpointing.report.figures.palette import INK, Look
from gnn_checkpointing.report.figures.svg import Element, marker

HOLLOW: dict[str, str | float] = {"fill": "none", "stroke_width": 0.9}
_APART = str.maketrans("¦¶", "||")


def series(
    plot: Element,
    chart: Chart,
    *,
    name: str,
    look: Look,
    points: Sequence[Point],
    joined: bool = True,
    whiskers: bool = True,
    marks: bool = True,
    hollow: bool = False,
    on_rows: bool = False,
    size: float = 4.2,
    width: float = 1.4,
    opacity: float | None = None,
    cell: str = "",
) -> None:
    """Draw a series of marks with whiskers, `joined` by a line or not; a mark shows its numbers when it is pointed at.

    With `on_rows` the value is along x, and the point's cell is the name of its row.
    """
    group = svg.add(plot, "g", class_=f"p:{name}", **(HOLLOW if hollow else {}))
    if look.colour != INK:
        group.set("color", look.colour)
    if opacity is not None:
        group.set("opacity", svg.number(opacity))
    spots = [chart.at(point.x, point.y) for point in points]
    if joined and len(spots) > 1:
        dashes = " ".join(f"{length * width:g}" for length in look.dashes) or None
        svg.add(group, "path", d=svg.path(spots), fill="none", stroke_width=width, stroke_dasharray=dashes)
    bars = "".join(whisker(chart, point) for point in points if whiskers and point.low < point.high)
    if bars:
        svg.add(group, "path", d=bars, stroke_width=1)
    if marks:
        shape = marker(look.marker, size)
        if on_rows:
            tell(plot, group, "{}: {} on {}", cell, [[chart.x.text(point.x), point.cell] for point in points])
        else:
            _tell_values(plot, group, chart, points, cell)
        svg.add(group, "path", class_="marks", d="".join(svg.path([spot]) + shape for spot in spots))


def _tell_values(plot: Element, group: Element, chart: Chart, points: Sequence[Point], cell: str) -> None:
    """Write what marks tell: their two numbers and their cell, which is written once if all share it."""
    cells = {point.cell for point in points}
    apart = len(cells) > 1 or "{}" in "".join(cells)
    numbers = [
        [chart.y.text(point.y) + span_of(point, chart.y), chart.x.text(point.x), *([point.cell] if apart else [])]
        for point in points
    ]
    told = f"{{}}: {{}} at {chart.x.label.partition(' (')[0]} {{}}"
    tell(plot, group, told, "{}" if apart else "".join(cells) or cell, numbers)


def tell(plot: Element, group: Element, told: str, cell: str, numbers: Sequence[Sequence[str]]) -> None:
    """Write the tooltips of a group's marks; a text that all groups of a plot share is written once.

    `told` has a pair of braces for the name of a mark and for each of its `numbers`; `cell` is common to all marks. The
    page's script splits a path of class `marks` into separate marks, each of which shows its numbers.
    """
    told = svg.clean(f"{told}; {cell}" if cell else told)
    if plot.get("data-told", told) != told:
        group.set("data-told", told)
    else:
        plot.set("data-told", told)
    parts = ("¦".join(svg.clean(part).translate(_APART) for part in one) for one in numbers)
    group.set("data-numbers", "¶".join(parts))


def whisker(chart: Chart, point: Point) -> str:
    """Path of a point's interval, with a cap at either end."""
    low, high = chart.at(point.x, point.low), chart.at(point.x, point.high)
    return f"{svg.path([low])}m-2.2 0h4.4{svg.path([low, high])}m-2.2 0h4.4"


def rule(
    plot: Element,
    chart: Chart,
    *,
    x: float | None = None,
    y: float | None = None,
    through: Sequence[tuple[float, float]] = (),
    dashes: str | None = "4 3",
) -> None:
    """Draw a reference line across the axes: vertical at `x`, horizontal at `y`, or `through` two pairs of values."""
    upright = [] if x is None else [(x, chart.y.low), (x, chart.y.high)]
    level = [] if y is None else [(chart.x.low, y), (chart.x.high, y)]
    ends = [chart.at(*pair) for pair in (*upright, *level, *through)]
    svg.add(plot, "path", class_="rule", d=svg.path(ends), stroke_dasharray=dashes)


def stairs(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Corners of a front: from each point right to the x of the next, then down."""
    corners: list[tuple[float, float]] = []
    for x, y in points:
        corners += [(x, corners[-1][1])] if corners else []
        corners.append((x, y))
    return corners


def front_line(plot: Element, chart: Chart, *, corners: Sequence[tuple[float, float]]) -> None:
    """Draw a line through the corners of a front."""
    svg.add(plot, "path", class_="front", d=svg.path([chart.at(*corner) for corner in corners]))


def bars(
    plot: Element,
    chart: Chart,
    *,
    name: str,
    colour: str,
    spans: Sequence[tuple[float, float, float, str]],
    opacity: float | None = None,
) -> None:
    """Draw horizontal bars on rows, from one value to another; each may show a text when it is pointed at."""
    half = 0.35
    group = svg.add(plot, "g", class_=f"p:{name}" if name else None, fill=colour, stroke="none", opacity=opacity)
    said = any(words for *_, words in spans)
    if said:
        tell(plot, group, "{}: {}", "", [[words] for *_, words in spans])
    boxes = (
        [(start, row - half), (end, row - half), (end, row + half), (start, row + half)] for row, start, end, _ in spans
    )
    shapes = "".join(f"{svg.path([chart.at(*corner) for corner in box])}z" for box in boxes)
    svg.add(group, "path", class_="marks" if said else None, d=shapes)


def ribbon(
    plot: Element, chart: Chart, *, xs: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str
) -> None:
    """Fill the area between two lines."""
    there, back = ([chart.at(x, y) for x, y in zip(xs, ends, strict=True)] for ends in (low, high))
    svg.add(plot, "path", class_="ribbon", d=svg.path(there + back[::-1]) + "z", fill=colour)
