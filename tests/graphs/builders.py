"""Specifications and small graphs for the tests of this folder."""

from typing import Any

import numpy as np

from gnn_checkpointing.graphs.edges import both_directions
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.study.graph_design import GeneratedGraph, LoadedGraph
from gnn_checkpointing.study.graph_entries import RealGraph


def generated(**changes: Any) -> GeneratedGraph:
    """Return the description of a small random graph."""
    values = {
        "id": "sbm-small",
        "family": "sbm",
        "num_nodes": 60,
        "average_degree": 6.0,
        "replicate": 0,
        "num_features": 5,
        "num_classes": 3,
        "homophily": 0.7,
        "feature_noise": 2.0,
        "seed": 11,
    }
    return GeneratedGraph(**(values | changes))


def loaded(**changes: Any) -> LoadedGraph:
    """Return the description of a real graph, the karate club unless told otherwise."""
    values: dict[str, Any] = {"class": "KarateClub", "name": "karate", **changes}
    root = values.pop("data_root", None)
    width = values.pop("num_features", 100_000)
    return LoadedGraph("real", RealGraph.model_validate(values), root, width, 7)


def path_graph(**changes: Any) -> Graph:
    """Return the path 0 - 1 - 2 - 3 with two classes and one unlabelled node."""
    values = {
        "id": "path",
        "label": "A path <b> of 4",
        "family": "real",
        "edge_index": both_directions(np.array([[0, 1, 2], [1, 2, 3]]), 4),
        "features": np.eye(4, 3, dtype=np.float32),
        "labels": np.array([0, 1, 1, -1]),
        "train_mask": np.array([True, True, False, False]),
        "test_mask": np.array([False, False, True, False]),
        "requested_average_degree": None,
        "replicate": 0,
        "num_classes": 2,
    }
    return Graph(**(values | changes))
