"""Fewer edges, removed evenly at random."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.pairs import distinct_codes
from gnn_checkpointing.refusal import Refusal


def thinned(pairs: NDArray[np.int64], num_nodes: int, level: float, rng: Generator) -> NDArray[np.int64]:
    """Return as many of the undirected edges `[2, edges]` as give the average degree `level`, all equally likely."""
    wanted = round(num_nodes * level / 2)
    if wanted > pairs.shape[1]:
        raise Refusal(
            f"cannot be thinned to average degree {level:g}: it has {2 * pairs.shape[1] / num_nodes:.4g}; lower "
            "graded.thinned, or use graded.two_hop"
        )
    kept: NDArray[np.int64] = pairs[:, distinct_codes(wanted, pairs.shape[1], rng)]
    return kept
