"""Memory and time against density: each policy's need, its ratio to none's, and where it breaks even."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from gnn_checkpointing.analysis.results import BreakEven, Effect, Estimate, Response
from gnn_checkpointing.analysis.results import Quantity as RatioName
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point, lines_over
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import EFFECTS, MEASUREMENTS, TRENDS, ReportInputs, Row
from gnn_checkpointing.report.page import Figure, Panel, Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.report.sections.parts import in_order, lines_of, over_levels, points
from gnn_checkpointing.sourced import bare

_text = Texts("trends")


@dataclass(frozen=True)
class Quantity:
    """A quantity drawn over density, with its format, scale and unit."""

    id: str
    noun: str
    response: Response
    ratio: RatioName
    text: Callable[[float], str]
    scale: Callable[[Sequence[float], str], Scale]
    slope_factor: float
    slope_unit: str

    def value(self, row: Row) -> float | None:
        """A row's value; for throughput, nodes per second of a step."""
        value, nodes = number(row, self.response), number(row, "num_nodes")
        per_second = nodes / value if nodes and value else None
        return per_second if self.id == "throughput" else value


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
    """Rows on generated graphs that have the quantity; a cell that was not timed has no step time."""
    return [row for row in inputs.generated if quantity.value(row)]


def _largest_graphs(inputs: ReportInputs, quantity: Quantity) -> list[Row]:
    """Rows of the node count with the most density levels; of equals, the largest."""
    by_nodes = grouped(graded(inputs, quantity), lambda row: number(row, "num_nodes") or 0)
    levels = {nodes: len({row["requested_average_degree"] for row in rows}) for nodes, rows in by_nodes.items()}
    return by_nodes[max(levels, key=lambda nodes: (levels[nodes], nodes))]


def _levels(inputs: ReportInputs, quantity: Quantity, policies: Sequence[str]) -> dict[str, list[Line]]:
    """For each convolution, a line per policy: median over replicates, with their range."""
    rows = grouped(_largest_graphs(inputs, quantity), lambda row: (row["convolution"], row["policy"]))
    return {
        name: [Line(policy, _medians(rows[name, policy], quantity)) for policy in policies if (name, policy) in rows]
        for name in inputs.convolutions
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
    """The quantity itself over degree, one panel per convolution; only a few policies if there are many."""
    rows = _largest_graphs(inputs, quantity)
    shown = _levels(inputs, quantity, inputs.few)
    y = quantity.scale([point.y for point in points(shown.values())], quantity.noun)
    x = scales.degree_scale([number(row, "requested_average_degree") or 0 for row in rows])
    known: dict[str, Any] = {"quantity": quantity, "num_nodes": number(rows[0], "num_nodes") or 0}
    known |= {"few": len(inputs.few) < len(inputs.policies), "changed": inputs.quality.not_the_same}
    ends = sorted((number(row, "density") or 0 for row in rows), key=float)
    known |= {"densities": [ends[0], ends[-1]] if ends[0] < ends[-1] else ends[:1], "untimed": inputs.untimed}
    id = "figure-throughput" if quantity is THROUGHPUT else f"figure-{quantity.id}-level"
    return _text.figure(id, MEASUREMENTS, _panels(inputs, shown, (x, y), "level", **known), "figure-level", **known)


def _panels(
    inputs: ReportInputs, shown: Mapping[str, Sequence[Line]], axes: tuple[Scale, Scale], kind: str, **known: Any
) -> Iterator[Panel | None]:
    """A panel for each convolution; its text alternative gives each line's ends and fitted slope."""
    for name, lines in shown.items():
        told = _text(f"figure-{kind}-told", inputs=inputs, convolution=name, lines=lines, **known)
        reference = 1.0 if kind == "ratio" else None
        yield lines_over(name, lines, looks(inputs.policies), *axes, reference=reference, convolution=name, told=told)


def level_table(inputs: ReportInputs, quantity: Quantity) -> Table:
    """Table of the level figure's numbers, for all policies."""
    rows = _largest_graphs(inputs, quantity)
    cells = {
        (convolution, one.policy, point.x): point.y
        for convolution, lines in _levels(inputs, quantity, inputs.policies).items()
        for one in lines
        for point in one.points
    }
    known: dict[str, Any] = {"name": "table-level", "quantity": quantity, "num_nodes": number(rows[0], "num_nodes")}
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
    """Table of cells by convolution, policy and level: a column per policy, or per level if there are many policies."""
    if inputs.many_policies:
        levels = sorted({level for *_, level in cells}, key=float)
        return over_levels(_text, inputs, id, source, cells, levels, words, heading=heading, **values)

    def of(policy: str) -> Of[tuple[str, Any]]:
        return Of(policy, lambda place: cells.get((place[0], policy, place[1])), words, unit)

    order = inputs.convolutions
    places = sorted({(name, level) for name, _, level in cells}, key=lambda at: (order.index(at[0]), float(at[1])))
    return _text.table(inputs, id, source, places, *map(of, policies), **values)


_FURTHEST_DRAWN = 3.0
"""Intervals are cut at this factor from the value: wider ones say little, and would leave no room for the others."""


def _bands(inputs: ReportInputs, quantity: RatioName) -> dict[tuple[str, str, str], Estimate]:
    """Each level's ratio with the interval of its band; empty if any drawn level has no band."""
    found = {
        (band.convolution, band.policy, point.level): point.ratio
        for band in inputs.trends.bands
        if band.quantity == quantity
        for point in band.points
    }
    drawn = [e for e in inputs.effects.generated if getattr(e, quantity) is not None]
    return found if {(e.convolution, e.policy, e.level) for e in drawn} <= set(found) else {}


def ratio_lines(inputs: ReportInputs, convolution: str, quantity: Quantity) -> list[Line]:
    """Each policy's paired ratio at the headline size, with the intervals of its band if there is one."""
    bands = _bands(inputs, quantity.ratio)

    def ratio(effect: Effect) -> Estimate | None:
        own: Estimate | None = getattr(effect, quantity.ratio)
        return bands.get((convolution, effect.policy, effect.level), own)

    def cell(effect: Effect) -> str:
        return f"{convolution}, {effect.cells} cells"

    own = [effect for effect in inputs.effects.generated if effect.convolution == convolution]
    return lines_of(own, lambda e: e.policy, inputs.compared, lambda e: e.average_degree, ratio, cell)


def ratio_figure(inputs: ReportInputs, quantity: Quantity) -> Figure:
    """The paired ratio to policy none over degree, one panel per convolution."""
    shown = {convolution: ratio_lines(inputs, convolution, quantity) for convolution in inputs.convolutions}
    every = points(shown.values())
    ends = [end for p in every for end in (max(p.low, p.y / _FURTHEST_DRAWN), min(p.high, p.y * _FURTHEST_DRAWN))]
    axes = scales.degree_scale([point.x for point in every]), scales.ratio_scale(ends, f"{quantity.noun} / none")
    bands = bool(_bands(inputs, quantity.ratio))
    cut = any(p.low * _FURTHEST_DRAWN < p.y or p.high > p.y * _FURTHEST_DRAWN for p in every)
    known: dict[str, Any] = {"quantity": quantity, "bands": bands, "cut": cut, "level": inputs.effects.confidence}
    known |= {"text": _text, "estimate_of": units.estimate_of}
    id, source = f"figure-{quantity.id}-ratio", TRENDS if bands else EFFECTS
    return _text.figure(id, source, _panels(inputs, shown, axes, "ratio", **known), "figure-ratio", **known)


def ratio_table(inputs: ReportInputs, quantity: Quantity, ratio: str, noun: str) -> Table:
    """Table of the ratios at each level, with intervals."""
    compared = inputs.compared
    found = [effect for effect in in_order(inputs, inputs.effects.generated) if effect.policy in compared]
    cells = {(effect.convolution, effect.policy, effect.level): getattr(effect, ratio) for effect in found}
    places = grouped(inputs.effects.generated, lambda effect: (effect.convolution, effect.level))
    known: dict[str, Any] = {
        "name": "table-ratio",
        "quantity": quantity,
        "noun": noun,
        "degree": lambda place: max(effect.average_degree for effect in places[place]),
        "unit": "/ none",
        "cells_of": lambda place: max(effect.cells for effect in places[place]),
    }
    id = f"table-{quantity.id}-{noun.split()[0].lower()}-ratio"
    return over_density(inputs, id, EFFECTS, cells, units.ratio_estimate, compared, **known)


def break_even_table(inputs: ReportInputs, quantity: RatioName) -> Table | None:
    """Table of break-evens, a row for each convolution and course; None if there are none."""
    compared = inputs.compared
    found = [each for each in inputs.trends.break_evens if each.quantity == quantity and each.policy in compared]
    if not found:
        return None
    # Courses with the same text share one row, even if their exact numbers differ.
    rows = grouped(in_order(inputs, found), lambda each: (each.convolution, bare(in_words(each))))
    words = {course: in_words(own[0]) for (_, course), own in reversed(rows.items())}
    return _text.table(
        inputs,
        f"table-break-even-{quantity.split('_')[0]}",
        TRENDS,
        rows.items(),
        quantity=quantity,
        saving=f"{units.plain(100 * (1 - found[0].threshold))}{units.SPACE}%",
        worth=Facts.worth,
        policies=lambda row: ", ".join(inputs.named(each.policy) for each in row[1]),
        course=lambda row: words[row[0][1]],
    )


def in_words(found: BreakEven) -> str:
    """Course of one policy's ratio in words, such as "stops saving above degree 41 (33-52)"."""
    where = found.average_degree
    degree = where and _text("degree", where=where, open=found.open, interval=units.interval)
    text = _text(f"{found.quantity}-{found.course}", degree=degree)
    unsure = where is None and found.course != "crosses" and not found.certain
    return f"{text}, though not for certain at each" if unsure else text
