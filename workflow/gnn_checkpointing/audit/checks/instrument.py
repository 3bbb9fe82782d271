"""Can the bytes be trusted: were they read three times, do the readings agree, do the parts add up?"""

from __future__ import annotations

from gnn_checkpointing.audit.answers import Answer, at_most, no_offender, not_applicable
from gnn_checkpointing.audit.inputs import AuditInputs, Row, place
from gnn_checkpointing.records.measurements_table import number

DEMONSTRATED_SHARE = 0.05
"""Two per cent for whole pages, and what a scatter sorts past the allocator: 32 bytes an edge, 4 % of that step."""


def high_water_read(inputs: AuditInputs) -> Answer:
    """Each completed row under the reference allocator has a reading of the process's high-water mark."""
    rows = [row for row in _judged(inputs) if row["device"] == "cpu"]
    if not rows:
        return not_applicable("no step ran on the processor: an accelerator's memory has no such mark")
    unread = [place(row) for row in rows if row["high_water_bytes"] is None]
    return no_offender(unread, len(rows), "peaks have no second reading", "measurements.csv: high_water_bytes")


def fake_tensors_read(inputs: AuditInputs) -> Answer:
    """Each completed row of none on gathered edges, under the reference allocator, has a reading by fake tensors."""
    if not inputs.study.measurement.fake_tensor_reading:
        return not_applicable("the study leaves out the reading by fake tensors")
    rows = [row for row in _judged(inputs) if row["policy"] == "none" and row["aggregation"] == "gather_scatter"]
    if not rows:
        return not_applicable("policy none ran to its end on gathered edges nowhere")
    unread = [place(row) for row in rows if row["fake_tensor_bytes"] is None]
    return no_offender(unread, len(rows), "peaks of none have no third reading", "measurements.csv: fake_tensor_bytes")


def readings_agree(inputs: AuditInputs) -> Answer:
    """No second or third reading lies outside of its tolerance."""
    names = ["high_water_agrees", "fake_tensor_agrees"]
    if any(row["device"] == "cuda" for row in inputs.completed):
        names.append("driver_agrees")
    judged = [row for row in inputs.completed if any(row[name] is not None for name in names)]
    if not judged:
        return not_applicable("no reading was taken beside the allocator's events")
    apart = [place(row) for row in judged if any(row[name] is False for name in names)]
    return no_offender(apart, len(judged), "peaks are read differently", f"measurements.csv: {', '.join(names)}")


def peaks_add_up(inputs: AuditInputs) -> Answer:
    """In each completed row peak = resident + saved + transient and activation = peak - resident, to the byte."""
    rows = inputs.completed
    if not rows:
        return not_applicable("nothing ran to its end")
    wrong = [place(row) for row in rows if not _adds_up(row)]
    fields = "peak_memory_bytes, resident_bytes, saved_activation_bytes, transient_bytes, activation_bytes"
    return no_offender(wrong, len(rows), "peaks are not the sum of their parts", f"measurements.csv: {fields}")


def known_step_read_alike(inputs: AuditInputs) -> Answer:
    """The demonstrated step's peak is the same, within 5 %, by allocator events and by a reset high-water mark."""
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
