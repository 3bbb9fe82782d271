"""Exact sampling of distinct node pairs by their numbers, without ever listing all pairs."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


def distinct_codes(count: int, size: int, rng: Generator) -> NDArray[np.int64]:
    """Return `count` distinct numbers out of `range(size)`, sorted; every such set is equally likely.

    Time and memory grow with `count`, not with `size`.
    """
    if not 0 <= count <= size:
        raise ValueError(f"{count} distinct numbers out of {size} is impossible")
    if count > size - count:
        return _gaps(distinct_codes(size - count, size, rng), count)
    drawn = np.empty(0, np.int64)
    while True:
        codes, first = np.unique(drawn, return_index=True)
        if codes.size >= count:
            break
        drawn = np.concatenate([drawn, rng.integers(0, size, count - codes.size + 16, dtype=np.int64)])
    # Only the order of drawing is blind to the numbers themselves: keep those that appeared first.
    return codes[np.argsort(np.argsort(first)) < count]


def triangular_pairs(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs `[2, codes]` with i > j >= 0 whose number i (i - 1) / 2 + j is the code (below 2**61).

    The root of i (i - 1) / 2 = code in floating point is at most one off; integers put that right.
    """
    i = ((1 + np.sqrt(1 + 8 * codes.astype(np.float64))) / 2).astype(np.int64)
    i -= i * (i - 1) // 2 > codes
    i += i * (i + 1) // 2 <= codes
    return np.stack([i, codes - i * (i - 1) // 2])


def rectangular_pairs(codes: NDArray[np.int64], columns: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Return the pairs `[2, codes]` of row and column whose number row * columns + column is the code."""
    return np.stack(np.divmod(codes, columns))


def _gaps(missing: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the `count` numbers from 0 that are not in the sorted `missing`."""
    # The k-th number kept is k plus the missing ones below it, and that sum steps up at missing[m] - m.
    steps = missing - np.arange(missing.size)
    runs = np.diff(steps, prepend=0, append=count)
    return np.arange(count, dtype=np.int64) + np.repeat(np.arange(missing.size + 1, dtype=np.int64), runs)
