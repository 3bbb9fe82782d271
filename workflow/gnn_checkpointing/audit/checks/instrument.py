"""Can the bytes be trusted: read three times, adding up, with ratios that follow from them?"""

from __future__ import annotations

import math

from gnn_checkpointing.audit.inputs import AuditInputs, Row, place
from gnn_checkpointing.audit.question import Answer, asks, at_most, no_offender, not_applicable, percent
from gnn_checkpointing.records.measurements_table import number

LARGEST_SHARE = 0.1
DEMONSTRATED_SHARE = 0.05
"""Two per cent for whole pages, and what a scatter sorts past the allocator: 32 bytes an edge, 4 % of that step."""
TIME_SHARE, WIDTHS = 0.1, 3.0
"""A median of ratios is not the ratio of medians: how far they lie apart grows with the scatter of the rounds, which
the ratio's own interval measures. In the published studies they are up to 2.7 of its half-widths apart."""

_BYTES = {"memory_ratio": "peak_memory_bytes", "activation_ratio": "activation_bytes"}

PLACE = 2


@asks(
    "second-reading",
    "Was each memory peak read a second time?",
    "Each completed row under the reference allocator has a reading of the process's high-water mark.",
)
def high_water_read(inputs: AuditInputs) -> Answer:
    rows = [row for row in _judged(inputs) if row["device"] == "cpu"]
    unread = [place(row) for row in rows if row["high_water_bytes"] is None]
    return no_offender(
        unread,
        len(rows),
        "peaks have no second reading",
        "measurements.csv: high_water_bytes",
        "no step ran on the processor: an accelerator's memory has no such mark",
    )


@asks(
    "third-reading",
    "Were the peaks of policy none read a third time?",
    "Each completed row of none on gathered edges, under the reference allocator, has a reading by fake tensors.",
)
def fake_tensors_read(inputs: AuditInputs) -> Answer:
    if not inputs.study.measurement.fake_tensor_reading:
        return not_applicable("the study leaves out the reading by fake tensors")
    rows = [row for row in _judged(inputs) if row["policy"] == "none" and row["aggregation"] == "gather_scatter"]
    if not rows:
        return not_applicable("policy none ran to its end on gathered edges nowhere")
    unread = [place(row) for row in rows if row["fake_tensor_bytes"] is None]
    return no_offender(unread, len(rows), "peaks of none have no third reading", "measurements.csv: fake_tensor_bytes")


@asks(
    "readings-agree",
    "Do the memory readings agree?",
    "No second or third reading lies outside of its tolerance.",
)
def readings_agree(inputs: AuditInputs) -> Answer:
    names = ["high_water_agrees", "fake_tensor_agrees"]
    if any(row["device"] == "cuda" for row in inputs.completed):
        names.append("driver_agrees")
    judged = [row for row in inputs.completed if any(row[name] is not None for name in names)]
    apart = [place(row) for row in judged if any(row[name] is False for name in names)]
    return no_offender(
        apart,
        len(judged),
        "peaks are read differently",
        f"measurements.csv: {', '.join(names)}",
        "no reading was taken beside the allocator's events",
    )


@asks(
    "small-peaks",
    "Is the second reading fine enough for every peak?",
    "No high-water reading is off its peak by more than a tenth of it, however few bytes that are.",
)
def small_peaks_read(inputs: AuditInputs) -> Answer:
    rows = [row for row in inputs.completed if number(row, "high_water_bytes") and number(row, "activation_bytes")]
    if not rows:
        return not_applicable("no peak was read a second time")
    apart = {
        place(row): abs((number(row, "high_water_bytes") or 0) - (number(row, "activation_bytes") or 0)) for row in rows
    }
    shares = {place(row): apart[place(row)] / (number(row, "activation_bytes") or 1) for row in rows}
    coarse = sum(share > LARGEST_SHARE for share in shares.values())
    worst, most = max(shares, key=lambda at: shares[at]), max(apart, key=lambda at: apart[at])
    return Answer(
        not coarse,
        f"{coarse} of {len(rows)} readings off by more than {percent(LARGEST_SHARE)} of their peak; at worst by "
        f"{percent(shares[worst])} ({apart[worst]:,.0f} bytes, {worst}) and by {apart[most]:,.0f} bytes "
        f"({percent(shares[most])}, {most})",
        "measurements.csv: high_water_bytes, activation_bytes",
    )


@asks(
    "peaks-add-up",
    "Do the parts of each peak add up to it?",
    "In each completed row peak = resident + saved + transient and activation = peak - resident, to the byte.",
)
def peaks_add_up(inputs: AuditInputs) -> Answer:
    rows = inputs.completed
    wrong = [place(row) for row in rows if not _adds_up(row)]
    fields = "peak_memory_bytes, resident_bytes, saved_activation_bytes, transient_bytes, activation_bytes"
    return no_offender(
        wrong,
        len(rows),
        "peaks are not the sum of their parts",
        f"measurements.csv: {fields}",
        "nothing ran to its end",
    )


@asks(
    "known-step",
    "Do the instruments agree on a known step?",
    "The demonstrated step's peak is the same, within 5 %, by allocator events and by a reset high-water mark.",
)
def known_step_read_alike(inputs: AuditInputs) -> Answer:
    shown = inputs.demonstration
    if shown.exact_bytes <= 0:
        return Answer(False, "the demonstrated step took no memory", "demonstration.json: exact_bytes")
    difference = abs(shown.high_water_bytes / shown.exact_bytes - 1)
    what, evidence = "difference of two readings of one known step", "demonstration.json: exact_bytes, high_water_bytes"
    return at_most(difference, DEMONSTRATED_SHARE, what, evidence)


@asks(
    "memory-ratios",
    "Do the memory ratios follow from the bytes?",
    "Each ratio of bytes is the row's bytes divided by none's of the same cell, and none's own is 1.",
)
def memory_ratios_rederive(inputs: AuditInputs) -> Answer:
    pairs = inputs.pairs
    wrong = [place(row) for row, none in pairs if not all(_rederives(row, none, name) for name in _BYTES)]
    fields = ", ".join((*_BYTES, *_BYTES.values()))
    return no_offender(
        wrong,
        len(pairs),
        "rows have another ratio than their bytes",
        f"measurements.csv: {fields}",
        "policy none ran to its end in no cell, so there are no ratios",
    )


@asks(
    "time-ratios",
    "Do the time ratios follow from the times?",
    "Each time ratio lies in its interval, and off the quotient of median times by at most 10 % or three half-widths.",
)
def time_ratios_rederive(inputs: AuditInputs) -> Answer:
    pairs = [(row, none) for row, none in inputs.pairs if row["step_time_seconds"] is not None]
    wrong = [place(row) for row, none in pairs if not _time_rederives(row, none)]
    fields = "time_ratio, time_ratio_low, time_ratio_high, step_time_seconds"
    return no_offender(
        wrong,
        len(pairs),
        "rows have another ratio than their times",
        f"measurements.csv: {fields}",
        "no steps were timed",
    )


def _judged(inputs: AuditInputs) -> list[Row]:
    return [row for row in inputs.completed if row["allocator"] == inputs.reference]


def _adds_up(row: Row) -> bool:
    names = ("peak_memory_bytes", "resident_bytes", "saved_activation_bytes", "transient_bytes", "activation_bytes")
    peak, resident, saved, transient, activation = (number(row, name) for name in names)
    if peak is None or resident is None or saved is None or transient is None:
        return False
    return peak == resident + saved + transient and activation == peak - resident


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
