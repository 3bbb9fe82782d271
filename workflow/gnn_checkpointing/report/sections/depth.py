"""Deep models: what each policy needs as layers are added."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gnn_checkpointing.analysis.results import DepthPoint, Estimate
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Block, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Of, figure, lines_over, table
from gnn_checkpointing.report.sections.claims import verdict_table
from gnn_checkpointing.report.sections.density import estimate_cell
from gnn_checkpointing.report.texts import texts

_text = texts("depth")

CLAIMS = (
    "reversible-peak-hardly-grows-with-depth",
    "deep-reversible-peaks-below-layers",
    "deep-reversible-peaks-below-edge-blocks",
    "deep-reversible-peaks-below-nested-edge-blocks",
    "gsr-gnn-memory",
    "gsr-gnn-speed",
)

Value = Callable[[DepthPoint], Estimate | None]
MakeScale = Callable[[Sequence[float], str], Scale]


def depth_section(inputs: ReportInputs) -> Section | None:
    """Return the section on depth, None where the study's models have one."""
    if not inputs.depths.points:
        return None
    blocks: list[Block] = [
        Paragraph(_text("the-same-convolutions-in-stacks")),
        depth_figure(inputs),
    ]
    if any(point.time_ratio for point in inputs.depths.points):
        blocks.append(
            _figure(
                inputs,
                "time",
                "Step time of each policy divided by that of none of the same depth",
                "step time / none's",
                lambda point: point.time_ratio,
                scales.ratio_scale,
                1.0,
            )
        )
    blocks += [
        _table(inputs),
        *verdict_table(inputs, "table-depth-verdicts", "What is claimed of deep models, and its verdict.", CLAIMS),
    ]
    return Section("depth", "Deep models", tuple(blocks))


def depth_figure(inputs: ReportInputs, name: str = "memory") -> Figure:
    """The activation peak of every policy against the number of layers."""
    return _figure(
        inputs,
        name,
        "Activation peak against the number of layers",
        "activation peak",
        lambda point: units.estimate_of(*3 * (point.activation_bytes,)),
        scales.size_scale,
        None,
    )


def _figure(
    inputs: ReportInputs,
    name: str,
    caption: str,
    axis: str,
    value: Value,
    scale: MakeScale,
    reference: float | None,
) -> Figure:
    shown = [(point, estimate) for point in inputs.depths.points if (estimate := value(point)) is not None]
    x = scales.degree_scale([point.num_layers for point, _ in shown], "layers")
    y = scale([estimate.estimate for _, estimate in shown], axis)
    places = dict.fromkeys((p.stack, p.num_nodes, p.level) for p, _ in shown)

    def line(policy: str, place: tuple[str, int, str]) -> Line:
        own = [(p, e) for p, e in shown if (p.policy, p.stack, p.num_nodes, p.level) == (policy, *place)]
        return Line(
            policy, tuple(Point.of(p.num_layers, e) for p, e in sorted(own, key=lambda one: int(one[0].num_layers)))
        )

    return figure(
        f"figure-depth-{name}",
        f"{caption}.",
        _text("one-panel-a-stack-and"),
        EFFECTS,
        (
            lines_over(
                f"{place[0]}, {units.count(place[1])} nodes, average degree {place[2]}",
                [line(policy, place) for policy in inputs.policies if policy != "none" or reference is None],
                looks(inputs.policies),
                x,
                y,
                reference=reference,
                convolution=place[0],
            )
            for place in places
        ),
    )


def _table(inputs: ReportInputs) -> Table:
    return table(
        "table-depth",
        _text("table-depth", confidence=inputs.depths.confidence),
        EFFECTS,
        inputs.depths.points,
        Of("Stack", "stack"),
        Of("Average degree", lambda point: point.level, content="number"),
        Of("Layers", "num_layers", units.count),
        Of("Policy", "policy", inputs.named, content="text"),
        Of("Activation peak", "activation_bytes", units.size),
        Of("Kept", "saved_activation_bytes", units.size, unit="at end of forward"),
        Of("Activations", lambda point: estimate_cell(point.activation_ratio), unit="/ none", content="number"),
        Of("Step time", lambda point: estimate_cell(point.time_ratio), unit="/ none", content="number"),
    )
