"""A graph that brings its ego networks with it: encoded into further features, or as a bag of small graphs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gnn_checkpointing.graphs.ego.bags import bag
from gnn_checkpointing.graphs.ego.features import ego_features
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.records.graph_facts import Derivation
from gnn_checkpointing.study.graph_design import EgoGraph

_LABELS = {"encodings": "ego encodings", "ego_networks": "ego networks"}


def with_egos(spec: EgoGraph, base: Graph) -> Graph:
    """Return the graph that `spec` describes, made from its base: the same task on another input."""
    arrays = (
        {"features": np.concatenate([base.features, ego_features(base, spec.radius, spec.channels)], axis=1)}
        if spec.form == "encodings"
        else bag(base, spec.radius)
    )
    return replace(
        base,
        id=spec.id,
        label=f"{base.label}, {_LABELS[spec.form]} of radius {spec.radius}",
        requested_average_degree=None,
        derivation=Derivation(base=base.id, base_label=base.label, method=spec.form, size=spec.radius),
        **arrays,
    )
