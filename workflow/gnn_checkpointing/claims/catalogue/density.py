"""Claims about whole layers and edge blocks along the densities of generated graphs."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template
from gnn_checkpointing.claims.rules import Above, AtMost, Below

DENSITY = (
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
)
