"""Pairs are drawn exactly, evenly, and decoded without rounding."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.random import PCG64, Generator

from gnn_checkpointing.graphs.pairs import distinct_codes, triangular_pairs


@given(st.integers(1, 400), st.floats(0, 1), st.integers(0, 2**32))
@example(1, 1.0, 0)
@example(400, 0.9999, 1)
def test_codes_are_as_many_as_asked_distinct_sorted_and_in_range(size, share, seed):
    count = round(size * share)
    codes = distinct_codes(count, size, Generator(PCG64(seed)))
    assert codes.dtype == np.int64
    assert codes.size == count
    assert (np.diff(codes) > 0).all()
    assert count == 0 or (codes[0] >= 0 and codes[-1] < size)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_every_set_of_codes_is_equally_likely(count):
    """Of 6 numbers there are 15, 20 or 15 sets; 9,000 draws put 600 or 450 on each, within 6 standard deviations."""
    rng = Generator(PCG64(7))
    seen = Counter(tuple(distinct_codes(count, 6, rng).tolist()) for _ in range(9000))
    sets = list(combinations(range(6), count))
    assert set(seen) == set(sets)
    expected = 9000 / len(sets)
    assert max(abs(seen[each] - expected) for each in sets) < 6 * expected**0.5


class CountingGenerator:
    """A generator that counts the numbers drawn from it."""

    def __init__(self, seed):
        self.rng, self.drawn = Generator(PCG64(seed)), 0

    def integers(self, low, high, size, dtype):
        self.drawn += size
        return self.rng.integers(low, high, size, dtype)


@pytest.mark.parametrize("count", [10, 40_000, 50_000, 60_000, 99_990, 100_000])
def test_no_more_is_drawn_than_the_smaller_of_taken_and_left_out_asks_for(count):
    """Half of all costs most: ln 2 = 0.69 draws per number of the range, 1.39 per number taken."""
    rng = CountingGenerator(5)
    assert distinct_codes(count, 100_000, rng).size == count
    assert rng.drawn <= 1.42 * min(count, 100_000 - count) + 200


def test_a_range_far_beyond_memory_is_sampled_and_more_than_all_is_refused():
    codes = distinct_codes(1000, 2**60, Generator(PCG64(1)))
    assert np.unique(codes).size == 1000
    assert codes[-1] > 2**59
    with pytest.raises(ValueError, match="impossible"):
        distinct_codes(7, 6, Generator(PCG64(1)))


def test_triangular_codes_number_all_pairs_in_order():
    i, j = triangular_pairs(np.arange(4950))
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == [(a, b) for a in range(100) for b in range(a)]


@given(st.integers(1, 2**30))
@example(2**25)
@example(2**30)
def test_triangular_decoding_is_exact_on_both_sides_of_a_row_start(i):
    """Row i starts at i (i - 1) / 2, where a rounded root falls to the wrong side; 2**30 makes codes near 2**59."""
    start = i * (i - 1) // 2
    pairs = triangular_pairs(np.array([start, start + i - 1, max(start - 1, 0)]))
    before = [i - 1, i - 2] if i > 1 else [1, 0]
    assert pairs.T.tolist() == [[i, 0], [i, i - 1], before]
