"""Times are told as on the quiet machine: what slows the sentinel and the step alike is divided out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gnn_checkpointing.analysis.quiet import on_the_quiet_machine
from gnn_checkpointing.analysis.regression import laws
from gnn_checkpointing.analysis.table import Row, completed

from .tables import table


def noisy() -> tuple[list[Row], list[Row]]:
    """Rows of a quiet machine; and the same where five in six are slowed, up to three times, the sentinel with them."""
    quiet = completed(table(np.random.default_rng(0), convolutions=["GATv2"], policies=["none"], noise=0.0))
    slowed = 1 + 2 * np.random.default_rng(1).random(len(quiet))
    slowed[::6] = 1.0
    return quiet, [
        replace(row, step_time_seconds=(row.step_time_seconds or 0) * by, sentinel_seconds=2e-3 * by)
        for row, by in zip(quiet, slowed.tolist(), strict=True)
    ]


def test_a_law_of_a_noisy_machine_is_that_of_the_quiet_one() -> None:
    quiet, slowed = noisy()
    times = [row.step_time_seconds for row in on_the_quiet_machine(slowed)]
    assert times == pytest.approx([row.step_time_seconds for row in quiet])
    fitted = [
        law.per_edge.estimate for rows in (quiet, slowed) for law in laws(rows, 0.95)[0] if law.weights == "relative"
    ]
    assert fitted[1] == pytest.approx(fitted[0], rel=1e-6)


def test_rows_of_which_one_has_no_sentinel_are_as_they_were_measured() -> None:
    _, slowed = noisy()
    mixed = [*slowed[:-1], replace(slowed[-1], sentinel_seconds=None)]
    assert on_the_quiet_machine(mixed) == mixed
    untimed = on_the_quiet_machine([replace(slowed[0], step_time_seconds=None)])
    assert untimed[0].step_time_seconds is None
