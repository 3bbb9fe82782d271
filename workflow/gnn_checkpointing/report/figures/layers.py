"""What a chart draws at values: series of marks and lines, lines of reference, fronts and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gnn_checkpointing.report.figures import svg
from gnn_checkpointing.report.figures.chart import Chart, Point, span_of
from gnn_checkpointing.report.figures.palette import INK, Look
from gnn_checkpointing.report.figures.svg import Element, marker

HOLLOW: dict[str, str | float] = {"fill": "none", "stroke_width": 0.9}
_APART = str.maketrans("¦¶", "||")


@dataclass(frozen=True)
class Series:
    """Marks of one name, `joined` by a line or not, with whiskers; a mark tells its numbers when it is pointed at."""

    name: str
    look: Look
    points: Sequence[Point]
    joined: bool = True
    whiskers: bool = True
    marks: bool = True
    hollow: bool = False
    size: float = 4.2
    width: float = 1.4
    opacity: float | None = None
    cell: str = ""

    def draw(self, plot: Element, chart: Chart) -> None:
        """Draw the line, then whiskers, then marks."""
        group = svg.add(plot, "g", class_=f"p:{self.name}", **(HOLLOW if self.hollow else {}))
        if self.look.colour != INK:
            group.set("color", self.look.colour)
        if self.opacity is not None:
            group.set("opacity", svg.number(self.opacity))
        spots = [chart.at(point.x, point.y) for point in self.points]
        if self.joined and len(spots) > 1:
            dashes = " ".join(f"{length * self.width:g}" for length in self.look.dashes) or None
            svg.add(group, "path", d=svg.path(spots), fill="none", stroke_width=self.width, stroke_dasharray=dashes)
        bars = "".join(whisker(chart, point) for point in self.points if self.whiskers and point.low < point.high)
        if bars:
            svg.add(group, "path", d=bars, stroke_width=1)
        if self.marks:
            shape = marker(self.look.marker, self.size)
            tell(plot, group, self.told(chart), [self.numbers(point, chart) for point in self.points])
            svg.add(group, "path", class_="marks", d="".join(svg.path([spot]) + shape for spot in spots))

    @property
    def _shared(self) -> str | None:
        """The cell that all marks are of, None where each says its own."""
        cells = {point.cell for point in self.points}
        return None if len(cells) > 1 or "{}" in "".join(cells) else "".join(cells) or self.cell

    def told(self, chart: Chart) -> str:
        """What every mark says, with a pair of braces for its name and for each of its `numbers`."""
        cell = "{}" if self._shared is None else self._shared
        return f"{{}}: {{}} at {chart.x.label.partition(' (')[0]} {{}}" + (f"; {cell}" if cell else "")

    def numbers(self, point: Point, chart: Chart) -> list[str]:
        """What one mark alone says: a page's script puts it into what all say."""
        own = [point.cell] if self._shared is None else []
        return [chart.y.text(point.y) + span_of(point, chart.y), chart.x.text(point.x), *own]


def tell(plot: Element, group: Element, told: str, numbers: Sequence[Sequence[str]]) -> None:
    """Write what each of the marks in a group says: what all of a plot say only once.

    The page's script makes the pieces of a path of class `marks` marks of their own, each of which says its numbers.
    """
    told = svg.clean(told)
    if plot.get("data-told", told) != told:
        group.set("data-told", told)
    else:
        plot.set("data-told", told)
    parts = ("¦".join(svg.clean(part).translate(_APART) for part in one) for one in numbers)
    group.set("data-numbers", "¶".join(parts))


def whisker(chart: Chart, point: Point) -> str:
    """The interval of a point, with a cap at either end."""
    low, high = chart.at(point.x, point.low), chart.at(point.x, point.high)
    return f"{svg.path([low])}m-2.2 0h4.4{svg.path([low, high])}m-2.2 0h4.4"


@dataclass(frozen=True)
class Rule:
    """A line of reference: level, upright, or through two pairs of values."""

    x: float | None = None
    y: float | None = None
    through: tuple[tuple[float, float], tuple[float, float]] | None = None
    dashes: str | None = "4 3"

    def draw(self, plot: Element, chart: Chart) -> None:
        """Draw from one end of the axes to the other."""
        if self.through is not None:
            ends = [chart.at(*pair) for pair in self.through]
        elif self.y is not None:
            ends = [chart.at(chart.x.low, self.y), chart.at(chart.x.high, self.y)]
        else:
            ends = [chart.at(self.x or 0.0, chart.y.low), chart.at(self.x or 0.0, chart.y.high)]
        svg.add(plot, "path", class_="rule", d=svg.path(ends), stroke_dasharray=self.dashes)


@dataclass(frozen=True)
class Steps:
    """A front: from each value to the next one to the right, then down."""

    points: Sequence[tuple[float, float]]

    def draw(self, plot: Element, chart: Chart) -> None:
        """Draw the corners."""
        corners: list[tuple[float, float]] = []
        for x, y in self.points:
            corners += [(x, corners[-1][1])] if corners else []
            corners.append((x, y))
        svg.add(plot, "path", class_="front", d=svg.path([chart.at(*corner) for corner in corners]))


@dataclass(frozen=True)
class Bars:
    """Level bars on rows: from one value to another; each may say what it is when it is pointed at."""

    name: str
    colour: str
    spans: Sequence[tuple[float, float, float, str]]
    opacity: float | None = None

    def draw(self, plot: Element, chart: Chart) -> None:
        """Draw every bar."""
        name, half = f"p:{self.name}" if self.name else None, 0.35
        group = svg.add(plot, "g", class_=name, fill=self.colour, stroke="none", opacity=self.opacity)
        if any(words for *_, words in self.spans):
            tell(plot, group, "{}: {}", [[words] for *_, words in self.spans])
        boxes = (
            [(start, row - half), (end, row - half), (end, row + half), (start, row + half)]
            for row, start, end, _ in self.spans
        )
        shapes = "".join(f"{svg.path([chart.at(*corner) for corner in box])}z" for box in boxes)
        svg.add(group, "path", class_="marks" if "data-numbers" in group.attrib else None, d=shapes)


@dataclass(frozen=True)
class Ribbon:
    """The area between two lines."""

    xs: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    colour: str

    def draw(self, plot: Element, chart: Chart) -> None:
        """Draw from left to right and back."""
        there = [chart.at(x, y) for x, y in zip(self.xs, self.low, strict=True)]
        back = [chart.at(x, y) for x, y in zip(self.xs, self.high, strict=True)]
        outline = svg.path(there + back[::-1]) + "z"
        svg.add(plot, "path", class_="ribbon", d=outline, fill=self.colour)
