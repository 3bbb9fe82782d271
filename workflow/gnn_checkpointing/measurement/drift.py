"""Drift of the machine while a cell was measured, by the sentinel's times (torch-free)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from gnn_checkpointing.records.cell import CellRecord


def sentinel_drift(seconds: Sequence[float]) -> float | None:
    """Return how much slower the slowest third was than the fastest, by the medians of consecutive thirds, minus 1.

    None for fewer than three values. Medians: a single value that something else interrupted is not drift.
    """
    if len(seconds) < 3:
        return None
    first, second = len(seconds) // 3, len(seconds) - len(seconds) // 3
    thirds = [median(seconds[:first]), median(seconds[first:second]), median(seconds[second:])]
    return max(thirds) / min(thirds) - 1


_FEWEST_ROUNDS = 9
"""One reading of a few milliseconds may be interrupted, the median of three is not."""


def worst_drift(record: CellRecord) -> float | None:
    """Return the largest drift within one of the processes that timed a cell; None where none can tell."""
    found = (
        sentinel_drift(run.sentinel_seconds)
        for run in record.runs
        if not run.sentinel_by_round or len(run.sentinel_seconds) >= _FEWEST_ROUNDS
    )
    return max((drift for drift in found if drift is not None), default=None)
