"""Claims where more than the density differs: families of graphs, graded real graphs, mini-batches."""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template
from gnn_checkpointing.claims.rules import Above, Below, Within


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
            pick=partial(evidence.families_against_reference, quantity="activation_over_reference"),
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
            pick=partial(evidence.families_against_reference, quantity="time_over_reference"),
            policy=policy,
            needs="families",
        ),
    )


VARIANTS = (
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
        pick=partial(evidence.graded_densest_over_sparsest, ratio="activation_ratio"),
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
        pick=partial(evidence.in_batches, ratio="activation_ratio"),
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
        pick=partial(evidence.in_batches, ratio="time_ratio"),
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
        pick=partial(evidence.in_batches_against_layers, ratio="activation_ratio"),
        policy="edge_blocks",
        needs="batches",
    ),
)
