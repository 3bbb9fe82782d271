"""Can the bytes be trusted: were they read three times, do the readings agree, do the parts add up?"""

from __future__ import annotations

from gnn_checkpointing.audit.answers import Answer, at_most, no_offender, not_applicable, percent
from gnn_checkpointing.audit.inputs import AuditInputs, Row, place
from gnn_checkpointing.audit.question import asks
from gnn_checkpointing.records.measurements_table import number

LARGEST_SHARE = 0.1
DEMONSTRATED_SHARE = 0.05
"""Two per cent for whole pages, and what a scatter sorts past the allocator: 32 bytes an edge, 4 % of that step."""


@asks(
    "second-reading",
    "Was each memory peak read a second time?",
    "Each completed row under the reference allocator has a reading of the process's high-water mark.",
)
def high_water_read(inputs: AuditInputs) -> Answer:
    rows = [row for row in _judged(inputs) if row["device"] == "cpu"]
    if not rows:
        return not_applicable("no step ran on the processor: an accelerator's memory has no such mark")
    unread = [place(row) for row in rows if row["high_water_bytes"] is None]
    return no_offender(unread, len(rows), "peaks have no second reading", "measurements.csv: high_water_bytes")


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
    if not judged:
        return not_applicable("no reading was taken beside the allocator's events")
    apart = [place(row) for row in judged if any(row[name] is False for name in names)]
    return no_offender(apart, len(judged), "peaks are read differently", f"measurements.csv: {', '.join(names)}")


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
    if not rows:
        return not_applicable("nothing ran to its end")
    wrong = [place(row) for row in rows if not _adds_up(row)]
    fields = "peak_memory_bytes, resident_bytes, saved_activation_bytes, transient_bytes, activation_bytes"
    return no_offender(wrong, len(rows), "peaks are not the sum of their parts", f"measurements.csv: {fields}")


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


def _judged(inputs: AuditInputs) -> list[Row]:
    return [row for row in inputs.completed if row["allocator"] == inputs.reference]


def _adds_up(row: Row) -> bool:
    names = ("peak_memory_bytes", "resident_bytes", "saved_activation_bytes", "transient_bytes", "activation_bytes")
    peak, resident, saved, transient, activation = (number(row, name) for name in names)
    if peak is None or resident is None or saved is None or transient is None:
        return False
    return peak == resident + saved + transient and activation == peak - resident
