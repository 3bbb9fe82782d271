"""Step times as on the quiet machine: what slows a fixed step of the same kind of work is divided out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gnn_checkpointing.analysis.table import Row

_QUIET = 0.1
"""Share of the rows in which the machine is taken to have been quiet."""


def on_the_quiet_machine(rows: Sequence[Row]) -> list[Row]:
    """The rows, their step times divided by how many times as long as in the quietest tenth the sentinel took.

    As they are where one of them has no sentinel that was timed in its rounds, as in records of before there was one.
    """
    read = [row.sentinel_seconds for row in rows if row.sentinel_seconds is not None]
    if not read or len(read) < len(rows):
        return list(rows)
    quiet = float(np.quantile(read, _QUIET))
    return [
        row if row.step_time_seconds is None else replace(row, step_time_seconds=row.step_time_seconds * quiet / each)
        for row, each in zip(rows, read, strict=True)
    ]
