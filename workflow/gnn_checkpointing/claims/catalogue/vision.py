"""Claims on Vision GNNs, whose graphs get denser from block to block."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template
from gnn_checkpointing.claims.rules import AtMost, Below, Within

MODELS = ("ViG-Ti", "ViG-S", "ViG-B")

VISION = (
    Template(
        id="vision-layers-keep-a-fifth",
        sentence="Checkpointing each block of {convolution} keeps at most a fifth of its activation peak.",
        source=OWN,
        quantity="activation bytes, layers / none, at every number of neighbours",
        unit="ratio",
        rule=AtMost(0.2),
        pick=partial(evidence.everywhere, ratio="activation_ratio"),
        policy="layers",
        only=MODELS,
    ),
    Template(
        id="vision-edge-blocks-keep-less-the-denser",
        sentence="The more neighbours, the smaller the share of {convolution}'s activation peak that policy {policy} "
        "keeps.",
        source=OWN,
        quantity="activation bytes, {policy} / none: the ratio at most neighbours / the ratio at fewest",
        unit="ratio of ratios",
        rule=Below(1),
        pick=partial(evidence.densest_over_sparsest, ratio="activation_ratio"),
        policy="edge_blocks",
        only=MODELS,
    ),
    Template(
        id="vision-neighbours-leave-the-ratio",
        sentence="The number of neighbours moves the share of {convolution}'s activation peak that checkpointed blocks "
        "keep by at most 10 % of it.",
        source=OWN,
        quantity="activation bytes, layers / none: the ratio at most neighbours / the ratio at fewest",
        unit="ratio of ratios",
        rule=Within(0.9, 1.1),
        pick=partial(evidence.densest_over_sparsest, ratio="activation_ratio"),
        policy="layers",
        only=MODELS,
    ),
)
