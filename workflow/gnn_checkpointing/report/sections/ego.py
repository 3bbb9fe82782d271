"""Ego networks as inputs: what training needs with them, and what counting their encodings takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gnn_checkpointing.analysis.results import EgoPoint
from gnn_checkpointing.records.encodings import EncodingCost
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Shown, figure, lines_over
from gnn_checkpointing.report.sections.claims import verdict_table
from gnn_checkpointing.report.sections.families import NAMES
from gnn_checkpointing.report.sections.graphs import without_replicate
from gnn_checkpointing.report.tables import Of, table
from gnn_checkpointing.report.texts import texts

_text = texts("ego")

CLAIMS = (
    "bags-peak-above-encodings",
    "checkpointed-bags-peak-above-encodings",
    "bags-lose-more-when-dense",
    "elene-memory",
)
MakeScale = Callable[[Sequence[float], str], Scale]
_FORMS = {"": "graph alone", "encodings": "encodings", "ego_networks": "bag"}


def ego_section(inputs: ReportInputs) -> Section | None:
    """Return the section on ego networks, None where no graph brings any."""
    points = [point for point in inputs.ego.points if point.policy == "none"]
    if not points and not inputs.ego.costs:
        return None
    blocks: list[Block] = [Paragraph(_text("a-node-s-ego-network"))]
    if points:
        blocks += [ego_figure(inputs), _table(inputs)]
    if inputs.ego.costs:
        blocks += [_cost_figure(inputs.ego.costs), _cost_table(inputs.ego.costs)]
    blocks += verdict_table(inputs, "table-ego-verdicts", "What is claimed of ego networks, and its verdict.", CLAIMS)
    return Section("ego", "Ego networks as inputs", tuple(blocks))


def named(point: EgoPoint) -> str:
    """Return what an input is called beside its line, with its radius in brackets."""
    return _FORMS[point.form] + (f" ({point.radius:g})" if point.radius is not None else "")


def _told(point: EgoPoint) -> str:
    """Return what an input is called in a table, where a number has an address."""
    return _FORMS[point.form] + ("" if point.radius is None else f", radius {units.digits(point.radius)}")


def ego_figure(inputs: ReportInputs, name: str = "ego-memory") -> Figure:
    """Peak memory without checkpointing against density, one line per input."""
    points = [point for point in inputs.ego.points if point.policy == "none"]
    x = scales.degree_scale([point.degree for point in points], "average degree of the graph itself")
    y = scales.size_scale([point.peak_memory_bytes for point in points], "peak memory without checkpointing")
    names = list(dict.fromkeys(named(point) for point in sorted(points, key=lambda p: (p.form, p.radius or 0.0))))
    places = [(c, base) for c in inputs.convolutions for base in dict.fromkeys(point.origin for point in points)]

    def line(each: str, place: tuple[str, str]) -> Line:
        own = [p for p in points if (p.convolution, p.origin) == place and named(p) == each]
        return Line(each, tuple(_point(p.degree, p.peak_memory_bytes) for p in sorted(own, key=lambda p: p.degree)))

    return figure(
        f"figure-{name}",
        _text("figure-ego-memory"),
        _text("figure-ego-memory-how_to_read"),
        EFFECTS,
        (
            lines_over(place[0], [line(each, place) for each in names], looks(names), x, y, names="input")
            for place in places
        ),
    )


def _cost_figure(costs: Sequence[EncodingCost]) -> Figure:
    x = scales.degree_scale([cost.average_degree for cost in costs], "average degree")
    radii = sorted({cost.radius for cost in costs})
    ordered = sorted(costs, key=lambda cost: cost.average_degree)

    def shown(title: str, field: str, scale: MakeScale) -> Shown | None:
        lines = [
            Line(
                f"radius {radius}",
                tuple(_point(cost.average_degree, getattr(cost, field)) for cost in ordered if cost.radius == radius),
            )
            for radius in radii
        ]
        y = scale([point.y for line in lines for point in line.points], title.lower())
        return lines_over(title, lines, looks([line.policy for line in lines]), x, y, names="input")

    return figure(
        "figure-ego-cost",
        _text("figure-ego-cost"),
        _text("figure-ego-cost-how_to_read"),
        EFFECTS,
        (
            shown("Seconds", "seconds", scales.time_scale),
            shown("Bytes at once", "peak_bytes", scales.size_scale),
        ),
    )


def _point(x: float, y: float) -> Point:
    return Point(x, y, y, y)


def _table(inputs: ReportInputs) -> Table:
    return table(
        "table-ego",
        _text("table-ego"),
        EFFECTS,
        inputs.ego.points,
        Of("Convolution", "convolution"),
        Of("Graph", lambda point: NAMES.get(point.base, point.base), content="prose"),
        Of("Average degree", "degree", units.plain),
        Of("Input", lambda point: _told(point), content="prose"),
        Of("Nodes", "num_nodes", units.count),
        Of("Edges", "num_edges", units.count),
        Of("Features", "num_features", units.count),
        Of("Policy", "policy", inputs.named, content="text"),
        Of("Peak memory", "peak_memory_bytes", units.size),
        Of("Step time", "step_time_seconds", units.duration),
    )


def _cost_table(costs: Sequence[EncodingCost]) -> Table:
    return Table(
        id="table-ego-cost",
        caption=_text("table-ego-cost"),
        columns=(
            Column("Graph", "", "prose"),
            Column("Edges", "", "number"),
            Column("Radius", "", "number"),
            Column("Time", "", "number"),
            Column("At once", "", "number"),
            Column("Places", "", "number"),
            Column("Pairs", "", "number"),
            Column("Counts", "of nodes", "number"),
            Column("Counts", "of edges", "number"),
        ),
        rows=tuple(
            (
                without_replicate(cost.label),
                units.count(cost.num_edges),
                units.digits(cost.radius),
                units.duration(cost.seconds),
                units.size(cost.peak_bytes),
                *(
                    units.count(value)
                    for value in (cost.node_kinds, cost.edge_kinds, cost.node_counts, cost.edge_counts)
                ),
            )
            for cost in costs
        ),
        source=EFFECTS,
    )
