"""Memory, time and throughput over density: the same figure and table for each quantity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from gnn_checkpointing.analysis.results import Quantity as RatioName
from gnn_checkpointing.analysis.results import Response
from gnn_checkpointing.records.measurements_table import Value, number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point, lines_over
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import MEASUREMENTS, ReportInputs, Row
from gnn_checkpointing.report.page import Figure, Panel, Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.report.sections.parts import grouped, over_levels, points

_text = Texts("trends")


@dataclass(frozen=True)
class Quantity:
    """What is drawn over density, and how it reads."""

    id: str
    noun: str
    response: Response
    ratio: RatioName
    text: Callable[[float], str]
    scale: Callable[[Sequence[float], str], Scale]
    slope_factor: float
    slope_unit: str

    def value(self, row: Row) -> float | None:
        """A row's value; throughput is nodes per second of its step."""
        value = number(row, self.response)
        if self.id != "throughput":
            return value
        nodes = number(row, "num_nodes")
        return nodes / value if nodes and value else None


MEMORY = Quantity(
    *("memory", "activation memory", "activation_bytes", "activation_ratio"),
    *(units.size, scales.size_scale, 1.0, "bytes per edge"),
)
TIME = Quantity(
    *("time", "step time", "step_time_seconds", "time_ratio"),
    *(units.duration, scales.time_scale, units.NANOSECOND, "ns per edge"),
)
THROUGHPUT = replace(
    TIME,
    id="throughput",
    noun="throughput",
    text=lambda value: f"{units.significant(value)} nodes per second",
    scale=lambda values, _: scales.count_scale(values, "nodes per second"),
)


def graded(inputs: ReportInputs, quantity: Quantity) -> list[Row]:
    """The rows of generated graphs that have the quantity: a cell that was not timed has no step time."""
    return [row for row in inputs.generated if quantity.value(row)]


def _largest_graphs(inputs: ReportInputs, quantity: Quantity) -> list[Row]:
    """The rows of the node count with the most levels of density, of equals the largest."""
    rows = graded(inputs, quantity)
    levels: dict[float, set[Value]] = {}
    for row in rows:
        levels.setdefault(number(row, "num_nodes") or 0, set()).add(row["requested_average_degree"])
    chosen = max(levels, key=lambda nodes: (len(levels[nodes]), nodes), default=0)
    return [row for row in rows if row["num_nodes"] == chosen]


def _levels(largest: Sequence[Row], inputs: ReportInputs, quantity: Quantity) -> dict[str, list[Line]]:
    """Of each convolution, each policy's median over replicates with their range."""
    rows = grouped(largest, lambda row: (row["convolution"], row["policy"]))
    return {
        convolution: [
            Line(policy, _medians(rows[convolution, policy], quantity))
            for policy in inputs.policies
            if (convolution, policy) in rows
        ]
        for convolution in inputs.convolutions
    }


def _medians(rows: Sequence[Row], quantity: Quantity) -> tuple[Point, ...]:
    levels = grouped(rows, lambda row: number(row, "requested_average_degree") or 0)
    found = []
    for degree in sorted(levels):
        values = [value for row in levels[degree] if (value := quantity.value(row))]
        realised = [value for row in levels[degree] if (value := number(row, "average_degree"))]
        cell = f"{rows[0]['convolution']}, {number(rows[0], 'num_nodes'):,.0f} nodes, {len(values)} graphs"
        found.append(Point(median(realised), median(values), min(values), max(values), cell))
    return tuple(found)


def level_figure(inputs: ReportInputs, quantity: Quantity) -> Figure:
    """The quantity itself over degree, one panel per convolution."""
    rows = _largest_graphs(inputs, quantity)
    num_nodes, shown = number(rows[0], "num_nodes") or 0, _levels(rows, inputs, quantity)
    y = quantity.scale([point.y for point in points(shown.values())], quantity.noun)
    x = scales.degree_scale([number(row, "requested_average_degree") or 0 for row in rows])
    against = f"{quantity.noun} against average degree on graphs of {units.count(num_nodes)} nodes"

    def slope(convolution: str, policy: str) -> str:
        if quantity is THROUGHPUT:
            return ""
        law = inputs.law(convolution, policy, quantity.response)
        if law is None:
            return "; no slope was fitted"
        per_edge, level = units.scaled_estimate(law.per_edge, quantity.slope_factor), inputs.regressions.confidence
        return f"; fitted slope {per_edge} {quantity.slope_unit}, {units.confidence(level)} interval in brackets"

    id = "figure-throughput" if quantity is THROUGHPUT else f"figure-{quantity.id}-level"
    panels = panels_of(inputs, shown, (x, y), against, lambda point: quantity.text(point.y), slope)
    return _text.figure(id, MEASUREMENTS, panels, "figure-level", quantity=quantity, num_nodes=num_nodes)


def panels_of(
    inputs: ReportInputs,
    shown: Mapping[str, Sequence[Line]],
    axes: tuple[Scale, Scale],
    against: str,
    end: Callable[[Point], str],
    slope: Callable[[str, str], str],
    reference: float | None = None,
) -> Iterator[Panel | None]:
    """A panel for each convolution, described by both ends of each policy's line and its fitted slope."""
    for name, lines in shown.items():
        told = [f"Line chart, {name}: {against}."]
        for one in lines:
            ends = (f"{end(point)} at degree {units.plain(point.x)}" for point in (one.points[0], one.points[-1]))
            told.append(f"Policy {one.policy}: {', '.join(ends)}{slope(name, one.policy)}.")
        words = " ".join(told)
        yield lines_over(name, lines, looks(inputs.policies), *axes, reference=reference, convolution=name, told=words)


def level_table(inputs: ReportInputs, quantity: Quantity) -> Table:
    """The level figure's numbers."""
    rows = _largest_graphs(inputs, quantity)
    cells = {
        (convolution, one.policy, point.x): point.y
        for convolution, lines in _levels(rows, inputs, quantity).items()
        for one in lines
        for point in one.points
    }
    num_nodes = number(rows[0], "num_nodes") or 0
    known: dict[str, Any] = {"name": "table-level", "quantity": quantity, "num_nodes": num_nodes}
    id = f"table-{quantity.id}-level"
    return over_density(inputs, id, MEASUREMENTS, cells, quantity.text, inputs.policies, units.plain, **known)


def over_density(
    inputs: ReportInputs,
    id: str,
    source: str,
    cells: Mapping[tuple[str, str, Any], Any],
    words: Callable[[Any], str],
    policies: Sequence[str],
    heading: Callable[[Any], str] = str,
    unit: str = "",
    **values: Any,
) -> Table:
    """Cells by convolution, policy and level: a column for each policy, or for each level where policies are many."""
    if inputs.many_policies:
        levels = sorted({level for *_, level in cells}, key=float)
        return over_levels(_text, inputs, id, source, cells, levels, words, heading=heading, **values)

    def of(policy: str) -> Of[tuple[str, Any]]:
        return Of(policy, lambda place: cells.get((place[0], policy, place[1])), words, unit)

    known = dict.fromkeys((name, level) for name, _, level in cells)
    order = inputs.convolutions
    places = sorted(known, key=lambda place: (order.index(place[0]), float(place[1])))
    return _text.table(inputs, id, source, places, *map(of, policies), **values)
