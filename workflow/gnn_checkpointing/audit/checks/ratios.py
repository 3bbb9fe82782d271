"""Do the table's ratios follow from its bytes and seconds?"""

from __future__ import annotations

import math

from gnn_checkpointing.audit.answers import Answer, no_offender, not_applicable
from gnn_checkpointing.audit.inputs import AuditInputs, Row, place
from gnn_checkpointing.audit.question import asks
from gnn_checkpointing.records.measurements_table import number

TIME_SHARE, WIDTHS = 0.1, 3.0
"""A median of ratios is not the ratio of medians: how far they lie apart grows with the scatter of the rounds, which
the ratio's own interval measures. In the published studies they are up to 2.7 of its half-widths apart."""

_BYTES = {"memory_ratio": "peak_memory_bytes", "activation_ratio": "activation_bytes"}


@asks(
    "memory-ratios",
    "Do the memory ratios follow from the bytes?",
    "Each ratio of bytes is the row's bytes divided by none's of the same cell, and none's own is 1.",
)
def memory_ratios_rederive(inputs: AuditInputs) -> Answer:
    pairs = inputs.pairs
    if not pairs:
        return not_applicable("policy none ran to its end in no cell, so there are no ratios")
    wrong = [place(row) for row, none in pairs if not all(_rederives(row, none, name) for name in _BYTES)]
    fields = ", ".join((*_BYTES, *_BYTES.values()))
    return no_offender(wrong, len(pairs), "rows have another ratio than their bytes", f"measurements.csv: {fields}")


@asks(
    "time-ratios",
    "Do the time ratios follow from the times?",
    "Each time ratio lies in its interval, and off the quotient of median times by at most 10 % or three half-widths.",
)
def time_ratios_rederive(inputs: AuditInputs) -> Answer:
    pairs = [(row, none) for row, none in inputs.pairs if row["step_time_seconds"] is not None]
    if not pairs:
        return not_applicable("no steps were timed")
    wrong = [place(row) for row, none in pairs if not _time_rederives(row, none)]
    fields = "time_ratio, time_ratio_low, time_ratio_high, step_time_seconds"
    return no_offender(wrong, len(pairs), "rows have another ratio than their times", f"measurements.csv: {fields}")


def _rederives(row: Row, none: Row, ratio: str) -> bool:
    given, own, base = number(row, ratio), number(row, _BYTES[ratio]), number(none, _BYTES[ratio])
    if given is None or own is None or not base or (row is none and given != 1):
        return False
    return math.isclose(given, own / base, rel_tol=1e-9)


def _time_rederives(row: Row, none: Row) -> bool:
    given, low, high = (number(row, name) for name in ("time_ratio", "time_ratio_low", "time_ratio_high"))
    own, base = number(row, "step_time_seconds"), number(none, "step_time_seconds")
    if given is None or low is None or high is None or own is None or not base or (row is none and given != 1):
        return False
    if not 0 < low <= given <= high or own <= 0:
        return False
    allowed = max(TIME_SHARE, WIDTHS * math.log(high / low) / 2)
    return abs(math.log(given) - math.log(own / base)) <= allowed
