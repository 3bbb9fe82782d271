"""Claims about edge blocks by generated kernels, beside what PyTorch's compiler finds by itself."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template
from gnn_checkpointing.claims.rules import AtMost

POLICIES = (
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
)
