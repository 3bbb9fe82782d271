"""Families along an order of the nodes: small worlds, rings with some edges that lead far away, and circuits."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.pairs import distinct_codes, free_codes, settled, triangular_codes, triangular_pairs
from gnn_checkpointing.study.graph_design import GeneratedGraph


def watts_strogatz_pairs(spec: GeneratedGraph, labels: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """The undirected edges `[2, spec.num_edges / 2]`, each once; numbers follow the ring.

    Watts and Strogatz (Nature 393, 440): round(rewiring * edges) edges keep one end and get another at random. The
    farthest distance on the ring is drawn where the edges do not fill it. A rewired edge whose node has no free
    partner left (near-complete graphs only) becomes any free pair.
    """
    num_nodes, edges = labels.size, spec.num_edges // 2
    whole, rest = divmod(edges, num_nodes)
    # The shortest chords of the ring; half way round, a chord and its reverse are one.
    starts = num_nodes // 2 if 2 * (whole + 1) == num_nodes else num_nodes
    start = np.concatenate([np.tile(np.arange(num_nodes), whole), distinct_codes(rest, starts, rng)])
    distance = np.concatenate([np.repeat(np.arange(1, whole + 1), num_nodes), np.full(rest, whole + 1)])
    ring = np.stack([start, (start + distance) % num_nodes])
    rewired = np.zeros(edges, np.bool_)
    rewired[distinct_codes(round(spec.rewiring * edges), edges, rng)] = True
    fixed = ring[0, rewired]

    def draw(who: NDArray[np.int64]) -> NDArray[np.int64]:
        other = rng.integers(0, num_nodes, who.size, dtype=np.int64)
        return np.where(other == fixed[who], -1, triangular_codes(np.stack([fixed[who], other])))

    taken, left = settled(np.sort(triangular_codes(ring[:, ~rewired])), fixed.size, draw)
    free = free_codes(taken, left.size, num_nodes * (num_nodes - 1) // 2, rng)
    return triangular_pairs(np.concatenate([taken, free]))


def circuit_pairs(spec: GeneratedGraph, labels: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """The edges `[2, spec.num_edges / 2]` of a directed acyclic graph, each once; numbers are in its order.

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
    codes = [taken]
    for gate, wanted in zip(*np.unique(gates[left], return_counts=True), strict=True):
        first = gate * (gate - 1) // 2
        own = slice(*np.searchsorted(taken, (first, first + gate)))
        codes.append(np.setdiff1d(np.arange(first, first + gate), taken[own], assume_unique=True)[-wanted:])
    return triangular_pairs(np.concatenate(codes))


def _inputs(num_nodes: int, edges: int, rng: Generator) -> NDArray[np.int64]:
    """How many inputs each gate has: as equal as can be, gate i having at most i."""
    equal = np.arange(num_nodes)
    totals = equal * (equal + 1) // 2 + (num_nodes - 1 - equal) * equal
    inputs = int(np.searchsorted(totals, edges, side="right")) - 1
    counts = np.minimum(equal, inputs)
    counts[inputs + 1 + distinct_codes(edges - int(totals[inputs]), num_nodes - 1 - inputs, rng)] += 1
    return counts
