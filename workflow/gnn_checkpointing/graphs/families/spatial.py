"""Random geometric graphs: points in the unit square, joined where they are closest, as in meshes and images."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial import KDTree

from gnn_checkpointing.graphs.pairs import triangular_codes, triangular_pairs
from gnn_checkpointing.study.graph_design import GeneratedGraph

# Whole numbers as coordinates: squared distances are then exact, and so is the graph, on every machine.
SIDE = 2**26


def spatial_pairs(spec: GeneratedGraph, labels: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """The undirected edges `[2, spec.num_edges / 2]`, each once: the closest pairs of evenly scattered points.

    That is a random geometric graph whose radius is chosen for its number of edges. Nodes are numbered strip by
    strip, as pixels and mesh points are: neighbours in space are near in memory. Of equally close pairs, those of the
    lower code are taken.
    """
    edges, points = spec.num_edges // 2, scattered(labels.size, rng)
    candidates = _close_pairs(points, edges)
    distances = ((points[candidates[0]] - points[candidates[1]]) ** 2).sum(axis=1)
    codes = triangular_codes(candidates)
    farthest = np.partition(distances, edges - 1)[edges - 1]
    nearer, ties = codes[distances < farthest], np.sort(codes[distances == farthest])
    return triangular_pairs(np.concatenate([nearer, ties[: edges - nearer.size]]))


def scattered(num_nodes: int, rng: Generator) -> NDArray[np.int64]:
    """Points `[num_nodes, 2]`, in strips from the bottom, each from left to right."""
    points = rng.integers(0, SIDE, (num_nodes, 2), dtype=np.int64)
    strips = max(1, math.isqrt(num_nodes))
    return points[np.lexsort((points[:, 0], points[:, 1] * strips // SIDE))]


def _close_pairs(points: NDArray[np.int64], edges: int) -> NDArray[np.int64]:
    """Pairs `[2, at least edges]`: all that are closer than some radius."""
    num_nodes = len(points)
    tree = KDTree(points.astype(np.float64))
    # Points near the border have fewer neighbours, so the radius without a border is too small: start there.
    radius = SIDE * math.sqrt(2 * edges / (math.pi * num_nodes * (num_nodes - 1)))
    while tree.count_neighbors(tree, radius) < num_nodes + 2 * edges:  # ordered pairs, and each point itself
        radius *= 1.03
    # A point exactly on the circle may fall to either side in floating point; beyond it, none is missed.
    pairs: NDArray[np.int64] = tree.query_pairs(radius * (1 + 1e-9), output_type="ndarray").astype(np.int64).T
    return pairs
