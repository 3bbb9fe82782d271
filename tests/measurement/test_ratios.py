"""Paired ratios do not see what slows a whole round, and their interval covers the truth as often as it says."""

import numpy as np

from gnn_checkpointing.measurement.ratios import paired_ratio


def test_a_slow_round_slows_both_and_changes_nothing() -> None:
    rounds = [1.0, 1.0, 8.0, 1.0, 3.0]
    ratio = paired_ratio([1.5 * value for value in rounds], rounds, 0.95, 500, 0)
    assert (ratio.median, ratio.low, ratio.high) == (1.5, 1.5, 1.5)


def test_the_interval_covers_the_true_ratio() -> None:
    """True median ratio 1.4, 25 rounds, 2 % noise: at least 90 of 100 intervals at 95 % hold it."""
    generator = np.random.default_rng(3)
    held = 0
    for seed in range(100):
        base = generator.lognormal(0, 0.3, 25)
        ratio = paired_ratio(list(1.4 * base * generator.lognormal(0, 0.02, 25)), list(base), 0.95, 500, seed)
        held += ratio.low <= 1.4 <= ratio.high
    assert held >= 90
