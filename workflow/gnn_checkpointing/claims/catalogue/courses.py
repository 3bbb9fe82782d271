"""Claims about sameness, laws linear in the edges, the course along density, and what the tensors must do."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.analysis.results import SAVES_BELOW
from gnn_checkpointing.claims.catalogue.literature import CHECKPOINTING
from gnn_checkpointing.claims.queries import laws, peaks, runs, trends
from gnn_checkpointing.claims.queries.query import Query
from gnn_checkpointing.claims.rules import above, at_least, at_most, below, within
from gnn_checkpointing.claims.template import Template

HALF_A_FLOAT = 2.0
"""Bytes: a single float32 kept of an edge would show as 4, so half of that parts something from nothing."""

_layers = partial(Template, policy="layers")
_blocks = partial(Template, policy="edge_blocks")


def _keeps_nothing(policy: str, who: str) -> Template:
    """That a policy leaves nothing of an edge for the backward pass: what is kept are node values."""
    quantity = "bytes per edge held at the end of the forward pass, {policy}"
    return Template(
        f"{who.lower().replace(' ', '-')}-keep-nothing-per-edge",
        f"{who} keep nothing of an edge of {{convolution}} for the backward pass: inputs of layers are node values.",
        Query(quantity, peaks.kept_per_edge, "bytes per edge"),
        within(-HALF_A_FLOAT, HALF_A_FLOAT),
        policy,
    )


PLACE = 2
CLAIMS = (
    Template(
        "every-policy-computes-the-same",
        "Every policy gives the same loss, gradients and buffers as no checkpointing, in every cell.",
        Query(
            "rows whose loss, gradients or buffers were not within tolerance of none's",
            runs.changed_computations,
            "rows",
        ),
        at_most(0),
    ),
    Template(
        "training-follows-the-same-curve",
        "Training {convolution} under any policy strays from the loss curve of training without checkpointing by at "
        "most ten times what listing the same edges in another order does.",
        Query(
            "largest difference of a loss from none's over all epochs, policy / reordered edges", runs.loss_differences
        ),
        at_most(10),
    ),
    Template(
        "law-predicts-memory-of-the-densest",
        "A law linear in nodes and edges, fitted without the densest graphs, predicts {convolution}'s activation "
        "memory on them within 10 % under every policy.",
        laws.held_out_errors("activation_bytes"),
        at_most(0.1),
    ),
    Template(
        "law-predicts-time-of-the-densest",
        "A law linear in nodes and edges, fitted without the densest graphs, predicts {convolution}'s step time on "
        "them within 20 % under every policy.",
        laws.held_out_errors("step_time_seconds"),
        at_most(0.2),
        margin=2.0,
    ),
    *CHECKPOINTING,
    _layers(
        "layers-stop-saving-within-the-range",
        "Within the measured densities, whole layers checkpointed stop saving more than 1 % of {convolution}'s "
        "activation memory.",
        trends.at_dense_end("activation_ratio"),
        at_least(SAVES_BELOW),
    ),
    # The levels of a study double: an interval of a factor of two lies between two neighbouring levels.
    _layers(
        "layers-break-even-is-located",
        "The density at which whole layers checkpointed stop (or start) saving more than 1 % of {convolution}'s "
        "activation memory is known to within a factor of 2.",
        trends.break_even_span("activation_ratio"),
        at_most(2),
    ),
    _blocks(
        "edge-blocks-save-at-every-density",
        "At no measured density does policy {policy} stop saving more than 1 % of {convolution}'s activation memory.",
        trends.on_band("activation_ratio"),
        below(SAVES_BELOW),
    ),
    _layers(
        "layers-save-less-when-dense-on-the-band",
        "Checkpointing whole layers saves a smaller share of {convolution}'s activation memory in every cell at the "
        "densest level than in any at the sparsest.",
        trends.dense_over_sparse_end("activation_ratio"),
        above(1),
    ),
    _blocks(
        "edge-blocks-save-more-when-dense",
        "Policy {policy} saves a larger share of {convolution}'s activation memory on the densest graphs than on the "
        "sparsest.",
        trends.dense_over_sparse_end("activation_ratio"),
        below(1),
    ),
    _layers(
        "layers-cost-time-at-every-density",
        "At every measured density, checkpointing whole layers makes a training step of {convolution} slower.",
        trends.on_band("time_ratio"),
        above(1),
    ),
    _layers(
        "layers-cost-less-time-when-dense",
        "Checkpointing whole layers costs {convolution} a smaller share of a step's time on the densest graphs than on "
        "the sparsest.",
        trends.dense_over_sparse_end("time_ratio"),
        below(1),
    ),
    _blocks(
        "edge-blocks-stop-costing-time-within-the-range",
        "Within the measured densities, policy {policy} stops costing {convolution} time.",
        trends.at_dense_end("time_ratio"),
        at_most(1),
    ),
    _keeps_nothing("layers", "Recomputed layers"),
    _keeps_nothing("edge_blocks", "Edge blocks"),
    Template(
        "measured-bytes-are-the-counted-ones",
        "What one more edge of {convolution} costs in activation memory is what its tensors add up to, to 2 %.",
        laws.counted_bytes("measured"),
        within(0.98, 1.02),
    ),
    Template(
        "laws-agree-with-the-counted-bytes",
        "The laws chosen for {convolution}'s activation memory charge an edge what its tensors add up to, to 5 %.",
        laws.counted_bytes("law"),
        within(0.95, 1.05),
    ),
    _layers(
        "layers-cost-one-forward-pass",
        "Checkpointing whole layers costs a training step of {convolution} one more forward pass, give or take 5 % of "
        "the step.",
        peaks.time_over_one_forward(),
        within(0.95, 1.05),
    ),
    # A linear map does its work once forward and twice backward, gathering and scattering once each: the forward pass
    # is a third to a half of a step. Widened by a tenth, for what is done only once.
    _layers(
        "layers-repeat-a-forward-pass-per-edge",
        "With whole layers checkpointed, one more edge costs {convolution} between a quarter and six tenths more time: "
        "a forward pass is a third to a half of a step.",
        peaks.slope_ratio("step_time_seconds"),
        within(1.25, 1.6),
    ),
)
