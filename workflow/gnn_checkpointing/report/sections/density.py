"""Memory and time over density: what is drawn, and the same figure and table for each quantity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from gnn_checkpointing.analysis.results import Effect, Estimate, Response
from gnn_checkpointing.analysis.results import Quantity as RatioName
from gnn_checkpointing.records.measurements_table import Value, number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import MEASUREMENTS, ReportInputs, Row
from gnn_checkpointing.report.page import Column, Table
from gnn_checkpointing.report.panels import figure, lines_over
from gnn_checkpointing.report.texts import texts

_text = texts("density")


@dataclass(frozen=True)
class Quantity:
    """What is drawn over density, and how it reads."""

    id: str
    response: Response
    noun: str
    text: Callable[[float], str]
    scale: Callable[[Sequence[float], str], Scale]
    ratio: Callable[[Effect], Estimate | None]
    ratio_name: RatioName
    ratio_noun: str
    slope_factor: float
    slope_unit: str
    value: Callable[[Row], float | None]


def _rate(row: Row) -> float | None:
    """Nodes per second of a row's step."""
    nodes, seconds = number(row, "num_nodes"), number(row, "step_time_seconds")
    return nodes / seconds if nodes and seconds else None


MEMORY = Quantity(
    id="memory",
    response="activation_bytes",
    noun="activation memory",
    text=units.size,
    scale=scales.size_scale,
    ratio=lambda effect: effect.activation_ratio,
    ratio_name="activation_ratio",
    ratio_noun="activation memory / none's",
    slope_factor=1.0,
    slope_unit="bytes per edge",
    value=lambda row: number(row, "activation_bytes"),
)
TIME = Quantity(
    id="time",
    response="step_time_seconds",
    noun="step time",
    text=units.duration,
    scale=scales.time_scale,
    ratio=lambda effect: effect.time_ratio,
    ratio_name="time_ratio",
    ratio_noun="step time / none's",
    slope_factor=units.NANOSECOND,
    slope_unit="ns per edge",
    value=lambda row: number(row, "step_time_seconds"),
)
THROUGHPUT = replace(
    TIME,
    id="throughput",
    noun="throughput",
    text=lambda value: f"{units.significant(value)} nodes per second",
    scale=lambda values, _: scales.count_scale(values, "nodes per second"),
    ratio=lambda _: None,
    ratio_noun="",
    value=_rate,
)


def graded(inputs: ReportInputs, quantity: Quantity) -> list[Row]:
    """Return the rows of generated graphs that have the quantity: a cell that was not timed has no step time."""
    return [row for row in inputs.generated if quantity.value(row)]


def largest_graphs(inputs: ReportInputs, quantity: Quantity) -> list[Row]:
    """Return the rows of the node count with the most levels of density, of equals the largest."""
    rows = graded(inputs, quantity)
    levels: dict[float, set[Value]] = {}
    for row in rows:
        levels.setdefault(number(row, "num_nodes") or 0, set()).add(row["requested_average_degree"])
    chosen = max(levels, key=lambda nodes: (len(levels[nodes]), nodes), default=0)
    return [row for row in rows if row["num_nodes"] == chosen]


def level_lines(inputs: ReportInputs, convolution: str, quantity: Quantity) -> list[Line]:
    """Return each policy's median over replicates, with their range, for the largest graphs."""
    largest = largest_graphs(inputs, quantity)
    num_nodes = f"{number(largest[0], 'num_nodes'):,.0f}" if largest else ""
    lines = []
    for policy in inputs.policies:
        rows = [row for row in largest if row["convolution"] == convolution and row["policy"] == policy]
        points = []
        for degree in sorted({number(row, "requested_average_degree") or 0 for row in rows}):
            level = [row for row in rows if row["requested_average_degree"] == degree]
            values = [value for row in level if (value := quantity.value(row))]
            realised = [value for row in level if (value := number(row, "average_degree"))]
            if values and realised:
                cell = f"{convolution}, {num_nodes} nodes, {len(values)} graphs"
                points.append(Point(median(realised), median(values), min(values), max(values), cell))
        if points:
            lines.append(Line(policy, tuple(points)))
    return lines


def level_figure(inputs: ReportInputs, quantity: Quantity) -> Figure:
    """Return the quantity itself over degree, one panel a convolution."""
    rows = largest_graphs(inputs, quantity)
    num_nodes = units.count(number(rows[0], "num_nodes") or 0)
    shown = {convolution: level_lines(inputs, convolution, quantity) for convolution in inputs.convolutions}
    y = quantity.scale([p.y for lines in shown.values() for line in lines for p in line.points], quantity.noun)
    x = scales.degree_scale([number(row, "requested_average_degree") or 0 for row in rows])
    return figure(
        "figure-throughput" if quantity is THROUGHPUT else f"figure-{quantity.id}-level",
        _text("of-one-training-step-against", capitalize=quantity.noun.capitalize(), num_nodes=num_nodes),
        _text("on-logarithmic-axes-a-straight"),
        MEASUREMENTS,
        (
            lines_over(
                convolution,
                lines,
                looks(inputs.policies),
                x,
                y,
                convolution=convolution,
                told=_level_alternative(inputs, convolution, quantity, lines, num_nodes),
            )
            for convolution, lines in shown.items()
        ),
    )


def level_table(inputs: ReportInputs, quantity: Quantity) -> Table:
    """Return the level figure's numbers: one row a convolution and degree, one column a policy, or turned if many."""
    if inputs.many_policies:
        return _turned_level_table(inputs, quantity)
    rows = []
    for convolution in inputs.convolutions:
        lines = {line.policy: line for line in level_lines(inputs, convolution, quantity)}
        degrees = sorted({point.x for line in lines.values() for point in line.points})
        for degree in degrees:
            cells = [_level_cell(lines.get(policy), degree, quantity) for policy in inputs.policies]
            rows.append((convolution, units.plain(degree), *cells))
    return Table(
        id=f"table-{quantity.id}-level",
        caption=_level_caption(inputs, quantity),
        columns=(
            Column("Convolution"),
            Column("Average degree", "edges per node", "number"),
            *(Column(policy, "", "number") for policy in inputs.policies),
        ),
        rows=tuple(rows),
        source=MEASUREMENTS,
    )


def _turned_level_table(inputs: ReportInputs, quantity: Quantity) -> Table:
    """Return the same numbers with one row a convolution and policy, one column a degree."""
    shown = {convolution: level_lines(inputs, convolution, quantity) for convolution in inputs.convolutions}
    degrees = sorted({point.x for lines in shown.values() for line in lines for point in line.points})
    return Table(
        id=f"table-{quantity.id}-level",
        caption=_level_caption(inputs, quantity),
        columns=(Column("Convolution"), Column("Policy"), *degree_columns(units.plain(degree) for degree in degrees)),
        rows=tuple(
            (
                convolution,
                inputs.named(line.policy),
                *(_level_cell(line, degree, quantity) for degree in degrees),
            )
            for convolution, lines in shown.items()
            for line in lines
        ),
        source=MEASUREMENTS,
    )


def degree_columns(degrees: Iterable[str]) -> tuple[Column, ...]:
    """Return a column for each degree."""
    return tuple(Column(degree, "degree", "number") for degree in degrees)


def _level_caption(inputs: ReportInputs, quantity: Quantity) -> str:
    num_nodes = units.count(number(largest_graphs(inputs, quantity)[0], "num_nodes") or 0)
    turned = ", by average degree" if inputs.many_policies else ""
    return _text(
        "of-one-training-step-median", capitalize=quantity.noun.capitalize(), num_nodes=num_nodes, turned=turned
    )


def estimate_cell(estimate: Estimate | None) -> str:
    """Return a ratio with its interval, or a dash where there is none."""
    return units.NOTHING if estimate is None else units.ratio_estimate(estimate)


def _level_cell(line: Line | None, degree: float, quantity: Quantity) -> str:
    values = [point.y for point in line.points if point.x == degree] if line else []
    return quantity.text(values[0]) if values else units.NOTHING


def _level_alternative(
    inputs: ReportInputs, convolution: str, quantity: Quantity, lines: Sequence[Line], num_nodes: str
) -> str:
    """Return what a reader who cannot see the panel should know, the fitted slope with its interval included."""
    level = units.confidence(inputs.regressions.confidence)
    sentences = [f"Line chart, {convolution}: {quantity.noun} against average degree on graphs of {num_nodes} nodes."]
    for line in lines:
        first, last = line.points[0], line.points[-1]
        text = (
            f"Policy {line.policy}: {quantity.text(first.y)} at degree {units.plain(first.x)}, "
            f"{quantity.text(last.y)} at degree {units.plain(last.x)}"
        )
        law = inputs.law(convolution, line.policy, quantity.response)
        if quantity.id == "throughput":
            sentences.append(f"{text}.")
        elif law is None:
            sentences.append(f"{text}; no slope was fitted.")
        else:
            slope = units.scaled_estimate(law.per_edge, quantity.slope_factor)
            sentences.append(f"{text}; fitted slope {slope} {quantity.slope_unit}, {level} interval in brackets.")
    return " ".join(sentences)
