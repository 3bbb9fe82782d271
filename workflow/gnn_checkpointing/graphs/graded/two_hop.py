"""More edges: neighbours of neighbours are joined."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.edges import both_directions
from gnn_checkpointing.graphs.pairs import gathered, triangular_codes, triangular_pairs
from gnn_checkpointing.refusal import Refusal


def two_hop(pairs: NDArray[np.int64], num_nodes: int, level: float, rng: Generator) -> NDArray[np.int64]:
    """Return the undirected edges `[2, edges]` and as many two-hop pairs as give the average degree `level`.

    A new edge joins the ends of a random path of two edges (an edge, then another of its end), so that pairs with
    many common neighbours come first; the closure itself, which may not fit in memory, is never listed.
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

    def draw(asked: int) -> NDArray[np.int64]:
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
