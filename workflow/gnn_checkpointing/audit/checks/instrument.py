"""Can the bytes be trusted: read three times, adding up, with ratios that follow from them?"""

from __future__ import annotations

import math
from dataclasses import replace

from gnn_checkpointing.audit.inputs import AuditInputs, Row, place
from gnn_checkpointing.audit.rubric import Answer, Named, at_most, no_offender, not_applicable, percent
from gnn_checkpointing.records.measurements_table import number

LARGEST_SHARE = 0.1
DEMONSTRATED_SHARE = 0.05
"""Two per cent for whole pages, and what a scatter sorts past the allocator: 32 bytes an edge, 4 % of that step."""
TIME_SHARE, WIDTHS = 0.1, 3.0
"""A median of ratios is not the ratio of medians: how far they lie apart grows with the scatter of the rounds, which
the ratio's own interval measures. In the published studies they are up to 2.7 of its half-widths apart."""


def second_reading(inputs: AuditInputs) -> Named:
    return ((place(row), row["high_water_bytes"] is None) for row in inputs.judged if row["device"] == "cpu")


def third_reading(inputs: AuditInputs) -> Answer | Named:
    if not inputs.study.measurement.fake_tensor_reading:
        return not_applicable("the study leaves out the reading by fake tensors")
    nones = [row for row in inputs.judged if row["policy"] == "none" and row["aggregation"] == "gather_scatter"]
    return ((place(row), row["fake_tensor_bytes"] is None) for row in nones)


def readings_agree(inputs: AuditInputs) -> Answer:
    names = ["high_water_agrees", "fake_tensor_agrees"]
    if any(row["device"] == "cuda" for row in inputs.completed):
        names.append("driver_agrees")
    read = [(place(row), [row[name] for name in names]) for row in inputs.completed]
    named = ((name, False in agree) for name, agree in read if any(one is not None for one in agree))
    return replace(no_offender(named, "peaks are read differently"), evidence=f"measurements.csv: {', '.join(names)}")


def small_peaks(inputs: AuditInputs) -> Answer:
    apart = [
        (abs(high_water - peak), abs(high_water - peak) / peak, place(row))
        for row in inputs.completed
        if (high_water := number(row, "high_water_bytes")) and (peak := number(row, "activation_bytes"))
    ]
    if not apart:
        return not_applicable()
    coarse = sum(share > LARGEST_SHARE for _, share, _ in apart)
    worst, most = max(apart, key=lambda one: one[1]), max(apart, key=lambda one: one[0])
    return Answer(
        not coarse,
        f"{coarse} of {len(apart)} readings off by more than {percent(LARGEST_SHARE)} of their peak; at worst by "
        f"{percent(worst[1])} ({worst[0]:,.0f} bytes, {worst[2]}) and by {most[0]:,.0f} bytes "
        f"({percent(most[1])}, {most[2]})",
    )


def peaks_add_up(inputs: AuditInputs) -> Named:
    return ((place(row), not _adds_up(row)) for row in inputs.completed)


def known_step(inputs: AuditInputs) -> Answer:
    shown = inputs.demonstration
    if shown.exact_bytes <= 0:
        return Answer(False, "the demonstrated step took no memory", evidence="demonstration.json: exact_bytes")
    difference = abs(shown.high_water_bytes / shown.exact_bytes - 1)
    return at_most(difference, DEMONSTRATED_SHARE, "difference of two readings of one known step")


def memory_ratios(inputs: AuditInputs) -> Named:
    of = {"memory_ratio": "peak_memory_bytes", "activation_ratio": "activation_bytes"}
    for row, none in inputs.pairs:
        yield place(row), not all(_rederives(row, none, ratio, name) for ratio, name in of.items())


def time_ratios(inputs: AuditInputs) -> Named:
    timed = ((row, none) for row, none in inputs.pairs if row["step_time_seconds"] is not None)
    return ((place(row), not _time_rederives(row, none)) for row, none in timed)


def _adds_up(row: Row) -> bool:
    names = ("peak_memory_bytes", "resident_bytes", "saved_activation_bytes", "transient_bytes", "activation_bytes")
    peak, resident, saved, transient, activation = (number(row, name) for name in names)
    if peak is None or resident is None or saved is None or transient is None:
        return False
    return peak == resident + saved + transient and activation == peak - resident


def _rederives(row: Row, none: Row, ratio: str, name: str) -> bool:
    given, own, base = number(row, ratio), number(row, name), number(none, name)
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
