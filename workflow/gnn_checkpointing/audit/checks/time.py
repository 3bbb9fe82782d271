"""Are the times known as well as was asked, on a machine that stood still?"""

from __future__ import annotations

from statistics import median

from gnn_checkpointing.audit.inputs import AuditInputs, place
from gnn_checkpointing.audit.rubric import Answer, Named, at_least, at_most, no_offender, not_applicable
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.study.graph_design import GeneratedGraph, study_graphs

WORST_OVER_TARGET = 3
"""Between the width asked for and three times it lie the cells whose time budget ended first."""

LEAST_REPEATED = 0.9
FEWEST_PROCESSES = 2
"""One tells nothing of another."""

LARGEST_DRIFT = 0.05


def rounds_enough(inputs: AuditInputs) -> Answer:
    fewest = inputs.study.measurement.rounds.at_least
    own = {
        spec.id: spec.rounds[0]
        for spec in (study_graphs(inputs.study) if inputs.study.graphs.large else ())
        if isinstance(spec, GeneratedGraph) and spec.rounds
    }
    named = ((place(row), (number(row, "rounds") or 0) < own.get(str(row["graph"]), fewest)) for row in inputs.timed)
    return no_offender(named, f"rows were timed for fewer than {fewest} rounds")


def processes_enough(inputs: AuditInputs) -> Named:
    return ((place(row), (number(row, "processes") or 1) < FEWEST_PROCESSES) for row in inputs.timed)


def repeats_agree(inputs: AuditInputs) -> Answer:
    first = {(row["cell"], row["policy"]): row for row in inputs.timed if row["policy"] != "none"}
    pairs = [(row, first[key]) for row in inputs.repeats if (key := (row["cell"], row["policy"])) in first]
    ends = [[number(row, f"time_ratio_{end}") for row in pair for end in ("low", "high")] for pair in pairs]
    known = [[end for end in four if end is not None] for four in ends if None not in four]
    if not known:
        return not_applicable()
    apart = sum(low > first_high or first_low > high for low, high, first_low, first_high in known)
    what = f"share of {len(known)} repeated time ratios whose interval meets the first one"
    return at_least(1 - apart / len(known), LEAST_REPEATED, what)


def usual_width(inputs: AuditInputs) -> Answer:
    return _width(inputs, inputs.findings.quality.median_half_width, 1, "median half-width")


def worst_width(inputs: AuditInputs) -> Answer:
    return _width(inputs, inputs.findings.quality.worst_half_width, WORST_OVER_TARGET, "widest half-width")


def machine_steady(inputs: AuditInputs) -> Answer:
    drift = inputs.findings.quality.sentinel_drift
    if drift is None:
        return not_applicable()
    return at_most(drift.median, LARGEST_DRIFT, "median drift")


def no_page_faults(inputs: AuditInputs) -> Answer:
    if inputs.reference != "retaining":
        return not_applicable("the reference allocator may give freed memory back, so that steps fault")
    rows = [row for row in inputs.timed if row["allocator"] == inputs.reference]
    faults = [value for row in rows if (value := number(row, "page_faults")) is not None]
    if not faults:
        return not_applicable()
    above = sum(value > 0 for value in faults)
    words = f"median {median(faults):g} faults a step; {above} of {len(faults)} rows above 0"
    return Answer(median(faults) == 0, words)


def _width(inputs: AuditInputs, width: float, times: float, what: str) -> Answer:
    if not any(row["policy"] != "none" and row["time_ratio"] is not None for row in inputs.timed):
        return not_applicable()
    return at_most(width, times * inputs.study.measurement.ratio_half_width, what)
