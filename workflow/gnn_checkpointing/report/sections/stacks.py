"""Other stacks than the bare ones of a few layers: deep models, and models with what people add in practice."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import DepthPoint, Estimate
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.panels import lines_over
from gnn_checkpointing.report.sections.parts import grouped, lines_of
from gnn_checkpointing.report.appendix import Texts

_text = Texts("stacks")



def depth_figure(inputs: ReportInputs, name: str = "memory", *, time: bool = False) -> Figure:
    """The activation peak of every policy against the number of layers, or its time divided by none's."""

    def value(point: DepthPoint) -> Estimate | None:
        return point.time_ratio if time else units.estimate_of(*3 * (point.activation_bytes,))

    found = [(point, estimate) for point in inputs.depths.points if (estimate := value(point)) is not None]
    panels = grouped((point for point, _ in found), lambda point: (point.stack, point.num_nodes, point.level))
    ends = [estimate.estimate for _, estimate in found]
    x = scales.degree_scale([point.num_layers for point, _ in found], "layers")
    y = scales.ratio_scale(ends, "step time / none's") if time else scales.size_scale(ends, "activation peak")
    shown = (
        lines_over(
            f"{stack}, {units.count(num_nodes)} nodes, average degree {level}",
            lines_of(own, lambda p: p.policy, inputs.compared if time else inputs.policies, lambda p: p.num_layers, value),
            looks(inputs.policies),
            x,
            y,
            reference=1.0 if time else None,
            convolution=stack,
        )
        for (stack, num_nodes, level), own in panels.items()
    )
    return _text.figure(f"figure-depth-{name}", EFFECTS, shown)
