"""Ego networks as inputs: what training needs with them, and what counting their encodings takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gnn_checkpointing.analysis.results import EgoPoint
from gnn_checkpointing.records.graph_facts import EncodingCost
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Section
from gnn_checkpointing.report.panels import Of, Shown, figure, lines_over, table
from gnn_checkpointing.report.sections.claims import verdict_table
from gnn_checkpointing.report.sections.families import NAMES
from gnn_checkpointing.report.sections.graphs import without_replicate
from gnn_checkpointing.report.sections.parts import CONVOLUTION, Columns, blocks, line, of_policy, points
from gnn_checkpointing.report.texts import texts

_text = texts("ego")

CLAIMS = (
    "bags-peak-above-encodings",
    "checkpointed-bags-peak-above-encodings",
    "bags-lose-more-when-dense",
    "elene-memory",
)
_FORMS = {"": "graph alone", "encodings": "encodings", "ego_networks": "bag"}
_COSTS: Columns = (
    Of("Graph", lambda cost: without_replicate(cost.label), content="prose"),
    Of("Edges", "num_edges", units.count),
    Of("Radius", "radius", units.digits),
    Of("Time", "seconds", units.duration),
    Of("At once", "peak_bytes", units.size),
    Of("Places", "node_kinds", units.count),
    Of("Pairs", "edge_kinds", units.count),
    Of("Counts", "node_counts", units.count, "of nodes"),
    Of("Counts", "edge_counts", units.count, "of edges"),
)


def ego_section(inputs: ReportInputs) -> Section | None:
    """Every input and the cost of encodings, None where no graph brings any."""
    costs = inputs.ego.costs
    plain = any(point.policy == "none" for point in inputs.ego.points)
    if not plain and not costs:
        return None
    inputs_table = table(
        "table-ego",
        _text("table-ego"),
        EFFECTS,
        inputs.ego.points,
        CONVOLUTION,
        Of("Graph", lambda point: NAMES.get(point.base, point.base), content="prose"),
        Of("Average degree", "degree", units.plain),
        Of("Input", lambda point: _named(point, ", radius {}", units.digits), content="prose"),
        Of("Nodes", "num_nodes", units.count),
        Of("Edges", "num_edges", units.count),
        Of("Features", "num_features", units.count),
        of_policy(inputs),
        Of("Peak memory", "peak_memory_bytes", units.size),
        Of("Step time", "step_time_seconds", units.duration),
    )
    costs_table = table("table-ego-cost", _text("table-ego-cost"), EFFECTS, costs, *_COSTS)
    parts = blocks(
        _text("a-node-s-ego-network"),
        [ego_figure(inputs), inputs_table] if plain else None,
        [_cost_figure(costs) if costs else None, costs_table],
        verdict_table(inputs, "table-ego-verdicts", _text("table-ego-verdicts"), CLAIMS),
    )
    return Section("ego", "Ego networks as inputs", parts)


def _named(point: EgoPoint, radius: str, words: Callable[[float], str]) -> str:
    """What an input is called, with its radius."""
    return _FORMS[point.form] + ("" if point.radius is None else radius.format(words(point.radius)))


def ego_figure(inputs: ReportInputs, name: str = "ego-memory") -> Figure:
    """Peak memory without checkpointing against density, one line per input."""
    shown = [point for point in inputs.ego.points if point.policy == "none"]
    named = [(_named(p, " ({})", "{:g}".format), p) for p in sorted(shown, key=lambda p: (p.form, p.radius or 0.0))]
    names = list(dict.fromkeys(name for name, _ in named))
    x = scales.degree_scale([point.degree for point in shown], "average degree of the graph itself")
    y = scales.size_scale([point.peak_memory_bytes for point in shown], "peak memory without checkpointing")

    def panel(convolution: str, base: str) -> Shown | None:
        own = [(name, p) for name, p in named if (p.convolution, p.origin) == (convolution, base)]
        lines = {each: [p for name, p in own if name == each] for each in names}
        drawn = [line(each, of, lambda p: p.degree, lambda p: p.peak_memory_bytes) for each, of in lines.items()]
        return lines_over(convolution, drawn, looks(names), x, y, names="input")

    bases = dict.fromkeys(point.origin for point in shown)
    return figure(
        f"figure-{name}",
        _text("figure-ego-memory"),
        _text("figure-ego-memory-how-to-read"),
        EFFECTS,
        (panel(convolution, base) for convolution in inputs.convolutions for base in bases),
    )


def _cost_figure(costs: Sequence[EncodingCost]) -> Figure:
    radii = sorted({cost.radius for cost in costs})
    x = scales.degree_scale([cost.average_degree for cost in costs], "average degree")

    def shown(title: str, field: str, scale: Callable[[Sequence[float], str], Scale]) -> Shown | None:
        lines = [
            line(
                f"radius {radius}",
                [cost for cost in costs if cost.radius == radius],
                lambda cost: cost.average_degree,
                lambda cost: getattr(cost, field),
            )
            for radius in radii
        ]
        y = scale([point.y for point in points([lines])], title.lower())
        return lines_over(title, lines, looks([each.policy for each in lines]), x, y, names="input")

    return figure(
        "figure-ego-cost",
        _text("figure-ego-cost"),
        _text("figure-ego-cost-how-to-read"),
        EFFECTS,
        (shown("Seconds", "seconds", scales.time_scale), shown("Bytes at once", "peak_bytes", scales.size_scale)),
    )
