"""Claims on ego networks as inputs: encoded into features, or all of them in a bag."""

from __future__ import annotations

from gnn_checkpointing.claims import evidence
from gnn_checkpointing.claims.catalogue.template import OWN, Template, of_convolution
from gnn_checkpointing.claims.rules import Above

_BAG = "a bag is every node's ego network as a small graph of its own; {setting}"

EGO = (
    Template(
        id="bags-peak-above-encodings",
        sentence="Training {convolution} on bagged ego networks takes more memory than on the graph with their "
        "encodings, at every density and radius.",
        source=OWN,
        quantity="peak memory, bag / encodings, both without checkpointing",
        unit="ratio",
        rule=Above(1),
        pick=of_convolution(evidence.bag_over_encodings, policy="none"),
        needs="ego networks",
        conditions=_BAG,
    ),
    Template(
        id="checkpointed-bags-peak-above-encodings",
        sentence="Even with policy {policy}, training {convolution} on bagged ego networks takes more memory than on "
        "the graph with their encodings without checkpointing.",
        source=OWN,
        quantity="peak memory, bag under {policy} / encodings under none",
        unit="ratio",
        rule=Above(1),
        pick=evidence.bag_over_encodings,
        policy="layers",
        needs="ego networks",
        conditions=_BAG,
    ),
    Template(
        id="bags-lose-more-when-dense",
        sentence="The denser the graph, the more memory bagged ego networks take relative to their encodings, with "
        "{convolution}.",
        source=OWN,
        quantity="peak memory, bag / encodings: the ratio at the densest graph / at the sparsest, for each radius",
        unit="ratio of ratios",
        rule=Above(1),
        pick=of_convolution(evidence.densest_bag_over_sparsest, policy="none"),
        needs="ego networks",
        conditions=_BAG,
    ),
)
