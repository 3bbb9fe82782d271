"""Exact sampling of distinct node pairs by their numbers, without ever listing all pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.edges import positions

Codes = NDArray[np.int64]

PATIENCE = 64
"""Draws per number asked for (rounds, in `settled`) after which the rest is no longer left to a family's own rule."""

LARGEST_DRAW = 4_000_000
"""Numbers drawn at once: some hundred MiB of working memory, however many edges are asked for."""


def distinct_codes(count: int, size: int, rng: Generator) -> Codes:
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


def triangular_pairs(codes: Codes) -> NDArray[np.int64]:
    """The pairs `[2, codes]` with i > j >= 0 whose number i (i - 1) / 2 + j is the code (below 2**61).

    The root of i (i - 1) / 2 = code in floating point is at most one off; integers put that right.
    """
    i = ((1 + np.sqrt(1 + 8 * codes.astype(np.float64))) / 2).astype(np.int64)
    i -= i * (i - 1) // 2 > codes
    i += i * (i + 1) // 2 <= codes
    return np.stack([i, codes - i * (i - 1) // 2])


def triangular_codes(pairs: NDArray[np.int64]) -> Codes:
    """The number i (i - 1) / 2 + j of each of the pairs `[2, codes]`, i > j, in either order."""
    i, j = np.maximum(pairs[0], pairs[1]), np.minimum(pairs[0], pairs[1])
    codes: Codes = i * (i - 1) // 2 + j
    return codes


def gathered(taken: Codes, count: int, draw: Callable[[int], Codes]) -> Codes:
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


def first_distinct(count: int, size: int, draw: Callable[[int], Codes], rng: Generator) -> Codes:
    """`count` distinct numbers out of `range(size)`, sorted: the first that `draw` gives, as in `gathered`.

    What it does not give in time (in graphs so dense that a rule hardly ever finds a free pair) is drawn evenly from
    the free numbers.
    """
    taken = gathered(np.empty(0, np.int64), count, draw)
    return _merged(taken, free_codes(taken, count - taken.size, size, rng))


def settled(taken: Codes, count: int, draw: Callable[[Codes], Codes]) -> tuple[Codes, Codes]:
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


def free_codes(taken: Codes, count: int, size: int, rng: Generator) -> Codes:
    """`count` distinct numbers out of those of `range(size)` not in the sorted `taken`, evenly drawn, sorted."""
    return _free(taken, distinct_codes(count, size - taken.size, rng))


def _free(taken: Codes, ranks: Codes) -> Codes:
    """The numbers of these ranks among those that are not in the sorted `taken`."""
    # The k-th free number is k plus the taken ones below it, and that sum steps up at taken[m] - m.
    codes: Codes = ranks + np.searchsorted(taken - np.arange(taken.size), ranks, side="right")
    return codes


def _fresh(drawn: Codes, taken: Codes) -> tuple[Codes, Codes]:
    """Where in `drawn` a number stands for the first time that is neither -1 nor taken, and those numbers."""
    places = np.sort(np.unique(drawn, return_index=True)[1]).astype(np.int64)
    codes = drawn[places]
    free = (codes >= 0) & ~positions(taken, codes)[1]
    return places[free], codes[free]


def _merged(taken: Codes, fresh: Codes) -> Codes:
    # Mostly sorted already, which a stable sort makes use of.
    return np.sort(np.concatenate([taken, fresh]), kind="stable")
