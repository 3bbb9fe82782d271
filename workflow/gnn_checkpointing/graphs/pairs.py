"""Edges as numbers: the one form of edges in this project, and exact sampling of distinct pairs without listing all."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

PATIENCE = 64
"""Draws per number asked for (rounds, in `settled`) after which the rest is no longer left to a family's own rule."""

LARGEST_DRAW = 4_000_000
"""Numbers drawn at once: some hundred MiB of working memory, however many edges are asked for."""


def edge_keys(edge_index: Numbers, num_nodes: int) -> Numbers:
    """One number per edge, ordered as (destination, source): destination * num_nodes + source."""
    keys: Numbers = edge_index[1] * np.int64(num_nodes) + edge_index[0]
    return keys


def both_directions(pairs: Numbers, num_nodes: int) -> Numbers:
    """The sorted `edge_index` of undirected edges, `pairs` `[2, edges]` holding each once."""
    return _edges(np.sort(edge_keys(np.concatenate([pairs, pairs[::-1]], axis=1), num_nodes)), num_nodes)


def simple_edges(edge_index: Numbers, num_nodes: int) -> Numbers:
    """The edges sorted by destination then source, without self-loops, each once."""
    kept = edge_index[:, edge_index[0] != edge_index[1]]
    return _edges(np.unique(edge_keys(kept, num_nodes)), num_nodes)


def missing_reverses(edge_index: Numbers, num_nodes: int) -> int:
    """How many of the sorted, distinct edges lack their reverse."""
    keys = edge_keys(edge_index, num_nodes)
    reverses = np.sort(edge_keys(edge_index[::-1], num_nodes))
    # Equal sorted keys is the common case and ten times cheaper than a set difference.
    return 0 if np.array_equal(keys, reverses) else int(np.setdiff1d(keys, reverses, assume_unique=True).size)


def _edges(keys: Numbers, num_nodes: int) -> Numbers:
    return np.stack(np.divmod(keys, np.int64(num_nodes))[::-1])


def positions(keys: Numbers, wanted: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """The place of each of `wanted` in the sorted `keys`, and whether it is there at all."""
    if not keys.size:
        return np.zeros(wanted.size, np.int64), np.zeros(wanted.size, np.bool_)
    at = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return at, keys[at] == wanted


def distinct_codes(count: int, size: int, rng: Generator) -> Numbers:
    """`count` distinct numbers out of `range(size)`, sorted; every such set is equally likely.

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
    # Only the order of drawing is blind to the numbers themselves: keep those that appeared first.
    return codes[np.argsort(np.argsort(first)) < count]


def triangular_pairs(codes: Numbers) -> Numbers:
    """The pairs `[2, codes]` with i > j >= 0 whose number i (i - 1) / 2 + j is the code (below 2**61).

    The root of i (i - 1) / 2 = code in floating point is at most one off; integers put that right.
    """
    i = ((1 + np.sqrt(1 + 8 * codes.astype(np.float64))) / 2).astype(np.int64)
    i -= i * (i - 1) // 2 > codes
    i += i * (i + 1) // 2 <= codes
    return np.stack([i, codes - i * (i - 1) // 2])


def triangular_codes(pairs: Numbers) -> Numbers:
    """The number i (i - 1) / 2 + j of each of the pairs `[2, codes]`, i > j, in either order."""
    i, j = np.maximum(pairs[0], pairs[1]), np.minimum(pairs[0], pairs[1])
    codes: Numbers = i * (i - 1) // 2 + j
    return codes


def gathered(taken: Numbers, count: int, draw: Callable[[int], Numbers]) -> Numbers:
    """The sorted `taken` with `count` new numbers, sorted: the first free ones that `draw` gives.

    `draw(asked)` gives at most `asked` numbers, by any rule. They stay fewer than `count` where PATIENCE draws for
    each were not enough.
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
    """`count` distinct numbers out of `range(size)`, sorted: the first that `draw` gives, as in `gathered`.

    What it does not give in time (in graphs so dense that a rule hardly ever finds a free pair) is drawn evenly from
    the free numbers.
    """
    taken = gathered(np.empty(0, np.int64), count, draw)
    return _merged(taken, free_codes(taken, count - taken.size, size, rng))


def settled(taken: Numbers, count: int, draw: Callable[[Numbers], Numbers]) -> tuple[Numbers, Numbers]:
    """Let each of `count` drawers draw until its number is free; all numbers taken, and who found none.

    `taken` is sorted. `draw(who)` gives one number for each of `who`, -1 for none; a number that two draw in the same
    round goes to the first. Drawers that found no free number in PATIENCE rounds are the second array returned.
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
    """`count` distinct numbers out of those of `range(size)` not in the sorted `taken`, evenly drawn, sorted."""
    return _free(taken, distinct_codes(count, size - taken.size, rng))


def _free(taken: Numbers, ranks: Numbers) -> Numbers:
    """The numbers of these ranks among those that are not in the sorted `taken`."""
    # The k-th free number is k plus the taken ones below it, and that sum steps up at taken[m] - m.
    codes: Numbers = ranks + np.searchsorted(taken - np.arange(taken.size), ranks, side="right")
    return codes


def _fresh(drawn: Numbers, taken: Numbers) -> tuple[Numbers, Numbers]:
    """Where in `drawn` a number that is neither -1 nor taken comes first, and those numbers."""
    places = np.sort(np.unique(drawn, return_index=True)[1]).astype(np.int64)
    codes = drawn[places]
    free = (codes >= 0) & ~positions(taken, codes)[1]
    return places[free], codes[free]


def _merged(taken: Numbers, fresh: Numbers) -> Numbers:
    # Mostly sorted already, which a stable sort makes use of.
    return np.sort(np.concatenate([taken, fresh]), kind="stable")
