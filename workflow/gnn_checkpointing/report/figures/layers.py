"""What a chart draws at values: series of marks and lines, lines of reference, fronts and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gnn_checkpointing.report.figures import svg
from gnn_checkpointing.report.figures.chart import Place, Point, span_of
from gnn_checkpointing.report.figures.marks import marker
from gnn_checkpointing.report.figures.palette import INK, Look
from gnn_checkpointing.report.figures.svg import Element


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

    def draw(self, plot: Element, place: Place) -> None:
        """Draw the line, then whiskers, then marks."""
        group = series(plot, self.name, self.told(place) if self.marks else None, hollow=self.hollow)
        if self.look.colour != INK:
            group.set("color", self.look.colour)
        if self.opacity is not None:
            group.set("opacity", svg.number(self.opacity))
        spots = [place.at(point.x, point.y) for point in self.points]
        if self.joined and len(spots) > 1:
            dashes = " ".join(f"{length * self.width:g}" for length in self.look.dashes) or None
            svg.add(group, "path", d=svg.path(spots), fill="none", stroke_width=self.width, stroke_dasharray=dashes)
        bars = "".join(whisker(place, point) for point in self.points if self.whiskers and point.low < point.high)
        if bars:
            svg.add(group, "path", d=bars, stroke_width=1)
        for point, spot in zip(self.points, spots, strict=True):
            if self.marks:
                made = svg.add(group, "path", d=svg.path([spot]) + marker(self.look.marker, self.size))
                svg.add(made, "title").text = "\n".join(map(svg.clean, self.numbers(point, place)))

    def told(self, place: Place) -> str:
        """What every mark says, with a pair of braces for its name and for each of its `numbers`."""
        across = place.x.label.partition(" (")[0]
        cell = "; {}" if any(point.cell for point in self.points) else f"; {self.cell}" if self.cell else ""
        return f"{{}}: {{}} at {across} {{}}{cell}"

    def numbers(self, point: Point, place: Place) -> list[str]:
        """What one mark alone says, a part a line: a page's script puts it into what all say."""
        own = [point.cell] if any(point.cell for point in self.points) else []
        return [place.y.text(point.y) + span_of(point, place.y), place.x.text(point.x), *own]


def series(plot: Element, name: str, told: str | None, *, hollow: bool) -> Element:
    """A group for what has one name; what its marks say is written once a plot."""
    known = plot.get("data-told")
    if told is not None and known is None:
        plot.set("data-told", svg.clean(told))
    own = None if told is None or known in (None, svg.clean(told)) else told
    looks = {"fill": "none", "stroke_width": 0.9} if hollow else {}
    return svg.add(plot, "g", class_=f"p:{name}", data_told=own, **looks)


def whisker(place: Place, point: Point) -> str:
    """The interval of a point, with a cap at either end."""
    low, high = place.at(point.x, point.low), place.at(point.x, point.high)
    return f"{svg.path([low])}m-2.2 0h4.4{svg.path([low, high])}m-2.2 0h4.4"


@dataclass(frozen=True)
class Rule:
    """A line of reference: level, upright, or through two pairs of values; with words at its end where it needs any."""

    x: float | None = None
    y: float | None = None
    through: tuple[tuple[float, float], tuple[float, float]] | None = None
    dashes: str | None = "4 3"
    text: str = ""

    def draw(self, plot: Element, place: Place) -> None:
        """Draw from one end of the axes to the other."""
        if self.through is not None:
            ends = [place.at(*pair) for pair in self.through]
        elif self.y is not None:
            ends = [place.at(place.x.low, self.y), place.at(place.x.high, self.y)]
        else:
            ends = [place.at(self.x or 0.0, place.y.low), place.at(self.x or 0.0, place.y.high)]
        svg.add(
            plot, "path", class_="data", d=svg.path(ends), stroke_width=0.8, stroke_opacity=0.7,
            stroke_dasharray=self.dashes,
        )  # fmt: skip


@dataclass(frozen=True)
class Steps:
    """A front: from each value to the next one to the right, then down."""

    points: Sequence[tuple[float, float]]

    def draw(self, plot: Element, place: Place) -> None:
        """Draw the corners."""
        corners: list[tuple[float, float]] = []
        for x, y in self.points:
            corners += [(x, corners[-1][1])] if corners else []
            corners.append((x, y))
        svg.add(
            plot, "path", class_="data front", d=svg.path([place.at(*corner) for corner in corners]), fill="none",
            stroke_width=1.1, stroke_opacity=0.55,
        )  # fmt: skip


@dataclass(frozen=True)
class Bars:
    """Level bars on rows: from one value to another; each says what it is when it is pointed at."""

    name: str
    colour: str
    spans: Sequence[tuple[float, float, float, str]]
    thick: float = 0.7
    opacity: float | None = None

    def draw(self, plot: Element, place: Place) -> None:
        """Draw every bar; those that say nothing are one path."""
        name = f"p:{self.name}" if self.name else None
        group = svg.add(plot, "g", class_=name, fill=self.colour, stroke="none", opacity=self.opacity)
        silent = ""
        for row, start, end, words in self.spans:
            half = self.thick / 2
            box = [(start, row - half), (end, row - half), (end, row + half), (start, row + half)]
            shape = svg.path([place.at(*corner) for corner in box]) + "z"
            if words:
                svg.add(svg.add(group, "path", d=shape), "title").text = svg.clean(words)
            else:
                silent += shape
        if silent:
            svg.add(group, "path", d=silent)


@dataclass(frozen=True)
class Ribbon:
    """The area between two lines."""

    xs: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    colour: str

    def draw(self, plot: Element, place: Place) -> None:
        """Draw from left to right and back."""
        there = [place.at(x, y) for x, y in zip(self.xs, self.low, strict=True)]
        back = [place.at(x, y) for x, y in zip(self.xs, self.high, strict=True)]
        outline = svg.path(there + back[::-1]) + "z"
        svg.add(plot, "path", class_="data", d=outline, fill=self.colour, fill_opacity=0.2, stroke="none")
