"""Graphs with a few hubs: degrees fall off with the power 3, as in growth by preferential attachment."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.pairs import first_distinct, triangular_codes, triangular_pairs
from gnn_checkpointing.study.graph_design import GeneratedGraph


def heavy_tail_pairs(spec: GeneratedGraph, labels: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """Return the undirected edges `[2, spec.num_edges / 2]`, each once; low numbers are hubs.

    The static model of Goh, Kahng and Kim (Phys. Rev. Lett. 87, 278701): both ends are drawn with weight
    (node + 1)^(-1/2), which gives the tail exponent 3 of Barabási and Albert's growth and, unlike it, any number of
    edges. In a dense graph hubs saturate and the tail is cut.
    """
    num_nodes = labels.size

    def draw(asked: int) -> NDArray[np.int64]:
        # The inverse of the distribution function is a square, exact on every machine.
        ends = (num_nodes * rng.random((2, asked)) ** 2).astype(np.int64)
        return triangular_codes(ends[:, ends[0] != ends[1]])

    return triangular_pairs(first_distinct(spec.num_edges // 2, num_nodes * (num_nodes - 1) // 2, draw, rng))
