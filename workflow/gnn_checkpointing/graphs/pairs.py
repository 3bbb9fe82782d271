"""Edges as integers: this project's form of `edge_index`, and exact sampling of distinct pairs without listing all."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

PATIENCE = 64
"""Draws per requested number (in `settled`: rounds) after which a family's own rule is given up for the rest."""

LARGEST_DRAW = 4_000_000
"""Maximum of numbers drawn at once: about a hundred MiB of working memory, however many edges are requested."""


def edge_keys(edge_index: Numbers, num_nodes: int) -> Numbers:
    """One number per edge that orders edges by destination, then source: destination * num_nodes + source."""
    keys: Numbers = edge_index[1] * np.int64(num_nodes) + edge_index[0]
    return keys


def both_directions(pairs: Numbers, num_nodes: int) -> Numbers:
    """Sorted `edge_index` of undirected edges, from `pairs` `[2, edges]` with each edge once."""
    return _edges(np.sort(edge_keys(np.concatenate([pairs, pairs[::-1]], axis=1), num_nodes)), num_nodes)


def simple_edges(edge_index: Numbers, num_nodes: int) -> Numbers:
    """Sort edges by destination, then source, without self-loops and duplicates."""
    kept = edge_index[:, edge_index[0] != edge_index[1]]
    return _edges(np.unique(edge_keys(kept, num_nodes)), num_nodes)


def missing_reverses(edge_index: Numbers, num_nodes: int) -> int:
    """Number of the sorted, distinct edges that lack their reverse."""
    keys = edge_keys(edge_index, num_nodes)
    reverses = np.sort(edge_keys(edge_index[::-1], num_nodes))
    # Comparing sorted keys settles the common case, ten times cheaper than a set difference.
    return 0 if np.array_equal(keys, reverses) else int(np.setdiff1d(keys, reverses, assume_unique=True).size)


def _edges(keys: Numbers, num_nodes: int) -> Numbers:
    return np.stack(np.divmod(keys, np.int64(num_nodes))[::-1])


def positions(keys: Numbers, wanted: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """Position of each of `wanted` in the sorted `keys`, and whether it is there at all."""
    if not keys.size:
        return np.zeros(wanted.size, np.int64), np.zeros(wanted.size, np.bool_)
    at = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return at, keys[at] == wanted


def distinct_codes(count: int, size: int, rng: Generator) -> Numbers:
    """Draw `count` distinct numbers from `range(size)`, sorted; every such set is equally likely.

    Time and memory grow with `count`, not with `size`.
    """
    if not 0 <= count <= size:
        raise ValueError(f"{count} distinct numbers out of {size} is impossible")
    if count > size - count:
        return _free(distinct_codes(size - count, size, rng), np.arange(count, dtype=np.int64))
    drawn = np.empty(0, np.int64)
    while True:
        codes, first = np.unique(drawn, return_index=True)
        if codes.size >= count:
            break
        drawn = np.concatenate([drawn, rng.integers(0, size, count - codes.size + 16, dtype=np.int64)])
    # Keep the numbers that were drawn first: only the drawing order is independent of the numbers themselves.
    return codes[np.argsort(np.argsort(first)) < count]


def triangular_pairs(codes: Numbers) -> Numbers:
    """Pairs `[2, codes]` with i > j >= 0 whose number i (i - 1) / 2 + j is the code (below 2**61).

    The floating-point root of i (i - 1) / 2 = code is off by at most one, which integer arithmetic corrects.
    """
    i = ((1 + np.sqrt(1 + 8 * codes.astype(np.float64))) / 2).astype(np.int64)
    i -= i * (i - 1) // 2 > codes
    i += i * (i + 1) // 2 <= codes
    return np.stack([i, codes - i * (i - 1) // 2])


def triangular_codes(pairs: Numbers) -> Numbers:
    """Number i (i - 1) / 2 + j, i > j, of each of the pairs `[2, codes]`, which may be in either order."""
    i, j = np.maximum(pairs[0], pairs[1]), np.minimum(pairs[0], pairs[1])
    codes: Numbers = i * (i - 1) // 2 + j
    return codes


def gathered(taken: Numbers, count: int, draw: Callable[[int], Numbers]) -> Numbers:
    """Add to the sorted `taken` the first `count` free numbers that `draw` gives; the result is sorted.

    `draw(asked)` gives at most `asked` numbers, by any rule. Fewer than `count` are added if PATIENCE draws for each
    were not enough.
    """
    wanted = taken.size + count
    drawn, rate = 0, 1.0
    while taken.size < wanted and drawn < PATIENCE * count:
        missing = wanted - taken.size
        asked = min(int(1.1 * missing / rate) + 64, LARGEST_DRAW)
        fresh = _fresh(draw(asked), taken)[1][:missing]
        taken = _merged(taken, fresh)
        drawn, rate = drawn + asked, max(fresh.size / asked, 0.01)
    return taken


def first_distinct(count: int, size: int, draw: Callable[[int], Numbers], rng: Generator) -> Numbers:
    """Draw `count` distinct numbers from `range(size)`, sorted: the first that `draw` gives, as in `gathered`.

    Numbers that it does not give in time (in graphs so dense that a rule hardly ever finds a free pair) are drawn
    uniformly from the free ones.
    """
    taken = gathered(np.empty(0, np.int64), count, draw)
    return _merged(taken, free_codes(taken, count - taken.size, size, rng))


def settled(taken: Numbers, count: int, draw: Callable[[Numbers], Numbers]) -> tuple[Numbers, Numbers]:
    """Let each of `count` drawers draw until its number is free; returns all taken numbers, and unlucky drawers.

    `taken` is sorted. `draw(who)` gives one number for each of `who`, or -1; if two draw the same number in a round,
    the first gets it. The second returned array has the drawers that found no free number in PATIENCE rounds.
    """
    waiting = np.arange(count, dtype=np.int64)
    for _ in range(PATIENCE):
        if not waiting.size:
            break
        places, fresh = _fresh(draw(waiting), taken)
        taken = _merged(taken, fresh)
        waiting = np.delete(waiting, places)
    return taken, waiting


def free_codes(taken: Numbers, count: int, size: int, rng: Generator) -> Numbers:
    """Draw `count` distinct numbers uniformly from those of `range(size)` not in the sorted `taken`; sorted."""
    return _free(taken, distinct_codes(count, size - taken.size, rng))


def _free(taken: Numbers, ranks: Numbers) -> Numbers:
    """Numbers with these ranks among all that are not in the sorted `taken`."""
    # The k-th free number is k plus the number of taken ones below it, which increases at k = taken[m] - m.
    codes: Numbers = ranks + np.searchsorted(taken - np.arange(taken.size), ranks, side="right")
    return codes


def _fresh(drawn: Numbers, taken: Numbers) -> tuple[Numbers, Numbers]:
    """First positions in `drawn` of the numbers that are neither -1 nor taken, and these numbers."""
    places = np.sort(np.unique(drawn, return_index=True)[1]).astype(np.int64)
    codes = drawn[places]
    free = (codes >= 0) & ~positions(taken, codes)[1]
    return places[free], codes[free]


def _merged(taken: Numbers, fresh: Numbers) -> Numbers:
    # The arrays are mostly sorted already, which a stable sort exploits.
    return np.sort(np.concatenate([taken, fresh]), kind="stable")
