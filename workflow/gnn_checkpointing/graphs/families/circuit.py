"""Circuit-like graphs: gates in topological order, inputs mostly from near by, as Rent's rule has it."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.pairs import distinct_codes, settled, triangular_codes, triangular_pairs
from gnn_checkpointing.study.graph_design import GeneratedGraph


def circuit_pairs(spec: GeneratedGraph, labels: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """Return the edges `[2, spec.num_edges / 2]` of a directed acyclic graph, each once; numbers are in its order.

    Every gate has half the average degree as inputs (as nearly as whole numbers and the gates before it allow), each
    from a gate that lies `d` before it with probability of more than d proportional to d^(-1/3). Of the edges at a
    stretch of B gates a number proportional to B^(2/3) then leaves it: Rent's rule with the exponent of random logic
    (Landman and Russo 1971: 0.57 to 0.75). Chains of near gates make long paths. A gate that finds too few free
    gates (the first ones, in dense graphs) takes the nearest.
    """
    gates = np.repeat(np.arange(labels.size), _inputs(labels.size, spec.num_edges // 2, rng))

    def draw(who: NDArray[np.int64]) -> NDArray[np.int64]:
        # The inverse of the distribution function is a cube, exact on every machine.
        back = np.minimum(1 / (1 - rng.random(who.size)) ** 3, labels.size).astype(np.int64)
        source = gates[who] - back
        return np.where(source < 0, -1, triangular_codes(np.stack([gates[who], source])))

    taken, left = settled(np.empty(0, np.int64), gates.size, draw)
    return triangular_pairs(np.concatenate([taken, _nearest(taken, gates[left])]))


def _inputs(num_nodes: int, edges: int, rng: Generator) -> NDArray[np.int64]:
    """Return how many inputs each gate has: as equal as can be, gate i having at most i."""
    equal = np.arange(num_nodes)
    totals = equal * (equal + 1) // 2 + (num_nodes - 1 - equal) * equal
    inputs = int(np.searchsorted(totals, edges, side="right")) - 1
    counts = np.minimum(equal, inputs)
    counts[inputs + 1 + distinct_codes(edges - int(totals[inputs]), num_nodes - 1 - inputs, rng)] += 1
    return counts


def _nearest(taken: NDArray[np.int64], gates: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one code for each of `gates` (in order, with repeats): the nearest gate before it that is not taken."""
    codes = []
    for gate, wanted in zip(*np.unique(gates, return_counts=True), strict=True):
        first = gate * (gate - 1) // 2
        own = taken[np.searchsorted(taken, first) : np.searchsorted(taken, first + gate)]
        codes.append(np.setdiff1d(np.arange(first, first + gate), own, assume_unique=True)[-wanted:])
    return np.concatenate(codes) if codes else np.empty(0, np.int64)
