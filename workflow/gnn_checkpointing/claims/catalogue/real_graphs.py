"""Claims about real graphs as they were loaded."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template
from gnn_checkpointing.claims.rules import Above, Below

REAL_GRAPHS = (
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
)
