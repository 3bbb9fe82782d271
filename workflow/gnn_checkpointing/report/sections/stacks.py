"""Other models and inputs than the plain ones: deep stacks, stacks as in practice, and ego networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gnn_checkpointing.analysis.results import Effect, Estimate
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Figure
from gnn_checkpointing.report.panels import Shown, lines_over
from gnn_checkpointing.report.sections.parts import grouped, line, lines_of, points

_text = Texts("stacks")


def depth_figure(inputs: ReportInputs, name: str = "memory", *, time: bool = False) -> Figure:
    """The activation peak of every policy against the number of layers, or its time divided by none's."""

    def value(point: Effect) -> Estimate | None:
        return point.time_ratio if time else units.estimate_of(*3 * (point.activation_bytes,))

    found = [(point, estimate) for point in inputs.depths.points if (estimate := value(point)) is not None]
    panels = grouped((point for point, _ in found), lambda point: (point.stack, point.num_nodes, point.level))
    ends = [estimate.estimate for _, estimate in found]
    x = scales.degree_scale([point.num_layers for point, _ in found], "layers")
    y = scales.ratio_scale(ends, "step time / none's") if time else scales.size_scale(ends, "activation peak")
    order = inputs.compared if time else inputs.policies
    shown = (
        lines_over(
            f"{stack}, {units.count(num_nodes)} nodes, average degree {level}",
            lines_of(own, lambda p: p.policy, order, lambda p: p.num_layers, value),
            looks(inputs.policies),
            x,
            y,
            reference=1.0 if time else None,
            convolution=stack,
        )
        for (stack, num_nodes, level), own in panels.items()
    )
    return _text.figure(f"figure-depth-{name}", EFFECTS, shown)


def _named(point: Effect) -> str:
    """What an input is called in a figure, with its radius in brackets."""
    return _text.names("forms")[point.form] + ("" if point.radius is None else f" ({point.radius:g})")


def ego_figure(inputs: ReportInputs, name: str = "ego-memory") -> Figure:
    """Peak memory without checkpointing against density, one line per input."""
    found = [point for point in inputs.ego.points if point.policy == "none"]
    shown = sorted(found, key=lambda point: (point.form, point.radius or 0.0))
    names = list(dict.fromkeys(_named(point) for point in shown))
    x = scales.degree_scale([point.degree for point in found], "average degree of the graph itself")
    y = scales.size_scale([point.peak_memory_bytes for point in found], "peak memory without checkpointing")

    def panel(convolution: str, origin: str) -> Shown | None:
        own = [point for point in shown if (point.convolution, point.origin) == (convolution, origin)]
        lines = grouped(own, lambda point: _named(point))
        drawn = [line(each, of, lambda p: p.degree, lambda p: p.peak_memory_bytes) for each, of in lines.items()]
        return lines_over(convolution, drawn, looks(names), x, y, names="input")

    origins = dict.fromkeys(point.origin for point in found)
    panels = (panel(convolution, origin) for convolution in inputs.convolutions for origin in origins)
    return _text.figure(f"figure-{name}", EFFECTS, panels, "figure-ego-memory")


def cost_figure(inputs: ReportInputs) -> Figure:
    """What counting the encodings takes against density, a line for each radius."""
    costs = inputs.ego.costs
    x = scales.degree_scale([cost.average_degree for cost in costs], "average degree")
    radii = grouped(sorted(costs, key=lambda cost: cost.radius), lambda cost: cost.radius)

    def shown(title: str, field: str, scale: Callable[[Sequence[float], str], Scale]) -> Shown | None:
        lines = [
            line(f"radius {radius}", own, lambda cost: cost.average_degree, lambda cost: getattr(cost, field))
            for radius, own in radii.items()
        ]
        y = scale([point.y for point in points([lines])], title.lower())
        return lines_over(title, lines, looks([each.policy for each in lines]), x, y, names="input")

    panels = shown("Seconds", "seconds", scales.time_scale), shown("Bytes at once", "peak_bytes", scales.size_scale)
    return _text.figure("figure-ego-cost", EFFECTS, panels)
