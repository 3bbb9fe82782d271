"""Figures from what they show: each panel drawn, described for who cannot see it, and with its numbers to download."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gnn_checkpointing.report.figure import Drawn, Figure, Panel
from gnn_checkpointing.report.figures.lines import Line, line_panel
from gnn_checkpointing.report.figures.palette import Look
from gnn_checkpointing.report.figures.points import Mark, ratio_panel, residual_panel
from gnn_checkpointing.report.figures.scales import Scale

Looks = Mapping[str, Look]


@dataclass(frozen=True)
class Shown:
    """One panel: its title, what it tells who cannot see it, how to draw it, and the convolution that it is about."""

    title: str
    told: str
    draw: Callable[[str], tuple[str, Drawn]]
    convolution: str = ""


def figure(id: str, caption: str, how_to_read: str, source: str, shown: Iterable[Shown | None]) -> Figure:
    """The panels that there are under one caption."""
    panels = []
    for place, one in enumerate(filter(None, shown)):
        name = f"{id.removeprefix('figure-')}-{place}"
        svg, rows = one.draw(name)
        panels.append(Panel(name, one.title, one.told, svg, rows, one.convolution))
    return Figure(id, caption, how_to_read, tuple(panels), source)


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

    def draw(name: str) -> tuple[str, Drawn]:
        return line_panel(name, kept, looks, x, y, reference, cell or title), drawn

    words = told or f"Line chart, {title}: {y.label} against {x.label}. {ends}."
    return Shown(title, words, draw, convolution) if kept else None


def marks_on_rows(
    title: str, marks: Sequence[Mark], looks: Looks, x: Scale, *, convolution: str = "", names: str = "policy"
) -> Shown | None:
    """A mark for each of several names on the row of each graph; None without any."""
    parts = "; ".join(f"{mark.policy} on {mark.label} {x.text(mark.value)}{mark.more}" for mark in marks)
    drawn = Drawn(("graph", names, x.label), tuple((mark.label, mark.policy, mark.value) for mark in marks))

    def draw(name: str) -> tuple[str, Drawn]:
        return ratio_panel(name, marks, looks, x, title), drawn

    return Shown(title, f"Dot chart, {title}: {x.label}. {parts}.", draw, convolution) if marks else None


def scattered(
    title: str, lines: Sequence[Line], looks: Looks, x: Scale, y: Scale, told: str, *, diagonal: bool = False
) -> Shown | None:
    """Marks without lines around zero or the diagonal; None without any."""

    def draw(name: str) -> tuple[str, Drawn]:
        return residual_panel(name, lines, looks, x, y, title, diagonal=diagonal), points_of(lines, x, y)

    return Shown(title, told, draw, title) if lines else None


def points_of(lines: Sequence[Line], x: Scale, y: Scale) -> Drawn:
    """What a panel draws of points that have no interval."""
    rows = ((line.policy, point.x, point.y) for line in lines for point in line.points)
    return Drawn(("policy", x.label, y.label), tuple(rows))
