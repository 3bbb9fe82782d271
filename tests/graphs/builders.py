"""Specifications and small graphs for the tests of this folder."""

from typing import Any

import numpy as np

from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.make import make_graph
from gnn_checkpointing.graphs.pairs import both_directions
from gnn_checkpointing.study.graph_design import DerivedGraph, GeneratedGraph, LoadedGraph
from gnn_checkpointing.study.graph_entries import RealGraph


def generated(**changes: Any) -> GeneratedGraph:
    """The description of a small random graph."""
    sizes = {"num_nodes": 60, "average_degree": 6.0, "replicate": 0, "num_features": 5, "num_classes": 3}
    values = {"id": "sbm-small", "family": "sbm", **sizes, "homophily": 0.7, "feature_noise": 2.0, "seed": 11}
    return GeneratedGraph(**(values | changes))


def drawn(family: str, num_nodes: int, degree: float, **changes: Any) -> Graph:
    """A random graph of a family."""
    return make_graph(generated(family=family, num_nodes=num_nodes, average_degree=degree, **changes))


def loaded(**changes: Any) -> LoadedGraph:
    """The description of a real graph: the karate club without `changes`."""
    values: dict[str, Any] = {"class": "KarateClub", "name": "karate", **changes}
    root = values.pop("data_root", None)
    width = values.pop("num_features", 100_000)
    return LoadedGraph("real", RealGraph.model_validate(values), root and str(root), width, 7)


def real(data_root: Any = None, **entry: Any) -> Graph:
    """A real graph that is no dataset unless `dataset` names one."""
    return make_graph(loaded(**{"class": entry.pop("dataset", None), "name": "mine", **entry}, data_root=data_root))


def derived(base: GeneratedGraph | LoadedGraph, method: Any, size: float, seed: int = 5, **more: int) -> DerivedGraph:
    """The description of a graph that is made from another."""
    return DerivedGraph("derived", base, method, size, seed, **more)


def path_graph(**changes: Any) -> Graph:
    """The path 0 - 1 - 2 - 3 with two classes and one unlabelled node."""
    values = {
        "id": "path",
        "label": "A path <b> of 4",
        "family": "real",
        "edge_index": both_directions(np.array([[0, 1, 2], [1, 2, 3]]), 4),
        "features": np.eye(4, 3, dtype=np.float32),
        "labels": np.array([0, 1, 1, -1]),
        "train_mask": np.array([True, True, False, False]),
        "test_mask": np.array([False, False, True, False]),
        "num_classes": 2,
    }
    return Graph(**(values | changes))
