"""Families whose edges are drawn independently: in blocks, uniformly, with hubs, and skewed (R-MAT)."""

import numpy as np
from numpy.random import Generator

from gnn_checkpointing.graphs.pairs import Numbers, distinct_codes, first_distinct, triangular_codes, triangular_pairs
from gnn_checkpointing.study.graph_design import GeneratedGraph

# Graph500's probabilities of the four quarters, 0.57, 0.19, 0.19 and 0.05, as thresholds of a 16-bit number.
TOP_LEFT, TOP, BOTTOM_LEFT = (round(65536 * share) for share in (0.57, 0.57 + 0.19, 0.57 + 0.19 + 0.19))


def sbm_pairs(spec: GeneratedGraph, labels: Numbers, rng: Generator) -> Numbers:
    """Undirected edges `[2, spec.num_edges / 2]`, each once; round(homophily * edges) join equal labels."""
    edges = spec.num_edges // 2
    wanted = round(edges * spec.homophily)
    sizes = np.bincount(labels, minlength=spec.num_classes).astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    block, code = _drawn(sizes * (sizes - 1) // 2, wanted, rng)
    inside = triangular_pairs(code) + starts[block]
    # The rectangle of a block has its own nodes as rows and all nodes of earlier blocks as columns.
    block, code = _drawn(sizes * starts, edges - wanted, rng)
    row, column = np.divmod(code, starts[block])
    positions = np.concatenate([inside, np.stack([starts[block] + row, column])], axis=1)
    # Positions are numbered block after block; labels were given to nodes in random order.
    pairs: Numbers = np.argsort(labels, kind="stable")[positions]
    return pairs


def _drawn(lengths: Numbers, count: int, rng: Generator) -> tuple[Numbers, Numbers]:
    """Draw `count` distinct pairs from blocks with `lengths` pairs; returns each one's block and number within it."""
    codes = distinct_codes(count, int(lengths.sum()), rng)
    starts = np.cumsum(lengths) - lengths
    block = np.searchsorted(starts, codes, side="right").astype(np.int64) - 1
    return block, codes - starts[block]


def erdos_renyi_pairs(spec: GeneratedGraph, labels: Numbers, rng: Generator) -> Numbers:
    """Undirected edges `[2, spec.num_edges / 2]`, each once; G(n, m): every such graph is equally likely."""
    return triangular_pairs(distinct_codes(spec.num_edges // 2, _all_pairs(labels), rng))


def heavy_tail_pairs(spec: GeneratedGraph, labels: Numbers, rng: Generator) -> Numbers:
    """Undirected edges `[2, spec.num_edges / 2]`, each once; nodes with low numbers are hubs.

    The static model of Goh, Kahng and Kim (Phys. Rev. Lett. 87, 278701): both ends are drawn with weight
    (node + 1)^(-1/2). This gives the tail exponent 3 of Barabási and Albert's growth model but, unlike that, any number
    of edges. In a dense graph hubs saturate and the tail is cut off.
    """

    def draw(asked: int) -> Numbers:
        # The inverse of the distribution function is a square, exact on every machine.
        ends = (labels.size * rng.random((2, asked)) ** 2).astype(np.int64)
        return triangular_codes(ends[:, ends[0] != ends[1]])

    return triangular_pairs(first_distinct(spec.num_edges // 2, _all_pairs(labels), draw, rng))


def rmat_pairs(spec: GeneratedGraph, labels: Numbers, rng: Generator) -> Numbers:
    """Undirected edges `[2, spec.num_edges / 2]`, each once; low numbers are hubs, near numbers related.

    Chakrabarti, Zhan and Faloutsos (SDM 2004): the adjacency matrix is cut into quarters repeatedly, and one quarter
    is chosen each time. Node numbers are drawn up to the next power of two; those beyond the last node are redrawn.
    """
    num_nodes = labels.size

    def draw(asked: int) -> Numbers:
        row, column = np.zeros(asked, np.int64), np.zeros(asked, np.int64)
        for _ in range((num_nodes - 1).bit_length()):
            quarter = rng.integers(0, 65536, asked, dtype=np.uint16)
            below = quarter >= TOP
            right = ((quarter >= TOP_LEFT) & ~below) | (quarter >= BOTTOM_LEFT)
            row, column = 2 * row + below, 2 * column + right
        inside = (row != column) & (row < num_nodes) & (column < num_nodes)
        return triangular_codes(np.stack([row[inside], column[inside]]))

    return triangular_pairs(first_distinct(spec.num_edges // 2, _all_pairs(labels), draw, rng))


def _all_pairs(labels: Numbers) -> int:
    return labels.size * (labels.size - 1) // 2
