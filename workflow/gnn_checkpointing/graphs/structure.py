"""Structure of a graph: degrees, clustering, homophily."""

import numpy as np
from numpy.random import PCG64, Generator

from gnn_checkpointing.graphs.pairs import Numbers, edge_keys, positions
from gnn_checkpointing.records.graph_facts import Structure

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
WEDGES = 100_000


def structure(edge_index: Numbers, labels: Numbers) -> Structure:
    """Structure of sorted edges `[2, num_edges]` between nodes with `labels` (-1: unlabelled)."""
    degrees = np.bincount(edge_index[1], minlength=labels.size)
    ends = labels[edge_index]
    labelled = (ends >= 0).all(axis=0)
    equal = (ends[0] == ends[1]) & labelled
    return Structure(
        degree_quantiles=tuple(int(one) for one in np.quantile(degrees, QUANTILES, method="inverted_cdf")),
        maximum_degree=int(degrees.max()),
        isolated_nodes=int((degrees == 0).sum()),
        clustering=_sampled_clustering(edge_index, degrees),
        homophily=float(equal.sum() / labelled.sum()) if labelled.any() else None,
    )


def _sampled_clustering(edge_index: Numbers, degrees: Numbers) -> float:
    """Estimate the average local clustering coefficient from WEDGES random pairs of neighbours.

    A node with fewer than two neighbours counts as 0 (as in Watts and Strogatz, and networkx). Each draw takes a
    uniformly random node with at least two neighbours, then two of its neighbours: the standard error is at most
    0.5 / sqrt(WEDGES) = 0.0016. The same edges always give the same number.
    """
    nodes = np.flatnonzero(degrees >= 2)
    if not nodes.size:
        return 0.0
    rng = Generator(PCG64(0))
    centre = nodes[rng.integers(0, nodes.size, WEDGES)]
    first = rng.integers(0, degrees[centre])
    # Uniform over the other neighbours: positions from the first one on move up by one.
    second = rng.integers(0, degrees[centre] - 1)
    second += second >= first
    start = (np.cumsum(degrees) - degrees)[centre]
    pair = np.stack([edge_index[0, start + first], edge_index[0, start + second]])
    _, joined = positions(edge_keys(edge_index, degrees.size), edge_keys(pair, degrees.size))
    return float(joined.mean() * nodes.size / degrees.size)
