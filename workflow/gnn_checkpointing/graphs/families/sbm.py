"""Stochastic block model with exact counts: edges inside blocks and edges between blocks."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.pairs import distinct_codes, triangular_pairs
from gnn_checkpointing.study.graph_design import GeneratedGraph


def sbm_pairs(spec: GeneratedGraph, labels: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """The undirected edges `[2, spec.num_edges / 2]`, each once; round(homophily * edges) join equal labels."""
    edges = spec.num_edges // 2
    wanted = round(edges * spec.homophily)
    sizes = np.bincount(labels, minlength=spec.num_classes).astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    block, code = _drawn(sizes * (sizes - 1) // 2, wanted, rng)
    inside = triangular_pairs(code) + starts[block]
    # A block's rectangle: its own nodes as rows, all nodes of earlier blocks as columns.
    block, code = _drawn(sizes * starts, edges - wanted, rng)
    row, column = np.divmod(code, starts[block])
    positions = np.concatenate([inside, np.stack([starts[block] + row, column])], axis=1)
    # Positions run through block after block; nodes were given their labels in random order.
    pairs: NDArray[np.int64] = np.argsort(labels, kind="stable")[positions]
    return pairs


def _drawn(lengths: NDArray[np.int64], count: int, rng: Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The block of each of `count` distinct pairs, out of as many as its length, and the pair's number within it."""
    codes = distinct_codes(count, int(lengths.sum()), rng)
    starts = np.cumsum(lengths) - lengths
    block = np.searchsorted(starts, codes, side="right").astype(np.int64) - 1
    return block, codes - starts[block]
