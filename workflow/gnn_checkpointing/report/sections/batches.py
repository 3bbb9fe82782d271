"""Mini-batches: does checkpointing still pay when batches are sampled, and from which size on?"""

from __future__ import annotations

from collections.abc import Callable

from gnn_checkpointing.analysis.results import SAVES_BELOW, BatchEffect, Effect, Estimate
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Section, Table
from gnn_checkpointing.report.panels import Of, figure, table
from gnn_checkpointing.report.sections.frontier import SAVES
from gnn_checkpointing.report.sections.parts import CONVOLUTION, blocks, grouped, of_policy, of_ratio, over_bases, spans
from gnn_checkpointing.report.texts import texts

_text = texts("batches")

_NAMES = {"neighbours": "{} neighbours a layer", "clusters": "one of {} clusters", "": "full batch"}
_SAMPLERS = {"neighbours": "neighbours a layer", "clusters": "clusters, one of"}


def batches_section(inputs: ReportInputs) -> Section | None:
    """Every policy on batches of every size, None where the study has none."""
    found = inputs.variants.batches
    if not found:
        return None
    drawn = [effect for effect in found if effect.sampler == "neighbours"]
    figures = []
    if drawn:
        figures = [_figure(inputs, "figure-batches", "activation memory / none's", lambda e: e.activation_ratio)]
    if any(effect.time_ratio for effect in drawn):
        name, axis = "figure-batches-throughput", "throughput / none's"
        figures.append(_figure(inputs, name, axis, lambda e: units.inverse(e.time_ratio)))
    parts = blocks(_text("a-step-on-a-mini"), figures, _payoff_table(inputs), _table(inputs))
    return Section("batches", "Mini-batches", parts)


def _figure(inputs: ReportInputs, name: str, axis: str, value: Callable[[Effect], Estimate | None]) -> Figure:
    shown = [effect for effect in inputs.variants.batches if effect.sampler == "neighbours" and effect.size]
    ratios = [ratio for effect in shown if (ratio := value(effect)) is not None]
    y = scales.ratio_scale([end for ratio in ratios for end in (ratio.low, ratio.high)], axis)
    x = scales.degree_scale([effect.size or 1.0 for effect in shown], "neighbours drawn a layer")
    return figure(
        name,
        _text(name),
        _text("figure-batches-how-to-read"),
        EFFECTS,
        over_bases(inputs, shown, lambda e: e.size or 0.0, value, x, y),
    )


def _payoff_table(inputs: ReportInputs) -> Table:
    """At which sizes of batch each policy saves memory, and at which it costs or saves time."""
    drawn = sorted(
        (e for e in inputs.variants.batches if e.sampler and e.policy != "none"), key=lambda e: e.size or 0.0
    )
    groups = grouped(drawn, lambda e: (e.convolution, e.policy, e.base, e.sampler))
    order = sorted(
        groups, key=lambda k: (inputs.convolutions.index(k[0]), inputs.policies.index(k[1]), k[2], k[3] != "neighbours")
    )

    def sizes(effects: list[BatchEffect], chosen: Callable[[Estimate], bool]) -> str:
        timed = [(f"{effect.size:g}", effect.time_ratio) for effect in effects if effect.time_ratio]
        return spans([size for size, ratio in timed if chosen(ratio)], [size for size, _ in timed])

    def saving(effects: list[BatchEffect]) -> str:
        saves = [f"{e.size:g}" for e in effects if e.activation_ratio.estimate < SAVES_BELOW]
        return spans(saves, [f"{effect.size:g}" for effect in effects])

    return table(
        "table-batch-payoff",
        _text("table-batch-payoff", saves=SAVES, confidence=inputs.effects.confidence),
        EFFECTS,
        order,
        Of("Convolution", lambda key: key[0]),
        Of("Policy", lambda key: inputs.named(key[1])),
        Of("Graph", lambda key: key[2], content="prose"),
        Of("Batch", lambda key: _SAMPLERS[key[3]], content="prose"),
        Of("Saves memory at", lambda key: saving(groups[key])),
        Of("Costs time at", lambda key: sizes(groups[key], lambda ratio: ratio.low > 1)),
        Of("Saves time at", lambda key: sizes(groups[key], lambda ratio: ratio.high < 1)),
    )


def _table(inputs: ReportInputs) -> Table:
    def place(e: BatchEffect) -> tuple[object, ...]:
        convolution, policy = inputs.convolutions.index(e.convolution), inputs.policies.index(e.policy)
        return convolution, e.base, e.sampler == "", e.sampler, e.size or 0.0, policy

    return table(
        "table-batches",
        _text("table-batches", confidence=inputs.effects.confidence),
        EFFECTS,
        sorted(inputs.variants.batches, key=place),
        CONVOLUTION,
        Of("Graph", "base", content="prose"),
        Of("Batch", lambda e: _NAMES[e.sampler].format(units.digits(e.size or 0)), content="prose"),
        Of("Nodes", "num_nodes", units.count),
        Of("Edges", "num_edges", units.count),
        Of("Training nodes", "training_nodes", units.count),
        of_policy(inputs),
        of_ratio("Activations", "activation_ratio"),
        of_ratio("Step time", "time_ratio"),
        Of("Training nodes", "training_nodes_per_second", units.significant, "per second"),
        Of("Edges", lambda e: e.edges_per_second and e.edges_per_second.estimate, units.significant, "per second"),
    )
