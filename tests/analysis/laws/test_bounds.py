"""Intervals are as wide as what was missed elsewhere, and hold as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from gnn_checkpointing.analysis.laws.bounds import (
    Miss,
    coverage,
    half_width,
    held,
    held_by_least_squares,
    misses,
)
from gnn_checkpointing.analysis.laws.selection import folds
from synthetic.changes import with_bytes
from synthetic.rows import table
from synthetic.tables import series

TIME = "step_time_seconds"


def test_bytes_are_bounded_by_the_worst_miss_and_seconds_by_the_conformal_quantile() -> None:
    """40 misses of 1 to 40 %: the worst is 40 %, the ceil(41 x 0.95) = 39th smallest 39 %."""
    missed = [Miss(0, place, share / 100) for place, share in enumerate(range(1, 41))]
    assert half_width(missed, "activation_bytes", 0.95) == 0.40
    assert half_width(missed, TIME, 0.95) == 0.39
    assert half_width(missed[:5], TIME, 0.95) == 0.05
    assert half_width([], TIME, 0.95) is None


def test_a_miss_is_told_as_a_share_of_the_prediction() -> None:
    """Without a level the exact law is the same law: nothing is missed. 10 % more on one cell is missed by 10 %."""
    one = series()
    assert max(miss.share for miss in misses(one, "additive", folds(one.rows))) < 1e-9
    rows = table(np.random.default_rng(0))
    raised = [
        {**row, "activation_bytes": round(1.1 * float(str(row["activation_bytes"])))}
        if (row["graph"], row["convolution"], row["policy"]) == ("sbm-n1000-d16-r0", "GATv2", "none")
        else row
        for row in rows
    ]
    one = series(raised)
    worst = max(misses(one, "additive", folds(one.rows)), key=lambda miss: miss.share)
    assert one.rows[worst.row].graph == "sbm-n1000-d16-r0"
    assert worst.share == pytest.approx(0.1, abs=0.01)


def test_no_interval_is_made_with_the_cells_that_it_is_tried_on() -> None:
    """One cell is off by half in both of its folds: its own intervals do not know, all others reach that far."""
    missed = [
        Miss(fold, row, 0.5 if row == 0 else 0.01)
        for fold, rows in ((0, (0, 1)), (1, (2, 3)), (2, (0, 2)))
        for row in rows
    ]
    found = held(missed, "activation_bytes", 0.95)
    assert [(one.inside, one.half_width) for one in found] == [
        (False, 0.01),
        (True, 0.01),
        (True, 0.5),
        (True, 0.5),
        (False, 0.01),
        (True, 0.01),
    ]


def test_a_law_that_misses_the_form_falls_outside_of_least_squares_and_inside_of_the_bound() -> None:
    rows = with_bytes(table(np.random.default_rng(0)), "GATv2", "none", lambda nodes, edges, _: nodes**0.5 * edges**0.9)
    one = series(rows)
    levels = folds(one.rows)
    bound = coverage(
        "activation_bytes", "held_out_bound", held(misses(one, "additive", levels), "activation_bytes", 0.95)
    )
    squares = coverage("activation_bytes", "least_squares", held_by_least_squares(one, levels, 0.95))
    assert bound is not None
    assert squares is not None
    assert bound.held_out == squares.held_out == 72
    assert bound.inside > squares.inside


def test_conformal_intervals_of_time_cover_as_often_as_they_say() -> None:
    """200 tables of 36 cells, 72 tries each: 95 % within four standard errors of a table's share (about 3 %)."""
    shares = []
    for seed in range(200):
        one = series(response=TIME, noise=0.05, seed=seed)
        results = held(misses(one, "additive", folds(one.rows)), TIME, 0.95)
        shares.append(np.mean([each.inside for each in results]))
    assert np.mean(shares) == pytest.approx(0.95, abs=0.015)
