"""Stochastic block model with exact counts: edges inside blocks and edges between blocks."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.pairs import distinct_codes, rectangular_pairs, triangular_pairs
from gnn_checkpointing.study.graph_design import GeneratedGraph


def sbm_pairs(spec: GeneratedGraph, labels: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """Return the undirected edges `[2, spec.num_edges / 2]`, each once; round(homophily * edges) join equal labels."""
    edges = spec.num_edges // 2
    inside = round(edges * spec.homophily)
    sizes = np.bincount(labels, minlength=spec.num_classes).astype(np.int64)
    positions = np.concatenate([_inside(sizes, inside, rng), _between(sizes, edges - inside, rng)], axis=1)
    # Positions run through block after block; nodes were given their labels in random order.
    pairs: NDArray[np.int64] = np.argsort(labels, kind="stable")[positions]
    return pairs


def _inside(sizes: NDArray[np.int64], count: int, rng: Generator) -> NDArray[np.int64]:
    """Return `count` distinct pairs of positions within one block."""
    pairs = sizes * (sizes - 1) // 2
    codes = distinct_codes(count, int(pairs.sum()), rng)
    block, local = _located(codes, pairs)
    return triangular_pairs(local) + _starts(sizes)[block]


def _between(sizes: NDArray[np.int64], count: int, rng: Generator) -> NDArray[np.int64]:
    """Return `count` distinct pairs of positions in two blocks, the later block first."""
    starts = _starts(sizes)
    # A block's rectangle: its own nodes as rows, all nodes of earlier blocks as columns.
    pairs = sizes * starts
    codes = distinct_codes(count, int(pairs.sum()), rng)
    block, local = _located(codes, pairs)
    row, column = rectangular_pairs(local, starts[block])
    return np.stack([starts[block] + row, column])


def _located(codes: NDArray[np.int64], lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each code the segment that holds it and its number within that segment."""
    starts = _starts(lengths)
    segment = np.searchsorted(starts, codes, side="right").astype(np.int64) - 1
    return segment, codes - starts[segment]


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum(lengths) - lengths
