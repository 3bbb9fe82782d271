"""Medians of resamples are distributed as those of resamples that are drawn whole."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from gnn_checkpointing.analysis.bootstrap import resampled_medians


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_medians_have_the_probabilities_that_counting_all_resamples_gives(count: int) -> None:
    """Of `count` values there are count^count resamples, all alike: 200,000 drawn medians are as often each of theirs.

    Values are powers of two, so that no two medians are equal that are not the same.
    """
    values = 2.0 ** np.arange(count)
    resamples = 200_000
    exact = Counter(float(np.median(chosen)) for chosen in product(values, repeat=count))
    (middle,), (drawn,) = resampled_medians(values[np.newaxis, ::-1], resamples, np.random.default_rng(count))
    assert middle == np.median(values)
    found = Counter(drawn.tolist())
    assert found.keys() <= exact.keys()
    for median, ways in exact.items():
        share = ways / count**count
        assert found[median] / resamples == pytest.approx(share, abs=5 * (share * (1 - share) / resamples) ** 0.5)


def test_rows_are_drawn_each_by_itself() -> None:
    values = np.array([[1.0, 2.0, 3.0], [10.0, 10.0, 10.0]])
    middles, drawn = resampled_medians(values, 50, np.random.default_rng(0))
    assert middles.tolist() == [2.0, 10.0]
    assert set(drawn[0]) == {1.0, 2.0, 3.0}
    assert (drawn[1] == 10).all()


def test_a_long_row_needs_no_table() -> None:
    """The median of 10,001 equally spaced values scatters as theory says: by half of one over the root of 10,001."""
    values = np.linspace(0, 1, 10_001)
    _, drawn = resampled_medians(values[np.newaxis], 4000, np.random.default_rng(1))
    assert drawn.std() == pytest.approx(0.5 / 10_001**0.5, rel=0.05)
