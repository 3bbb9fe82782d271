"""Erdős-Rényi graphs G(n, m): every graph with that many edges is equally likely."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.pairs import distinct_codes, triangular_pairs
from gnn_checkpointing.study.graph_design import GeneratedGraph


def erdos_renyi_pairs(spec: GeneratedGraph, labels: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """Return the undirected edges `[2, spec.num_edges / 2]`, each once, drawn without regard to labels."""
    num_nodes = labels.size
    return triangular_pairs(distinct_codes(spec.num_edges // 2, num_nodes * (num_nodes - 1) // 2, rng))
