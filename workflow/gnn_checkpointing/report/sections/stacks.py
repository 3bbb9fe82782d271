"""Other stacks than the bare ones of a few layers: deep models, and models with what people add in practice."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import DepthPoint, Estimate
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Section
from gnn_checkpointing.report.panels import lines_over
from gnn_checkpointing.report.sections.claims import verdict_table
from gnn_checkpointing.report.sections.parts import blocks, grouped, line
from gnn_checkpointing.report.texts import Texts

_text = Texts("stacks")



def depth_section(inputs: ReportInputs) -> Section | None:
    """Deep models, None where the study's models have one depth."""
    found = inputs.depths.points
    if not found:
        return None
    timed = any(point.time_ratio for point in found)
    parts = blocks(
        _text("depth"),
        [depth_figure(inputs), depth_figure(inputs, "time", time=True) if timed else None],
        _text.table(inputs, "table-depth", EFFECTS, found, confidence=inputs.depths.confidence),
        verdict_table(_text, inputs, "table-depth-verdicts"),
    )
    return Section("depth", "Deep models", parts)


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
            [
                line(policy, [p for p in own if p.policy == policy], lambda p: p.num_layers, value)
                for policy in (inputs.compared if time else inputs.policies)
            ],
            looks(inputs.policies),
            x,
            y,
            reference=1.0 if time else None,
            convolution=stack,
        )
        for (stack, num_nodes, level), own in panels.items()
    )
    return _text.figure(f"figure-depth-{name}", EFFECTS, shown)


def practice_section(inputs: ReportInputs) -> Section | None:
    """Stacks with what people add, None where the study has none."""
    asked, found = inputs.study.practice, inputs.effects.practice
    if asked is None or not found:
        return None
    shown = _text.table(inputs, "table-practice", EFFECTS, found)
    verdicts = verdict_table(_text, inputs, "table-practice-verdicts")
    return Section("practice", "In practice", blocks(_text("practice", asked=asked), shown, verdicts))
