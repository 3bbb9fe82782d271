"""Paired ratios do not see what slows a whole round, and their interval covers the truth as often as it says."""

import math

import numpy as np
import pytest

from gnn_checkpointing.measurement.ratios import ProcessSpread, paired_ratio, process_spread

pytestmark = pytest.mark.slow


def test_a_slow_round_slows_both_and_changes_nothing() -> None:
    rounds = [1.0, 1.0, 8.0, 1.0, 3.0]
    ratio = paired_ratio([[1.5 * value for value in rounds]], [rounds], 0.95, 500, 0)
    assert (ratio.median, ratio.low, ratio.high) == pytest.approx((1.5, 1.5, 1.5), rel=1e-12)


def test_the_interval_covers_the_true_ratio() -> None:
    """True median ratio 1.4, 25 rounds, 2 % noise: at least 90 of 100 intervals at 95 % hold it."""
    generator = np.random.default_rng(3)
    held = 0
    for seed in range(100):
        base = generator.lognormal(0, 0.3, 25)
        ratio = paired_ratio([list(1.4 * base * generator.lognormal(0, 0.02, 25))], [list(base)], 0.95, 500, seed)
        held += ratio.low <= 1.4 <= ratio.high
    assert held >= 90


def played(generator: np.random.Generator, cells: int, processes: int, between: float, within: float) -> list[list]:
    """Cells of three policies each, true ratio 1.4, whose `none` is off by `between` in each process."""
    found = []
    for _ in range(cells):
        off = generator.normal(0, between, processes)
        base = [list(generator.lognormal(0, 0.2, 5)) for _ in off]
        policies = []
        for _ in range(3):
            noise = generator.lognormal(0, within, (processes, 5))
            seconds = [list(1.4 * np.exp(off[p]) * np.asarray(base[p]) * noise[p]) for p in range(processes)]
            policies.append((seconds, base))
        found.append(policies)
    return found


def test_the_spread_between_processes_is_found_and_is_in_every_interval() -> None:
    """2.5 % between processes, 1 % within: the spread is recovered, and 95 % intervals hold the truth as often."""
    cells = played(np.random.default_rng(5), 300, 2, 0.025, 0.01)
    spread = process_spread(cells)
    assert spread.degrees_of_freedom == 300
    assert spread.deviation == pytest.approx(0.025, rel=0.1)
    ratios = [paired_ratio(*cell[0], 0.95, 300, seed, spread) for seed, cell in enumerate(cells)]
    held = sum(ratio.low <= 1.4 <= ratio.high for ratio in ratios)
    assert 0.92 * 300 <= held <= 0.99 * 300
    without = [paired_ratio(*cell[0], 0.95, 300, seed) for seed, cell in enumerate(cells)]
    assert sum(ratio.low <= 1.4 <= ratio.high for ratio in without) < 0.7 * 300


def test_two_runs_of_the_same_cells_have_overlapping_intervals() -> None:
    generator = np.random.default_rng(6)
    runs = [played(generator, 200, 2, 0.025, 0.01) for _ in range(2)]
    intervals = []
    for run in runs:
        spread = process_spread(run)
        intervals.append([paired_ratio(*cell[0], 0.95, 300, seed, spread) for seed, cell in enumerate(run)])
    overlap = sum(max(a.low, b.low) <= min(a.high, b.high) for a, b in zip(*intervals, strict=True))
    assert overlap >= 0.97 * 200


def test_processes_that_do_not_differ_have_no_spread() -> None:
    """No more than what rounds scatter: their own scatter is not counted twice."""
    assert process_spread(played(np.random.default_rng(7), 400, 2, 0.0, 0.02)).deviation < 0.006


def test_one_process_tells_nothing_of_another() -> None:
    cells = played(np.random.default_rng(8), 20, 1, 0.025, 0.01)
    assert process_spread(cells) == ProcessSpread(0.0, 0)
    seconds, base = cells[0][0]
    assert paired_ratio(seconds, base, 0.95, 300, 1) == paired_ratio(seconds, base, 0.95, 300, 1, ProcessSpread(0.0, 0))


def test_a_ratio_of_two_processes_is_the_geometric_mean_of_their_medians() -> None:
    ratio = paired_ratio([[2.0, 2.0, 9.0], [3.0, 1.0, 3.0]], [[1.0] * 3, [1.0] * 3], 0.95, 300, 0)
    assert ratio.median == pytest.approx(math.sqrt(6.0))
