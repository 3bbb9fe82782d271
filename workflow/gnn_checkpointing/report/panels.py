"""Figures and tables from what they show.

A panel is drawn, described for who cannot see it, and has its numbers to download. A column of a table says its name,
the value that it takes of an item, and how that reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Literal, TypeVar

from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures.lines import Line, line_panel
from gnn_checkpointing.report.figures.palette import Look
from gnn_checkpointing.report.figures.points import Mark, ratio_panel, residual_panel
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.page import Column, Drawn, Figure, Panel, Table

Looks = Mapping[str, Look]
Item = TypeVar("Item")
_NOTHING = Drawn((), ())


@dataclass(frozen=True)
class Shown:
    """One panel: title, what it tells who cannot see it, how to draw it under a name, its numbers, its convolution."""

    title: str
    told: str
    draw: Callable[[str], str]
    drawn: Drawn = _NOTHING
    convolution: str = ""
    role: Literal["drawing", "key"] = "drawing"


def figure(
    id: str,
    caption: str,
    how_to_read: str,
    source: str,
    shown: Iterable[Shown | None],
    size: Literal["small", "wide"] = "small",
) -> Figure:
    """The panels that there are under one caption."""
    there = sorted(filter(None, shown), key=lambda one: one.role != "key")
    keys = sum(one.role == "key" for one in there)
    panels = []
    for place, one in enumerate(there):
        name = f"{id.removeprefix('figure-')}-{'key' if one.role == 'key' else place - keys}"
        panels.append(Panel(name, one.title, one.told, one.draw(name), one.drawn, one.convolution, one.role))
    return Figure(id, caption, how_to_read, tuple(panels), source, size)


def lines_over(
    title: str,
    lines: Sequence[Line],
    looks: Looks,
    x: Scale,
    y: Scale,
    *,
    reference: float | None = None,
    convolution: str = "",
    cell: str = "",
    told: str = "",
    names: str = "policy",
) -> Shown | None:
    """A line for each of several names over x; None without any.

    `told` describes it instead of the ends of its lines. `cell` is what its points are of, if more than the title.
    """
    kept = [line for line in lines if line.points]
    ends = "; ".join(
        f"{line.policy} {y.text(line.points[0].y)} at {x.text(line.points[0].x)}, {y.text(line.points[-1].y)} at "
        f"{x.text(line.points[-1].x)}"
        for line in kept
    )
    rows = ((line.policy, point.x, point.y, point.low, point.high) for line in kept for point in line.points)
    drawn = Drawn((names, x.label, y.label, "low", "high"), tuple(rows))

    words = told or f"Line chart, {title}: {y.label} against {x.label}. {ends}."
    draw = partial(line_panel, lines=kept, looks=looks, x=x, y=y, reference=reference, cell=cell or title)
    return Shown(title, words, draw, drawn, convolution) if kept else None


def marks_on_rows(
    title: str, marks: Sequence[Mark], looks: Looks, x: Scale, *, convolution: str = "", names: str = "policy"
) -> Shown | None:
    """A mark for each of several names on the row of each graph; None without any."""
    parts = "; ".join(f"{mark.policy} on {mark.label} {x.text(mark.value)}{mark.more}" for mark in marks)
    drawn = Drawn(("graph", names, x.label), tuple((mark.label, mark.policy, mark.value) for mark in marks))

    draw = partial(ratio_panel, marks=marks, looks=looks, x=x, cell=title)
    return Shown(title, f"Dot chart, {title}: {x.label}. {parts}.", draw, drawn, convolution) if marks else None


def scattered(
    title: str, lines: Sequence[Line], looks: Looks, x: Scale, y: Scale, told: str, *, diagonal: bool = False
) -> Shown | None:
    """Marks without lines around zero or the diagonal; None without any."""
    rows = ((line.policy, point.x, point.y) for line in lines for point in line.points)
    drawn = Drawn(("policy", x.label, y.label), tuple(rows))
    draw = partial(residual_panel, lines=lines, looks=looks, x=x, y=y, cell=title, diagonal=diagonal)
    return Shown(title, told, draw, drawn, title) if lines else None


@dataclass(frozen=True)
class Of(Generic[Item]):
    """One column. `value` is a field's name or a function of the item; without `words` the value is a text."""

    name: str
    value: str | Callable[[Item], Any]
    words: Callable[..., str] | None = None
    unit: str = ""
    content: Literal["text", "number", "prose"] | None = None

    @property
    def column(self) -> Column:
        """How the table heads it: what has words of its own is a number unless said otherwise."""
        return Column(self.name, self.unit, self.content or ("number" if self.words else "text"))

    def cell(self, item: Item) -> str:
        """The item's value in words, a dash where it has none."""
        value = getattr(item, self.value) if isinstance(self.value, str) else self.value(item)
        if value is None or value == "":
            return units.NOTHING
        if self.words is not None:
            return self.words(value)
        return value if isinstance(value, str) else str(value)


def table(id: str, caption: str, source: str, items: Iterable[Item], *columns: Of[Item] | None) -> Table:
    """A table with a row for each item; a column that is None is left out."""
    kept = [column for column in columns if column is not None]
    rows = tuple(tuple(column.cell(item) for column in kept) for item in items)
    return Table(id, caption, tuple(column.column for column in kept), rows, source)
