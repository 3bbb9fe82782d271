"""Mini-batches: does checkpointing still pay when batches are sampled, and from which size on?"""

from __future__ import annotations

from gnn_checkpointing.analysis.results import SAVES_BELOW, BatchEffect, Estimate
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.panels import figure, lines_over
from gnn_checkpointing.report.sections.density import estimate_cell
from gnn_checkpointing.report.sections.frontier_points import spans
from gnn_checkpointing.report.sections.frontier_tables import SAVES
from gnn_checkpointing.report.texts import texts

_text = texts("batches")

SAMPLERS = {"": "full batch", "neighbours": "neighbours a layer", "clusters": "clusters, one of"}
Key = tuple[str, str, str, str]


def batches_section(inputs: ReportInputs) -> Section | None:
    """Return the section on mini-batches, None where the study has none."""
    found = inputs.variants.batches
    if not found:
        return None
    blocks: list[Block] = [Paragraph(_text("a-step-on-a-mini"))]
    if any(effect.sampler == "neighbours" for effect in found):
        blocks.append(_figure(inputs, "memory", "activation memory / none's"))
        if any(effect.time_ratio for effect in found if effect.sampler == "neighbours"):
            blocks.append(_figure(inputs, "throughput", "throughput / none's"))
    blocks += [_payoff_table(inputs), _table(inputs)]
    return Section("batches", "Mini-batches", tuple(blocks))


def _figure(inputs: ReportInputs, quantity: str, axis: str) -> Figure:
    shown = [effect for effect in inputs.variants.batches if effect.sampler == "neighbours" and effect.size]
    values = {id(effect): ratio for effect in shown if (ratio := _value(effect, quantity)) is not None}
    y = scales.ratio_scale([end for ratio in values.values() for end in (ratio.low, ratio.high)], axis)
    x = scales.degree_scale([effect.size or 1.0 for effect in shown], "neighbours drawn a layer")
    name = "figure-batches" if quantity == "memory" else f"figure-batches-{quantity}"

    def line(policy: str, effects: list[BatchEffect]) -> Line:
        own = sorted((e for e in effects if e.policy == policy and id(e) in values), key=lambda e: e.size or 0.0)
        return Line(policy, tuple(Point.of(e.size or 0.0, values[id(e)]) for e in own))

    return figure(
        name,
        _text(name),
        _text("figure-batches-how_to_read"),
        EFFECTS,
        (
            lines_over(
                f"{convolution}, {base}",
                [
                    line(policy, [e for e in shown if (e.convolution, e.base) == (convolution, base)])
                    for policy in inputs.compared
                ],
                looks(inputs.policies),
                x,
                y,
                reference=1.0,
                convolution=convolution,
            )
            for convolution in inputs.convolutions
            for base in dict.fromkeys(effect.base for effect in shown)
        ),
    )


def _value(effect: BatchEffect, quantity: str) -> Estimate | None:
    """A batch's memory, or its throughput: the inverse of its time."""
    return effect.activation_ratio if quantity == "memory" else units.inverse(effect.time_ratio)


def _key(effect: BatchEffect) -> Key:
    return effect.convolution, effect.policy, effect.base, effect.sampler


def _payoff_table(inputs: ReportInputs) -> Table:
    """Return at which sizes of batch each policy saves memory, and at which it costs or saves time."""
    groups: dict[Key, list[BatchEffect]] = {}
    for effect in sorted(inputs.variants.batches, key=lambda e: e.size or 0.0):
        if effect.sampler and effect.policy != "none":
            groups.setdefault(_key(effect), []).append(effect)
    order = sorted(
        groups, key=lambda k: (inputs.convolutions.index(k[0]), inputs.policies.index(k[1]), k[2], k[3] != "neighbours")
    )
    return Table(
        id="table-batch-payoff",
        caption=_text("table-batch-payoff", saves=SAVES, confidence=inputs.effects.confidence),
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Graph", "", "prose"),
            Column("Batch", "", "prose"),
            Column("Saves memory at"),
            Column("Costs time at"),
            Column("Saves time at"),
        ),
        rows=tuple(_payoff_row(inputs, key, groups[key]) for key in order),
        source=EFFECTS,
    )


def _payoff_row(inputs: ReportInputs, key: Key, effects: list[BatchEffect]) -> tuple[str, ...]:
    convolution, policy, base, sampler = key
    sizes = [f"{effect.size:g}" for effect in effects]
    timed = [(f"{effect.size:g}", effect.time_ratio) for effect in effects if effect.time_ratio]
    names = [size for size, _ in timed]
    return (
        convolution,
        inputs.named(policy),
        base,
        SAMPLERS[sampler],
        spans([f"{e.size:g}" for e in effects if e.activation_ratio.estimate < SAVES_BELOW], sizes),
        spans([size for size, ratio in timed if ratio.low > 1], names),
        spans([size for size, ratio in timed if ratio.high < 1], names),
    )


def _table(inputs: ReportInputs) -> Table:
    found = sorted(
        inputs.variants.batches,
        key=lambda e: (
            inputs.convolutions.index(e.convolution),
            e.base,
            e.sampler == "",
            e.sampler,
            e.size or 0.0,
            inputs.policies.index(e.policy),
        ),
    )
    return Table(
        id="table-batches",
        caption=_text("table-batches", confidence=inputs.effects.confidence),
        columns=(
            Column("Convolution"),
            Column("Graph", "", "prose"),
            Column("Batch", "", "prose"),
            Column("Nodes", "", "number"),
            Column("Edges", "", "number"),
            Column("Training nodes", "", "number"),
            Column("Policy"),
            Column("Activations", "/ none", "number"),
            Column("Step time", "/ none", "number"),
            Column("Training nodes", "per second", "number"),
            Column("Edges", "per second", "number"),
        ),
        rows=tuple(
            (
                effect.convolution,
                effect.base,
                _named(effect),
                units.count(effect.num_nodes),
                units.count(effect.num_edges),
                units.count(effect.training_nodes),
                inputs.named(effect.policy),
                estimate_cell(effect.activation_ratio),
                estimate_cell(effect.time_ratio),
                *(_rate(value) for value in (effect.training_nodes_per_second, _estimate(effect.edges_per_second))),
            )
            for effect in found
        ),
        source=EFFECTS,
    )


def _named(effect: BatchEffect) -> str:
    """Return a size of batch in words."""
    match effect.sampler:
        case "neighbours":
            return f"{units.digits(effect.size or 0)} neighbours a layer"
        case "clusters":
            return f"one of {units.digits(effect.size or 0)} clusters"
    return SAMPLERS[""]


def _estimate(rate: Estimate | None) -> float | None:
    return None if rate is None else rate.estimate


def _rate(value: float | None) -> str:
    return units.NOTHING if value is None else units.significant(value)
