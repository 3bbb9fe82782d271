"""Claims about ratios to no checkpointing: along density, on real graphs, in families and batches, beside compilers."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims.queries import effects, peaks, variants
from gnn_checkpointing.claims.rules import above, at_most, below, within
from gnn_checkpointing.claims.template import Template

_layers = partial(Template, policy="layers")
_blocks = partial(Template, policy="edge_blocks")
_compiled = partial(Template, policy="compiled_edge_blocks", beside="compiled")
_fused = partial(Template, policy="fused_edge_blocks", beside="memory_budget")


def _family_claims(policy: str, suffix: str = "") -> tuple[Template, Template]:
    """That the family of the graph moves neither the memory nor the time of a kind of policy."""
    return (
        Template(
            f"family-leaves-memory{suffix}",
            "On graphs of equal nodes and edges, the family of the graph moves the share of {convolution}'s activation "
            "peak that policy {policy} keeps by at most 5 % of it.",
            variants.families_against_reference("activation_over_reference"),
            within(0.95, 1.05),
            policy,
            needs="families",
        ),
        Template(
            f"family-leaves-time{suffix}",
            "On graphs of equal nodes and edges, the family of the graph moves {convolution}'s step time with policy "
            "{policy}, relative to none's, by at most 10 %.",
            variants.families_against_reference("time_over_reference"),
            within(0.9, 1.1),
            policy,
            needs="families",
        ),
    )


PLACE = 1
CLAIMS = (
    _layers(
        "layers-lower-the-peak",
        "On the densest graphs, checkpointing whole layers lowers the activation peak of {convolution}.",
        effects.at_densest("activation_ratio"),
        below(1),
    ),
    _layers(
        "layers-cost-time",
        "On the densest graphs, checkpointing whole layers makes a training step of {convolution} slower.",
        effects.at_densest("time_ratio"),
        above(1),
    ),
    _layers(
        "layers-save-less-when-dense",
        "Checkpointing whole layers saves a smaller share of {convolution}'s activation memory on the densest graphs "
        "than on the sparsest.",
        effects.densest_over_sparsest("activation_ratio"),
        above(1),
    ),
    _layers(
        "layers-take-fewer-bytes-per-edge",
        "One more edge costs {convolution} fewer activation bytes when whole layers are checkpointed.",
        peaks.difference_per_edge("activation_bytes"),
        below(0),
    ),
    _blocks(
        "edge-blocks-are-flat-in-density",
        "With policy {policy}, one more edge costs {convolution} at most 1 % of the activation bytes that it costs "
        "without checkpointing.",
        peaks.slope_ratio("activation_bytes"),
        at_most(0.01),
    ),
    _blocks(
        "edge-blocks-peak-below-layers",
        "On the densest graphs, policy {policy} lowers {convolution}'s activation peak further than checkpointing "
        "whole layers does.",
        effects.against("activation_ratio", "layers"),
        below(1),
    ),
    _blocks(
        "edge-blocks-no-slower-than-layers",
        "On the densest graphs, a training step of {convolution} takes no longer with policy {policy} than with whole "
        "layers checkpointed.",
        effects.against("time_ratio", "layers"),
        at_most(1),
    ),
    _layers(
        "layers-lower-the-peak-on-real-graphs",
        "On every real graph, checkpointing whole layers lowers the activation peak of {convolution}.",
        effects.on_reals("activation_ratio"),
        below(1),
        needs="real graphs",
    ),
    _layers(
        "layers-cost-time-on-real-graphs",
        "On every real graph, checkpointing whole layers makes a training step of {convolution} slower.",
        effects.on_reals("time_ratio"),
        above(1),
        needs="real graphs",
    ),
    _blocks(
        "edge-blocks-peak-below-layers-on-real-graphs",
        "On every real graph, policy {policy} lowers {convolution}'s activation peak further than checkpointing whole "
        "layers does.",
        effects.against_layers_on_reals("activation_ratio"),
        below(1),
        needs="real graphs",
    ),
    *_family_claims("layers"),
    *_family_claims("edge_blocks", "-of-edge-blocks"),
    _layers(
        "layers-save-less-when-a-real-graph-is-denser",
        "As one real graph is given more edges, checkpointing whole layers saves a smaller share of {convolution}'s "
        "activation memory.",
        variants.graded_densest_over_sparsest("activation_ratio"),
        above(1),
        needs="graded graphs",
    ),
    _layers(
        "layers-lower-the-peak-of-batches",
        "On mini-batches of every size measured, checkpointing whole layers lowers the activation peak of "
        "{convolution}.",
        variants.in_batches("activation_ratio"),
        below(1),
        needs="batches",
    ),
    _layers(
        "layers-cost-time-in-batches",
        "On mini-batches of every size measured, checkpointing whole layers makes a training step of {convolution} "
        "slower.",
        variants.in_batches("time_ratio"),
        above(1),
        needs="batches",
    ),
    _blocks(
        "edge-blocks-peak-below-layers-in-batches",
        "On mini-batches of every size measured, policy {policy} lowers {convolution}'s activation peak further than "
        "checkpointing whole layers does.",
        variants.in_batches("activation_ratio", "layers"),
        below(1),
        needs="batches",
    ),
    _compiled(
        "compiled-edge-blocks-peak-below-compiled",
        "On the densest graphs, policy {policy} needs at most a fortieth of the activation peak that compiling "
        "{convolution} alone needs.",
        effects.against("activation_ratio", "compiled"),
        at_most(0.025),
    ),
    _compiled(
        "compiled-edge-blocks-no-slower-than-compiled",
        "On the densest graphs, a training step of {convolution} takes at most a twentieth longer with policy {policy} "
        "than compiled alone.",
        effects.against("time_ratio", "compiled"),
        at_most(1.05),
    ),
    _fused(
        "fused-edge-blocks-peak-below-memory-budget",
        "On the densest graphs, policy {policy} needs at most a fifth of the activation peak that {convolution} needs "
        "under the best memory budget (least memory times time).",
        effects.against_best_budget("activation_ratio"),
        at_most(0.2),
    ),
    _fused(
        "fused-edge-blocks-no-slower-than-memory-budget",
        "On the densest graphs, a training step of {convolution} takes at most a twentieth longer with policy {policy} "
        "than under the best memory budget (least memory times time).",
        effects.against_best_budget("time_ratio"),
        at_most(1.05),
    ),
)
