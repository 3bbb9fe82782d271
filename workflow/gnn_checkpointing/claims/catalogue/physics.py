"""Claims that say what the tensors must do: bytes counted by hand, and what recomputation has to cost."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template, of_convolution
from gnn_checkpointing.claims.rules import Within

HALF_A_FLOAT = 2.0
"""Bytes: a single float32 kept of an edge would show as 4, so half of that parts something from nothing."""


def _keeps_nothing(policy: str, who: str) -> Template:
    """Return that a policy leaves nothing of an edge for the backward pass: what is kept are node values."""
    return Template(
        id=f"{who.lower().replace(' ', '-')}-keep-nothing-per-edge",
        sentence=f"{who} keep nothing of an edge of {{convolution}} for the backward pass: inputs of layers are node "
        "values.",
        source=OWN,
        quantity="bytes per edge held at the end of the forward pass, {policy}",
        unit="bytes per edge",
        rule=Within(-HALF_A_FLOAT, HALF_A_FLOAT),
        pick=partial(evidence.per_edge, response="saved_activation_bytes"),
        policy=policy,
    )


PHYSICS = (
    _keeps_nothing("layers", "Recomputed layers"),
    _keeps_nothing("edge_blocks", "Edge blocks"),
    Template(
        id="measured-bytes-are-the-counted-ones",
        sentence="What one more edge of {convolution} costs in activation memory is what its tensors add up to, to "
        "2 %.",
        source=OWN,
        quantity="bytes per edge on the densest graphs, measured / counted by hand, for each policy and kind of bytes",
        unit="ratio",
        rule=Within(0.98, 1.02),
        pick=of_convolution(evidence.counted_bytes, field="measured"),
    ),
    Template(
        id="laws-agree-with-the-counted-bytes",
        sentence="The laws chosen for {convolution}'s activation memory charge an edge what its tensors add up to, to "
        "5 %.",
        source=OWN,
        quantity="bytes per edge on the densest graphs, law / counted by hand, for each policy and kind of bytes",
        unit="ratio",
        rule=Within(0.95, 1.05),
        pick=of_convolution(evidence.counted_bytes, field="law"),
    ),
    Template(
        id="layers-cost-one-forward-pass",
        sentence="Checkpointing whole layers costs a training step of {convolution} one more forward pass, give or "
        "take 5 % of the step.",
        source=OWN,
        quantity="step time, layers / none, divided by 1 + the forward pass's share of none's step, at the densest "
        "timed level",
        unit="ratio",
        rule=Within(0.95, 1.05),
        pick=evidence.time_over_one_forward,
        policy="layers",
    ),
    # A linear map does its work once forward and twice backward, gathering and scattering once each: the forward pass
    # is a third to a half of a step. Widened by a tenth, for what is done only once.
    Template(
        id="layers-repeat-a-forward-pass-per-edge",
        sentence="With whole layers checkpointed, one more edge costs {convolution} between a quarter and six tenths "
        "more time: a forward pass is a third to a half of a step.",
        source=OWN,
        quantity="seconds per edge, layers / none (policy x edges interaction)",
        unit="ratio",
        rule=Within(1.25, 1.6),
        pick=partial(evidence.slope_ratio, response="step_time_seconds"),
        policy="layers",
    ),
)
