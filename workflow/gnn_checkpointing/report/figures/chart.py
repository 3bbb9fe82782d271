"""A chart as data: two axes, layers of marks and lines, and labels. One function draws any chart.

Classes and attributes let the page's script read, hide and move what is drawn: a `g.chart` carries its frame and axes;
in it `.x` and `.y` hold ticks, `svg.plot` the data, `.name` the labels. In a path within `svg.plot`, capital letters
precede positions of data, and small letters precede shapes.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Self

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.report.figures import svg
from gnn_checkpointing.report.figures.labels import Box
from gnn_checkpointing.report.figures.palette import INK
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.figures.svg import Element
from gnn_checkpointing.report.units import interval

WIDTH, HEIGHT = 244.8, 187.2
ABOVE, BELOW = 20.5, 32.0
_LEFT, _RIGHT = 43.0, 6.0
"""Margins in points: title above, x axis below, y ticks on the left, and room right of the last x tick."""


@dataclass(frozen=True)
class Point:
    """A value y at x with the ends of its interval or range, and the cell or cells it was measured in."""

    x: float
    y: float
    low: float
    high: float
    cell: str = ""

    @classmethod
    def of(cls, x: float, value: Estimate | float, cell: str = "") -> Self:
        """An estimate with its interval, or a number without one."""
        ends = (value,) * 3 if isinstance(value, int | float) else (value.estimate, value.low, value.high)
        return cls(x, *ends, cell)


def inside(height: float, left: float = _LEFT, above: float = ABOVE, right: float = _RIGHT) -> Box:
    """Frame of the axes in a drawing of the usual width, with these margins in points."""
    return Box(left, above, WIDTH - right, height - BELOW)


def span_of(point: Point, y: Scale) -> str:
    """The interval of a value in brackets; "" if it has none."""
    return f" ({interval(y.text(point.low), y.text(point.high))})" if point.low < point.high else ""


@dataclass(frozen=True)
class Name:
    """A label, with a thin line to what it names if it had to move away; all coordinates in points of the drawing.

    `at` is the named place, measured from the frame's top left; `x` and `y` are the middle of the label's left edge.
    """

    name: str
    text: str
    at: tuple[float, float]
    x: float
    y: float
    lead: tuple[tuple[float, float], tuple[float, float]] | None = None
    colour: str = INK
    size: float = 8.0
    side: str = ""


Layer = Callable[[Element, "Chart"], None]
"""Function that draws data into the plot of a chart."""


@dataclass(frozen=True)
class Chart:
    """Two axes in a frame, the layers drawn between them, and the labels."""

    frame: Box
    x: Scale
    y: Scale
    layers: Sequence[Layer] = ()
    names: Sequence[Name] = ()
    title_size: float = 8.5
    small: bool = False
    tick_labels: tuple[bool, bool] = (True, True)
    grid: tuple[bool, bool] = (True, True)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Place of a pair of values, from the frame's top left; outside it for values a logarithmic axis lacks."""
        return self.frame.width * self.x.share(x), self.frame.height * (1 - self.y.share(y))


def panel(chart: Chart, height: float = HEIGHT, width: float = WIDTH) -> str:
    """The SVG of one chart."""
    root = svg.drawing(width, height)
    draw(root, chart)
    return svg.written(root)


def draw(parent: Element, chart: Chart) -> Element:
    """Draw a chart into a drawing."""
    frame, x, y = chart.frame, chart.x, chart.y
    edges = " ".join(map(svg.number, astuple(frame)))
    group = svg.add(parent, "g", class_="chart", data_frame=edges, data_x=x.told, data_y=y.told)
    _ticks(group, chart)
    corners = [(frame.left, frame.top), (frame.left, frame.bottom), (frame.right, frame.bottom)]
    svg.add(group, "path", d=svg.path(corners))
    size = 7.0 if chart.small else 8.5
    middle = (frame.left + frame.right) / 2
    if x.label:
        svg.words(group, middle, frame.bottom + (17 if chart.small else 24), x.label, size, text_anchor="middle")
    # The title of the y axis is horizontal and above the axis: it is easier to read and takes no width from the data.
    if y.label:
        left = max(2.0, frame.left - (0 if chart.small else 36))
        svg.words(group, left, frame.top - 10, y.label, chart.title_size)
    plot = svg.add(group, "svg", class_="plot", x=frame.left, y=frame.top, width=frame.width, height=frame.height)
    for layer in chart.layers:
        layer(plot, chart)
    if chart.names:
        names = svg.add(group, "g", class_="names")
        for name in chart.names:
            _name(names, name)
    return group


def _ticks(group: Element, chart: Chart) -> None:
    frame, size = chart.frame, 7.0 if chart.small else 8.0
    kinds = (("x", chart.x, chart.tick_labels[0], chart.grid[0]), ("y", chart.y, chart.tick_labels[1], chart.grid[1]))
    for kind, scale, labelled, grid in kinds:
        ticks, lines = svg.add(group, "g", class_=kind, font_size=size if chart.small else None), ""
        for tick, text in zip(scale.ticks, scale.tick_labels, strict=True):
            if kind == "x":
                place = (frame.left + scale.share(tick) * frame.width, frame.bottom + 9)
                lines += f"M{svg.tenth(place[0])} {svg.tenth(frame.top)}v{svg.tenth(frame.height)}"
            else:
                place = (frame.left - 4, frame.bottom - scale.share(tick) * frame.height)
                lines += f"M{svg.tenth(frame.left)} {svg.tenth(place[1])}h{svg.tenth(frame.width)}"
            if labelled:
                svg.words(ticks, *place, text, size)
        if grid and lines:
            svg.add(ticks, "path", d=lines)


def _name(group: Element, name: Name) -> None:
    at = " ".join(map(svg.tenth, name.at))
    made = svg.add(group, "g", class_=f"name p:{name.name}", data_at=at, data_side=name.side or None)
    svg.add(made, "path", d=svg.path(name.lead) if name.lead else None, stroke=name.colour)
    svg.words(made, name.x, name.y, name.text, name.size)
