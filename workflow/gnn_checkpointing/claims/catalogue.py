"""Every claim, written before the data: its sentence, its source, the number it rests on, the rule that judges it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.claims import evidence, variant_evidence
from gnn_checkpointing.claims.evidence import Picked
from gnn_checkpointing.claims.rules import Above, AtMost, Below, Rule, Within

OWN = "this study"
CHEN = "Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost, arXiv 1604.06174"
HYDRA = "HydraGNN, checkpointing of each convolution, pull request ORNL/HydraGNN#250"


@dataclass(frozen=True)
class Template:
    """A claim for each convolution (and each variant of its policy), or for the whole study."""

    id: str
    sentence: str
    source: str
    quantity: str
    unit: str
    rule: Rule
    # Findings, convolution, policy -> the numbers.
    pick: Callable[[Findings, str, str], Picked]
    policy: str = ""
    scope: Literal["convolution", "study"] = "convolution"
    # What must have been measured, besides, for the claim to be made at all.
    needs: Literal["", "real graphs", "families", "graded graphs", "batches"] = ""
    # Kind of policy that the claim's own is compared with: the claim is made only where both were measured.
    beside: str = ""


def _family_claims(policy: str, suffix: str = "") -> tuple[Template, Template]:
    """Return that the family of the graph moves neither the memory nor the time of a kind of policy."""
    return (
        Template(
            id=f"family-leaves-memory{suffix}",
            sentence="On graphs of equal nodes and edges, the family of the graph moves the share of {convolution}'s "
            "activation peak that policy {policy} keeps by at most 5 % of it.",
            source=OWN,
            quantity="activation bytes, {policy} / none: the ratio of each family / the ratio of the reference family",
            unit="ratio of ratios",
            rule=Within(0.95, 1.05),
            pick=partial(variant_evidence.families_against_reference, quantity="activation_over_reference"),
            policy=policy,
            needs="families",
        ),
        Template(
            id=f"family-leaves-time{suffix}",
            sentence="On graphs of equal nodes and edges, the family of the graph moves {convolution}'s step time with "
            "policy {policy}, relative to none's, by at most 10 %.",
            source=OWN,
            quantity="step time, {policy} / none: the ratio of each family / the ratio of the reference family",
            unit="ratio of ratios",
            rule=Within(0.9, 1.1),
            pick=partial(variant_evidence.families_against_reference, quantity="time_over_reference"),
            policy=policy,
            needs="families",
        ),
    )


CATALOGUE = (
    Template(
        id="layers-lower-the-peak",
        sentence="On the densest graphs, checkpointing whole layers lowers the activation peak of {convolution}.",
        source=OWN,
        quantity="activation bytes, layers / none, at the densest level",
        unit="ratio",
        rule=Below(1),
        pick=partial(evidence.at_densest, ratio="activation_ratio"),
        policy="layers",
    ),
    Template(
        id="layers-cost-time",
        sentence="On the densest graphs, checkpointing whole layers makes a training step of {convolution} slower.",
        source=OWN,
        quantity="step time, layers / none, at the densest level",
        unit="ratio",
        rule=Above(1),
        pick=partial(evidence.at_densest, ratio="time_ratio"),
        policy="layers",
    ),
    Template(
        id="layers-save-less-when-dense",
        sentence="Checkpointing whole layers saves a smaller share of {convolution}'s activation memory on the densest "
        "graphs than on the sparsest.",
        source=OWN,
        quantity="activation bytes, layers / none: the ratio at the densest level / the ratio at the sparsest",
        unit="ratio of ratios",
        rule=Above(1),
        pick=partial(evidence.densest_over_sparsest, ratio="activation_ratio"),
        policy="layers",
    ),
    Template(
        id="layers-take-fewer-bytes-per-edge",
        sentence="One more edge costs {convolution} fewer activation bytes when whole layers are checkpointed.",
        source=OWN,
        quantity="activation bytes per edge, layers - none (policy x edges interaction)",
        unit="bytes per edge",
        rule=Below(0),
        pick=partial(evidence.difference_per_edge, response="activation_bytes"),
        policy="layers",
    ),
    Template(
        id="edge-blocks-are-flat-in-density",
        sentence="With policy {policy}, one more edge costs {convolution} at most 1 % of the activation bytes that it "
        "costs without checkpointing.",
        source=OWN,
        quantity="activation bytes per edge, {policy} / none",
        unit="ratio",
        rule=AtMost(0.01),
        pick=partial(evidence.slope_ratio, response="activation_bytes"),
        policy="edge_blocks",
    ),
    Template(
        id="edge-blocks-peak-below-layers",
        sentence="On the densest graphs, policy {policy} lowers {convolution}'s activation peak further than "
        "checkpointing whole layers does.",
        source=OWN,
        quantity="activation bytes, {policy} / layers, at the densest level",
        unit="ratio",
        rule=Below(1),
        pick=partial(evidence.against_layers, ratio="activation_ratio"),
        policy="edge_blocks",
    ),
    Template(
        id="edge-blocks-no-slower-than-layers",
        sentence="On the densest graphs, a training step of {convolution} takes no longer with policy {policy} than "
        "with whole layers checkpointed.",
        source=OWN,
        quantity="step time, {policy} / layers, at the densest level",
        unit="ratio",
        rule=AtMost(1),
        pick=partial(evidence.against_layers, ratio="time_ratio"),
        policy="edge_blocks",
    ),
    Template(
        id="layers-lower-the-peak-on-real-graphs",
        sentence="On every real graph, checkpointing whole layers lowers the activation peak of {convolution}.",
        source=OWN,
        quantity="activation bytes, layers / none, on each real graph",
        unit="ratio",
        rule=Below(1),
        pick=partial(evidence.on_reals, ratio="activation_ratio"),
        policy="layers",
        needs="real graphs",
    ),
    Template(
        id="layers-cost-time-on-real-graphs",
        sentence="On every real graph, checkpointing whole layers makes a training step of {convolution} slower.",
        source=OWN,
        quantity="step time, layers / none, on each real graph",
        unit="ratio",
        rule=Above(1),
        pick=partial(evidence.on_reals, ratio="time_ratio"),
        policy="layers",
        needs="real graphs",
    ),
    Template(
        id="edge-blocks-peak-below-layers-on-real-graphs",
        sentence="On every real graph, policy {policy} lowers {convolution}'s activation peak further than "
        "checkpointing whole layers does.",
        source=OWN,
        quantity="activation bytes, {policy} / layers, on each real graph",
        unit="ratio",
        rule=Below(1),
        pick=partial(evidence.against_layers_on_reals, ratio="activation_ratio"),
        policy="edge_blocks",
        needs="real graphs",
    ),
    *_family_claims("layers"),
    *_family_claims("edge_blocks", "-of-edge-blocks"),
    Template(
        id="layers-save-less-when-a-real-graph-is-denser",
        sentence="As one real graph is given more edges, checkpointing whole layers saves a smaller share of "
        "{convolution}'s activation memory.",
        source=OWN,
        quantity="activation bytes, layers / none: the ratio at the densest grade / the ratio at the sparsest",
        unit="ratio of ratios",
        rule=Above(1),
        pick=partial(variant_evidence.graded_densest_over_sparsest, ratio="activation_ratio"),
        policy="layers",
        needs="graded graphs",
    ),
    Template(
        id="layers-lower-the-peak-of-batches",
        sentence="On mini-batches of every size measured, checkpointing whole layers lowers the activation peak of "
        "{convolution}.",
        source=OWN,
        quantity="activation bytes, layers / none, on each size of batch",
        unit="ratio",
        rule=Below(1),
        pick=partial(variant_evidence.in_batches, ratio="activation_ratio"),
        policy="layers",
        needs="batches",
    ),
    Template(
        id="layers-cost-time-in-batches",
        sentence="On mini-batches of every size measured, checkpointing whole layers makes a training step of "
        "{convolution} slower.",
        source=OWN,
        quantity="step time, layers / none, on each size of batch",
        unit="ratio",
        rule=Above(1),
        pick=partial(variant_evidence.in_batches, ratio="time_ratio"),
        policy="layers",
        needs="batches",
    ),
    Template(
        id="edge-blocks-peak-below-layers-in-batches",
        sentence="On mini-batches of every size measured, policy {policy} lowers {convolution}'s activation peak "
        "further than checkpointing whole layers does.",
        source=OWN,
        quantity="activation bytes, {policy} / layers, on each size of batch",
        unit="ratio",
        rule=Below(1),
        pick=partial(variant_evidence.in_batches_against_layers, ratio="activation_ratio"),
        policy="edge_blocks",
        needs="batches",
    ),
    Template(
        id="compiled-edge-blocks-peak-below-compiled",
        sentence="On the densest graphs, policy {policy} needs at most a fortieth of the activation peak that "
        "compiling {convolution} alone needs.",
        source=OWN,
        quantity="activation bytes, {policy} / compiled, at the densest level",
        unit="ratio",
        rule=AtMost(0.025),
        pick=partial(evidence.against, ratio="activation_ratio", other_policy="compiled"),
        policy="compiled_edge_blocks",
        beside="compiled",
    ),
    Template(
        id="compiled-edge-blocks-no-slower-than-compiled",
        sentence="On the densest graphs, a training step of {convolution} takes at most a twentieth longer with policy "
        "{policy} than compiled alone.",
        source=OWN,
        quantity="step time, {policy} / compiled, at the densest level",
        unit="ratio",
        rule=AtMost(1.05),
        pick=partial(evidence.against, ratio="time_ratio", other_policy="compiled"),
        policy="compiled_edge_blocks",
        beside="compiled",
    ),
    Template(
        id="fused-edge-blocks-peak-below-memory-budget",
        sentence="On the densest graphs, policy {policy} needs at most a fifth of the activation peak that "
        "{convolution} needs under the best memory budget (least memory times time).",
        source=OWN,
        quantity="activation bytes, {policy} / the best memory_budget, at the densest level",
        unit="ratio",
        rule=AtMost(0.2),
        pick=partial(evidence.against_best_budget, ratio="activation_ratio"),
        policy="fused_edge_blocks",
        beside="memory_budget",
    ),
    Template(
        id="fused-edge-blocks-no-slower-than-memory-budget",
        sentence="On the densest graphs, a training step of {convolution} takes at most a twentieth longer with policy "
        "{policy} than under the best memory budget (least memory times time).",
        source=OWN,
        quantity="step time, {policy} / the best memory_budget, at the densest level",
        unit="ratio",
        rule=AtMost(1.05),
        pick=partial(evidence.against_best_budget, ratio="time_ratio"),
        policy="fused_edge_blocks",
        beside="memory_budget",
    ),
    Template(
        id="every-policy-computes-the-same",
        sentence="Every policy gives the same loss, gradients and buffers as no checkpointing, in every cell.",
        source=OWN,
        quantity="rows whose loss, gradients or buffers were not within tolerance of none's",
        unit="rows",
        rule=AtMost(0),
        pick=lambda findings, _convolution, _policy: evidence.changed_computations(findings),
        scope="study",
    ),
    Template(
        id="training-follows-the-same-curve",
        sentence="Training {convolution} under any policy strays from the loss curve of training without checkpointing "
        "by at most ten times what listing the same edges in another order does.",
        source=OWN,
        quantity="largest difference of a loss from none's over all epochs, policy / reordered edges",
        unit="ratio",
        rule=AtMost(10),
        pick=lambda findings, convolution, _policy: evidence.loss_differences(findings, convolution),
    ),
    Template(
        id="law-predicts-memory-of-the-densest",
        sentence="A law linear in nodes and edges, fitted without the densest graphs, predicts {convolution}'s "
        "activation memory on them within 10 % under every policy.",
        source=OWN,
        quantity="worst relative error of activation bytes at the level held out",
        unit="relative error",
        rule=AtMost(0.1),
        pick=lambda findings, convolution, _policy: evidence.held_out_errors(findings, convolution, "activation_bytes"),
    ),
    Template(
        id="law-predicts-time-of-the-densest",
        sentence="A law linear in nodes and edges, fitted without the densest graphs, predicts {convolution}'s step "
        "time on them within 20 % under every policy.",
        source=OWN,
        quantity="worst relative error of step time at the level held out",
        unit="relative error",
        rule=AtMost(0.2),
        pick=lambda findings, convolution, _policy: evidence.held_out_errors(
            findings, convolution, "step_time_seconds"
        ),
    ),
    Template(
        id="a-third-more-time",
        sentence="Gradient checkpointing makes a training step about a third longer (here: {convolution}, whole "
        "layers, on every graph measured).",
        source=CHEN,
        quantity="step time, layers / none, at every level and on every real graph",
        unit="ratio",
        rule=Within(1.2, 1.45),
        pick=partial(evidence.everywhere, ratio="time_ratio"),
        policy="layers",
    ),
    Template(
        id="hydragnn-memory",
        sentence="Checkpointing each convolution lowers peak memory by 58 %, give or take 5 points (here: "
        "{convolution}, whole layers, on every graph measured).",
        source=HYDRA,
        quantity="peak memory, layers / none, at every level and on every real graph",
        unit="ratio",
        rule=Within(0.37, 0.47),
        pick=partial(evidence.everywhere, ratio="memory_ratio"),
        policy="layers",
    ),
    Template(
        id="hydragnn-time",
        sentence="Checkpointing each convolution makes a training step 28.6 % longer, give or take 5 points (here: "
        "{convolution}, whole layers, on every graph measured).",
        source=HYDRA,
        quantity="step time, layers / none, at every level and on every real graph",
        unit="ratio",
        rule=Within(1.236, 1.336),
        pick=partial(evidence.everywhere, ratio="time_ratio"),
        policy="layers",
    ),
)
