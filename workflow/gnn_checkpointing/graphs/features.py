"""Labels, noisy features that encode the labels, the split into training and test, and projection of wide features."""

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from gnn_checkpointing.study.families import block_sizes

ROWS = 16_384
"""Nodes projected at once, to bound the working memory."""


def shuffled_labels(num_nodes: int, num_classes: int, rng: Generator) -> NDArray[np.int64]:
    """Labels `[num_nodes]` in random order; the sizes of the classes differ by at most one node."""
    return rng.permutation(np.repeat(np.arange(num_classes, dtype=np.int64), block_sizes(num_nodes, num_classes)))


def noisy_patterns(
    labels: NDArray[np.int64], num_classes: int, num_features: int, noise: float, rng: Generator
) -> NDArray[np.float32]:
    """Features `[num_nodes, num_features]`: the class's pattern of +1 and -1, plus noise of that standard deviation."""
    patterns = 2.0 * rng.integers(0, 2, (num_classes, num_features), dtype=np.int64) - 1.0
    return (patterns[labels] + noise * bell((labels.size, num_features), rng)).astype(np.float32)


def split(labels: NDArray[np.int64], rng: Generator) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks of training (60 %) and test (40 %) nodes; nodes labelled -1 are in neither.

    Each class is split 60 to 40 to within one node: the shuffled members of all classes form one row, class after
    class, and three of every five places in that row are for training.
    """
    shuffled = rng.permutation(labels.size)
    row = shuffled[np.argsort(labels[shuffled], kind="stable")]
    row = row[labels[row] >= 0]
    trains = np.arange(row.size) % 5 % 2 == 0
    return np.isin(np.arange(labels.size), row[trains]), np.isin(np.arange(labels.size), row[~trains])


def bell(shape: tuple[int, ...], rng: Generator) -> NDArray[np.float64]:
    """Bell-shaped noise of mean 0 and standard deviation 1: the sum of twelve uniform numbers, minus 6.

    A uniform number has variance 1/12, so the sum of twelve has 1. Normal numbers would need exp, log or cos, whose
    last digit differs between C libraries, and the order of a sum over an axis depends on the processor. Adding whole
    arrays rounds identically on every IEEE machine, so the same seed gives the same bytes.
    """
    total = np.full(shape, -6.0)
    for _ in range(12):
        total += rng.random(shape)
    return total


def projected(features: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Features `[num_nodes, min(width, columns)]`: unchanged if they are narrow enough, otherwise projected.

    Each new column is the sum of all old ones with random signs, divided by the root of `width` (Achlioptas, J.
    Comput. Syst. Sci. 66, 671). The signs depend only on the two widths, and a sparse product adds in a fixed order,
    so the same features give the same bytes on every machine.
    """
    columns = features.shape[1]
    if columns <= width:
        return features
    from scipy.sparse import csr_array  # not needed for generated graphs

    signs = 1.0 - 2.0 * Generator(PCG64([columns, width])).integers(0, 2, (columns, width), dtype=np.int8)
    narrow = np.empty((features.shape[0], width), np.float32)
    for start in range(0, features.shape[0], ROWS):
        rows = slice(start, start + ROWS)
        narrow[rows] = csr_array(features[rows].astype(np.float64)) @ signs / np.sqrt(width)
    return narrow
