"""A knee is found where time has one, and chance alone makes one no more often than it should."""

from __future__ import annotations

import numpy as np
import pytest

from gnn_checkpointing.analysis.laws.fit import knee
from synthetic.rows import table
from synthetic.tables import series

TIME = "step_time_seconds"


def test_times_that_bend_are_found_to_bend_where_they_do() -> None:
    """From 50,000 edges on each edge costs 4e-7 s more than the 4e-7 s before."""
    rows = [
        {
            **row,
            "step_time_seconds": float(str(row["step_time_seconds"]))
            + 4e-7 * max(int(str(row["num_edges"])) - 50_000, 0),
        }
        for row in table(np.random.default_rng(0))
    ]
    found = knee(series(rows, response=TIME), 499, np.random.default_rng(1))
    assert found is not None
    assert found.p_value == 1 / 500
    assert 25_000 < found.num_edges < 100_000
    assert found.per_edge_after / found.per_edge_before == pytest.approx(2, rel=0.25)


def test_straight_times_bend_by_chance_one_time_in_twenty() -> None:
    """200 tables: 5 % give 10 +- 3.1, so between 1 and 20."""
    found = [
        knee(series(response=TIME, noise=0.05, seed=seed), 199, np.random.default_rng(seed)) for seed in range(200)
    ]
    assert 1 <= sum(one is not None and one.p_value <= 0.05 for one in found) <= 20


def test_few_cells_show_no_knee() -> None:
    one = series(response=TIME)
    assert knee(one.only(list(range(9))), 199, np.random.default_rng(0)) is None
