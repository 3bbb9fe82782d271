"""Claims about the course along density: what holds at every level at once, and where a policy breaks even."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.analysis.results import SAVES_BELOW
from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template
from gnn_checkpointing.claims.rules import Above, AtLeast, AtMost, Below

TRENDS = (
    Template(
        id="layers-stop-saving-within-the-range",
        sentence="Within the measured densities, whole layers checkpointed stop saving more than 1 % of "
        "{convolution}'s activation memory.",
        source=OWN,
        quantity="activation bytes, layers / none, at the dense end of the simultaneous band",
        unit="ratio",
        rule=AtLeast(SAVES_BELOW),
        pick=partial(evidence.at_dense_end, quantity="activation_ratio"),
        policy="layers",
    ),
    # The levels of a study double: an interval of a factor of two lies between two neighbouring levels.
    Template(
        id="layers-break-even-is-located",
        sentence="The density at which whole layers checkpointed stop (or start) saving more than 1 % of "
        "{convolution}'s activation memory is known to within a factor of 2.",
        source=OWN,
        quantity="average degree of the break-even: upper end of its interval / lower end",
        unit="ratio",
        rule=AtMost(2),
        pick=partial(evidence.break_even_span, quantity="activation_ratio"),
        policy="layers",
    ),
    Template(
        id="edge-blocks-save-at-every-density",
        sentence="At no measured density does policy {policy} stop saving more than 1 % of {convolution}'s activation "
        "memory.",
        source=OWN,
        quantity="activation bytes, {policy} / none, on the whole simultaneous band",
        unit="ratio",
        rule=Below(SAVES_BELOW),
        pick=partial(evidence.on_band, quantity="activation_ratio"),
        policy="edge_blocks",
    ),
    Template(
        id="layers-save-less-when-dense-on-the-band",
        sentence="The smaller share that whole layers checkpointed save of {convolution}'s activation memory on the "
        "densest graphs than on the sparsest is beyond what all levels leave open together.",
        source=OWN,
        quantity="activation bytes, layers / none: dense end / sparse end of the simultaneous band",
        unit="ratio of ratios",
        rule=Above(1),
        pick=partial(evidence.dense_over_sparse_end, quantity="activation_ratio"),
        policy="layers",
    ),
    Template(
        id="edge-blocks-save-more-when-dense",
        sentence="Policy {policy} saves a larger share of {convolution}'s activation memory on the densest graphs than "
        "on the sparsest.",
        source=OWN,
        quantity="activation bytes, {policy} / none: dense end / sparse end of the simultaneous band",
        unit="ratio of ratios",
        rule=Below(1),
        pick=partial(evidence.dense_over_sparse_end, quantity="activation_ratio"),
        policy="edge_blocks",
    ),
    Template(
        id="layers-cost-time-at-every-density",
        sentence="At every measured density, checkpointing whole layers makes a training step of {convolution} slower.",
        source=OWN,
        quantity="step time, layers / none, on the whole simultaneous band",
        unit="ratio",
        rule=Above(1),
        pick=partial(evidence.on_band, quantity="time_ratio"),
        policy="layers",
    ),
    Template(
        id="layers-cost-less-time-when-dense",
        sentence="Checkpointing whole layers costs {convolution} a smaller share of a step's time on the densest "
        "graphs than on the sparsest.",
        source=OWN,
        quantity="step time, layers / none: dense end / sparse end of the simultaneous band",
        unit="ratio of ratios",
        rule=Below(1),
        pick=partial(evidence.dense_over_sparse_end, quantity="time_ratio"),
        policy="layers",
    ),
    Template(
        id="edge-blocks-stop-costing-time-within-the-range",
        sentence="Within the measured densities, policy {policy} stops costing {convolution} time.",
        source=OWN,
        quantity="step time, {policy} / none, at the dense end of the simultaneous band",
        unit="ratio",
        rule=AtMost(1),
        pick=partial(evidence.at_dense_end, quantity="time_ratio"),
        policy="edge_blocks",
    ),
)
