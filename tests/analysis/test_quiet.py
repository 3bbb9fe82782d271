"""Laws of time are fitted in units of the sentinel, unless they then predict worse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gnn_checkpointing.analysis.quiet import at_one_speed
from gnn_checkpointing.analysis.regression import laws
from gnn_checkpointing.analysis.table import Row, completed
from synthetic.rows import table

SENTINEL = 2e-3


def slowed(*, with_sentinel: bool) -> tuple[list[Row], list[Row]]:
    """Rows of a steady machine, and of one up to three times as slow that was twice as slow at the median.

    `with_sentinel`: the sentinel was slowed alike; otherwise by something else.
    """
    steady = completed(table(np.random.default_rng(0), convolutions=["GATv2"], policies=["none"], noise=0.0))
    by = np.random.default_rng(1).permutation(np.linspace(1, 3, len(steady)))
    other = by if with_sentinel else np.random.default_rng(2).permutation(by)
    return steady, [
        replace(row, step_time_seconds=(row.step_time_seconds or 0) * one, sentinel_seconds=SENTINEL * two)
        for row, one, two in zip(steady, by.tolist(), other.tolist(), strict=True)
    ]


def test_a_law_of_an_unsteady_machine_is_that_of_the_steady_one_at_the_median_speed() -> None:
    steady, rows = slowed(with_sentinel=True)
    found, unit = at_one_speed(rows)
    assert unit is not None
    assert unit.used
    assert unit.error_in_sentinels == pytest.approx(0, abs=1e-8)
    assert unit.error_in_seconds > 0.1
    assert unit.sentinel_seconds == pytest.approx(2 * SENTINEL)
    fitted = [law.per_edge.estimate for each in (steady, found) for law in laws(each, 0.95)[0] if law.residuals][2::3]
    assert fitted[1] == pytest.approx(2 * fitted[0], rel=1e-6)


def test_a_sentinel_that_another_thing_slowed_is_not_used() -> None:
    _, rows = slowed(with_sentinel=False)
    found, unit = at_one_speed(rows)
    assert found == rows
    assert unit is not None
    assert not unit.used
    assert unit.error_in_sentinels > unit.error_in_seconds > 0


def test_rows_of_which_one_has_no_sentinel_are_as_they_were_measured() -> None:
    _, rows = slowed(with_sentinel=True)
    mixed = [*rows[:-1], replace(rows[-1], sentinel_seconds=None)]
    assert at_one_speed(mixed) == (mixed, None)
    untimed = replace(rows[0], step_time_seconds=None, sentinel_seconds=None)
    assert at_one_speed([untimed]) == ([untimed], None)
