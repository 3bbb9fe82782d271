"""What a panel draws, as rows: the numbers behind its marks, under the names that its axes have."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.report.figure import Drawn
from gnn_checkpointing.report.figures import bars
from gnn_checkpointing.report.figures.frontier import Path
from gnn_checkpointing.report.figures.gantt import Bar
from gnn_checkpointing.report.figures.lines import Line
from gnn_checkpointing.report.figures.points import Mark
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.figures.timeline import Course, drawn_points
from gnn_checkpointing.sourced import plain

NOTHING = Drawn((), ())


def of_lines(lines: Sequence[Line], x: Scale, y: Scale, name: str = "policy") -> Drawn:
    """Return points with the ends of their intervals or ranges; `name` is what a line stands for."""
    rows = ((line.policy, point.x, point.y, point.low, point.high) for line in lines for point in line.points)
    return Drawn((name, x.label, y.label, "low", "high"), tuple(rows))


def of_points(lines: Sequence[Line], x: Scale, y: Scale) -> Drawn:
    """Return points that have no interval."""
    rows = ((line.policy, point.x, point.y) for line in lines for point in line.points)
    return Drawn(("policy", x.label, y.label), tuple(rows))


def of_marks(marks: Sequence[Mark], x: Scale, name: str = "policy") -> Drawn:
    """Return marks on the line of a graph; `name` is what a marker stands for."""
    return Drawn(("graph", name, x.label), tuple((mark.label, mark.policy, mark.value) for mark in marks))


def of_paths(paths: Sequence[Path], x: Scale, y: Scale) -> Drawn:
    """Return the places of each policy's path on the frontier."""
    rows = (
        (path.policy, place.level, place.memory, place.time, place.low, place.high)
        for path in paths
        for place in path.places
    )
    return Drawn(("policy", "average degree asked for", x.label, y.label, "low", "high"), tuple(rows))


def of_courses(courses: Sequence[Course]) -> Drawn:
    """Return the drawn points of each policy's step."""
    rows = (
        (course.policy, round(plain(share), 5), value) for course in courses for share, value in drawn_points(course)
    )
    return Drawn(("policy", "share of the step", "live bytes above resident"), tuple(rows))


def of_bars(bars: Sequence[Bar], graphs: Sequence[str]) -> Drawn:
    """Return the turns at the machine."""
    rows = ((graphs[bar.row], bar.process, bar.start, bar.end) for bar in bars)
    return Drawn(("graph", "process", "began (minutes)", "ended (minutes)"), tuple(rows))


def of_limits(found: Sequence[bars.Bar], limit: float) -> Drawn:
    """Return what each policy needs, nothing where it ran out, and the limit."""
    rows = ((bar.name, "" if bar.value is None else bar.value, limit) for bar in found)
    return Drawn(("policy", "peak memory (bytes)", "limit (bytes)"), tuple(rows))
