"""Step times in units of the sentinel, a fixed step of the same kind of work that was timed in the same rounds.

The rule, fixed before any data: laws of time are fitted in these units where every timed row has a sentinel, unless the
additive law then misses held-out cells by more, at the median over all of them, than it does in plain seconds. They are
told in seconds at the median speed of the machine, as it usually was: the fastest speed would be that of few rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gnn_checkpointing.analysis.laws.bounds import misses
from gnn_checkpointing.analysis.laws.selection import folds
from gnn_checkpointing.analysis.laws.series import series_of
from gnn_checkpointing.analysis.results import TimeUnit
from gnn_checkpointing.analysis.support import answering, why_no_response, why_not
from gnn_checkpointing.analysis.table import Row, comparable, grouped


def at_one_speed(rows: Sequence[Row]) -> tuple[list[Row], TimeUnit | None]:
    """The rows with the step times that laws are fitted to, and by what they were chosen; None without sentinels."""
    timed = answering(rows, "step_time_seconds")
    read = np.array([row.sentinel_seconds for row in timed if row.sentinel_seconds is not None])
    if not len(read) or len(read) < len(timed):
        return list(rows), None
    usual = float(np.median(read))
    divided = [_divided(row, usual) for row in rows]
    errors = [_held_out_error(each) for each in (rows, divided)]
    used = errors[0] is None or errors[1] is None or errors[1] <= errors[0]
    unit = TimeUnit(
        sentinel_seconds=usual,
        sentinel_deviation=float(np.std(np.log(read))),
        error_in_seconds=errors[0],
        error_in_sentinels=errors[1],
        used=used,
    )
    return (divided if used else list(rows)), unit


def _divided(row: Row, usual: float) -> Row:
    if row.step_time_seconds is None or row.sentinel_seconds is None:
        return row
    return replace(row, step_time_seconds=row.step_time_seconds * usual / row.sentinel_seconds)


def _held_out_error(rows: Sequence[Row]) -> float | None:
    """The median error of additive laws on levels that they have not seen; None where there is no law."""
    shares: list[float] = []
    drawn = [row for row in comparable(rows) if row.is_drawn]
    for _, cells in grouped(drawn, lambda row: (row.convolution, row.policy)):
        answers = answering(cells, "step_time_seconds")
        if why_not(answers) is None and why_no_response(answers, "step_time_seconds") is None:
            series = series_of(answers, "step_time_seconds")
            shares += [miss.share for miss in misses(series, "additive", folds(answers))]
    return float(np.median(shares)) if shares else None
