"""Other densities of a real graph: edges are removed or added, the nodes are unchanged."""

import numpy as np
from numpy.random import Generator

from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.pairs import (
    Numbers,
    both_directions,
    distinct_codes,
    gathered,
    triangular_codes,
    triangular_pairs,
)
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.graph_design import DerivedGraph, LoadedGraph


def graded(spec: DerivedGraph, base: Graph, rng: Generator) -> Numbers:
    """Make the `edge_index` that `spec` describes from that of the real graph `base`."""
    assert isinstance(spec.base, LoadedGraph)
    source, method, nodes = spec.base.source, {"thinned": thinned, "capped": capped, "two_hop": two_hop}, base.num_nodes
    try:
        for other in () if spec.method == "capped" else getattr(source.graded, spec.method):
            # Checked only here, since the study does not know the number of nodes.
            if other != spec.size and round(nodes * other / 2) == round(nodes * spec.size / 2):
                raise Refusal(
                    f"graded.{spec.method} {spec.size} and {other} give {nodes} nodes equally many edges; name one of "
                    "them"
                )
        edges = method[spec.method](base.edge_index[:, base.edge_index[0] > base.edge_index[1]], nodes, spec.size, rng)
    except Refusal as refusal:
        raise Refusal(f"real graph {source.name}: {refusal}") from None
    return both_directions(edges, nodes)


def thinned(pairs: Numbers, num_nodes: int, level: float, rng: Generator) -> Numbers:
    """Uniformly random subset of the undirected edges `[2, edges]` that gives the average degree `level`."""
    wanted = round(num_nodes * level / 2)
    if wanted > pairs.shape[1]:
        raise Refusal(
            f"cannot be thinned to average degree {level:g}: it has {2 * pairs.shape[1] / num_nodes:.4g}; lower "
            "graded.thinned, or use graded.two_hop"
        )
    return pairs[:, distinct_codes(wanted, pairs.shape[1], rng)]


def capped(pairs: Numbers, num_nodes: int, level: float, rng: Generator) -> Numbers:
    """Keep the undirected edges `[2, edges]` that are among the first `level` edges of both ends.

    "First" refers to one random order of all edges. No degree exceeds `level`, and nodes with at most `level`
    neighbours lose only edges that the other end does not keep.
    """
    edges = pairs.shape[1]
    turn = rng.permutation(edges)
    ends = np.concatenate([pairs[0], pairs[1]])
    order = np.lexsort((np.tile(turn, 2), ends))
    degrees = np.bincount(ends, minlength=num_nodes)
    start = np.cumsum(degrees) - degrees
    rank = np.empty(2 * edges, np.int64)
    rank[order] = np.arange(2 * edges) - start[ends[order]]
    return pairs[:, (rank[:edges] < level) & (rank[edges:] < level)]


def two_hop(pairs: Numbers, num_nodes: int, level: float, rng: Generator) -> Numbers:
    """Add two-hop pairs to the undirected edges `[2, edges]` until the average degree is `level`.

    A new edge joins the ends of a random path of two edges, so that pairs with many common neighbours are more likely.
    The set of all two-hop pairs, which may not fit in memory, is never listed.
    """
    edge_index = both_directions(pairs, num_nodes)
    degrees = np.bincount(edge_index[1], minlength=num_nodes)
    start = np.cumsum(degrees) - degrees
    wanted = round(num_nodes * level / 2) - pairs.shape[1]
    if wanted < 0:
        raise Refusal(
            f"cannot be closed to average degree {level:g}: it has {2 * pairs.shape[1] / num_nodes:.4g} already; raise "
            "graded.two_hop, or use graded.thinned"
        )

    def draw(asked: int) -> Numbers:
        first = rng.integers(0, edge_index.shape[1], asked)
        middle = edge_index[0, first]
        second = start[middle] + rng.integers(0, degrees[middle])
        ends = np.stack([edge_index[1, first], edge_index[0, second]])
        return triangular_codes(ends[:, ends[0] != ends[1]])

    codes = gathered(np.sort(triangular_codes(pairs)), wanted, draw)
    if codes.size < pairs.shape[1] + wanted:
        raise Refusal(
            f"cannot be closed to average degree {level:g}: joining neighbours of neighbours reaches about "
            f"{2 * codes.size / num_nodes:.4g}; lower graded.two_hop"
        )
    return triangular_pairs(codes)
