"""Small-world graphs: a ring of near neighbours, some of whose edges lead far away instead."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.pairs import distinct_codes, free_codes, settled, triangular_codes, triangular_pairs
from gnn_checkpointing.study.graph_design import GeneratedGraph


def watts_strogatz_pairs(spec: GeneratedGraph, labels: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """Return the undirected edges `[2, spec.num_edges / 2]`, each once; numbers follow the ring.

    Watts and Strogatz (Nature 393, 440): round(rewiring * edges) edges keep one end and get another at random. The
    farthest distance on the ring is drawn where the edges do not fill it. A rewired edge whose node has no free
    partner left (near-complete graphs only) becomes any free pair.
    """
    num_nodes, edges = labels.size, spec.num_edges // 2
    ring = _ring(num_nodes, edges, rng)
    rewired = np.zeros(edges, np.bool_)
    rewired[distinct_codes(round(spec.rewiring * edges), edges, rng)] = True
    fixed = ring[0, rewired]

    def draw(who: NDArray[np.int64]) -> NDArray[np.int64]:
        other = rng.integers(0, num_nodes, who.size, dtype=np.int64)
        codes = triangular_codes(np.stack([fixed[who], other]))
        return np.where(other == fixed[who], -1, codes)

    taken, left = settled(np.sort(triangular_codes(ring[:, ~rewired])), fixed.size, draw)
    rest = free_codes(taken, left.size, num_nodes * (num_nodes - 1) // 2, rng)
    return triangular_pairs(np.concatenate([taken, rest]))


def _ring(num_nodes: int, edges: int, rng: Generator) -> NDArray[np.int64]:
    """Return the `edges` shortest chords `[2, edges]` of a ring: node and the one some places further."""
    whole, rest = divmod(edges, num_nodes)
    # Half way round, a chord and its reverse are one.
    starts = num_nodes // 2 if 2 * (whole + 1) == num_nodes else num_nodes
    start = np.concatenate([np.tile(np.arange(num_nodes), whole), distinct_codes(rest, starts, rng)])
    distance = np.concatenate([np.repeat(np.arange(1, whole + 1), num_nodes), np.full(rest, whole + 1)])
    return np.stack([start, (start + distance) % num_nodes])
