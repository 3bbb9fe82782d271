"""R-MAT graphs: skewed and self-similar, as web graphs and the Graph500 benchmark."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.pairs import first_distinct, triangular_codes, triangular_pairs
from gnn_checkpointing.study.graph_design import GeneratedGraph

# Graph500's shares of the four quarters, 0.57, 0.19, 0.19 and 0.05, as bounds of a 16-bit number.
TOP_LEFT, TOP, BOTTOM_LEFT = (round(65536 * share) for share in (0.57, 0.57 + 0.19, 0.57 + 0.19 + 0.19))


def rmat_pairs(spec: GeneratedGraph, labels: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """Return the undirected edges `[2, spec.num_edges / 2]`, each once; low numbers are hubs, near numbers related.

    Chakrabarti, Zhan and Faloutsos (SDM 2004): the adjacency matrix is cut into quarters again and again, one of
    them chosen each time. Nodes beyond the last, which the next power of two would have, are drawn again.
    """
    num_nodes = labels.size

    def draw(asked: int) -> NDArray[np.int64]:
        row, column = np.zeros(asked, np.int64), np.zeros(asked, np.int64)
        for _ in range((num_nodes - 1).bit_length()):
            quarter = rng.integers(0, 65536, asked, dtype=np.uint16)
            below = quarter >= TOP
            right = ((quarter >= TOP_LEFT) & ~below) | (quarter >= BOTTOM_LEFT)
            row, column = 2 * row + below, 2 * column + right
        inside = (row != column) & (row < num_nodes) & (column < num_nodes)
        return triangular_codes(np.stack([row[inside], column[inside]]))

    return triangular_pairs(first_distinct(spec.num_edges // 2, num_nodes * (num_nodes - 1) // 2, draw, rng))
