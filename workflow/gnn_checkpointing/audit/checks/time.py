"""Are the times known as well as was asked, on a machine that stood still?"""

from __future__ import annotations

from statistics import median

from gnn_checkpointing.audit.inputs import AuditInputs, place
from gnn_checkpointing.audit.question import Answer, asks, at_least, at_most, no_offender, not_applicable
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.study.graph_design import GeneratedGraph, study_graphs

WORST_OVER_TARGET = 3
"""Between the width asked for and three times it lie the cells whose time budget ended first."""

LEAST_REPEATED = 0.9
FEWEST_PROCESSES = 2
"""One tells nothing of another."""

LARGEST_DRIFT = 0.05
NOT_TIMED = "no steps were timed"
NO_RATIO = "no policy was timed beside none"

PLACE = 4


@asks(
    "rounds-enough",
    "Was every policy timed often enough?",
    "Each timed row has at least the study's fewest rounds.",
)
def rounds_enough(inputs: AuditInputs) -> Answer:
    rows, fewest = inputs.timed, inputs.study.measurement.rounds.at_least
    own = {
        spec.id: spec.rounds[0]
        for spec in (study_graphs(inputs.study) if inputs.study.graphs.large else ())
        if isinstance(spec, GeneratedGraph) and spec.rounds
    }
    short = [place(row) for row in rows if (number(row, "rounds") or 0) < own.get(str(row["graph"]), fewest)]
    return no_offender(
        short, len(rows), f"rows were timed for fewer than {fewest} rounds", "measurements.csv: rounds", NOT_TIMED
    )


@asks(
    "processes-enough",
    "Was every policy timed in more than one process?",
    "Each timed row was timed in at least two fresh processes, whose spread is part of its interval.",
)
def processes_enough(inputs: AuditInputs) -> Answer:
    rows = inputs.timed
    few = [place(row) for row in rows if (number(row, "processes") or 1) < FEWEST_PROCESSES]
    evidence = "measurements.csv: processes"
    return no_offender(
        few, len(rows), f"rows were timed in fewer than {FEWEST_PROCESSES} processes", evidence, NOT_TIMED
    )


@asks(
    "repeats-agree",
    "Do the intervals hold what repeating a cell gives?",
    "At least 90 % of the time ratios of repeated cells have intervals that overlap those of the first time.",
)
def repeats_agree(inputs: AuditInputs) -> Answer:
    first = {(row["cell"], row["policy"]): row for row in inputs.timed if row["policy"] != "none"}
    pairs = [(row, first[key]) for row in inputs.repeats if (key := (row["cell"], row["policy"])) in first]
    ends = [[number(row, f"time_ratio_{end}") for row in pair for end in ("low", "high")] for pair in pairs]
    known = [[end for end in four if end is not None] for four in ends if None not in four]
    if not known:
        return not_applicable("no timed cell was measured again in another hour")
    apart = sum(low > first_high or first_low > high for low, high, first_low, first_high in known)
    what = f"share of {len(known)} repeated time ratios whose interval meets the first one"
    return at_least(
        1 - apart / len(known), LEAST_REPEATED, what, "measurements.csv: visit, time_ratio_low, time_ratio_high"
    )


@asks(
    "usual-width",
    "Are most time ratios known as well as was asked?",
    "The median half-width of a time ratio's interval is within the study's ratio_half_width.",
)
def usual_width_reached(inputs: AuditInputs) -> Answer:
    if not _has_ratios(inputs):
        return not_applicable(NO_RATIO)
    width, target = inputs.findings.quality.median_half_width, inputs.study.measurement.ratio_half_width
    return at_most(width, target, "median half-width", "analysis/quality.json: median_half_width")


@asks(
    "worst-width",
    "Is the worst-known time ratio known well enough?",
    "No time ratio's interval is wider than three times the study's ratio_half_width.",
)
def worst_width_bearable(inputs: AuditInputs) -> Answer:
    if not _has_ratios(inputs):
        return not_applicable(NO_RATIO)
    width, target = inputs.findings.quality.worst_half_width, inputs.study.measurement.ratio_half_width
    return at_most(width, WORST_OVER_TARGET * target, "widest half-width", "analysis/quality.json: worst_half_width")


@asks(
    "machine-steady",
    "Was the machine steady?",
    "In the median cell a fixed small workload's slowest third took at most 5 % longer than its fastest.",
)
def machine_steady(inputs: AuditInputs) -> Answer:
    drift = inputs.findings.quality.sentinel_drift
    if drift is None:
        return not_applicable("the fixed workload was not timed often enough to tell")
    return at_most(drift.median, LARGEST_DRIFT, "median drift", "analysis/quality.json: sentinel_drift.median")


@asks(
    "no-page-faults",
    "Were steps free of page faults?",
    "Under the allocator `retaining`, where it is the reference, the median step takes no page fault.",
)
def no_page_faults(inputs: AuditInputs) -> Answer:
    if inputs.reference != "retaining":
        return not_applicable("the reference allocator may give freed memory back, so that steps fault")
    faults = [
        value
        for row in inputs.timed
        if row["allocator"] == inputs.reference and (value := number(row, "page_faults")) is not None
    ]
    if not faults:
        return not_applicable(NOT_TIMED)
    above = sum(value > 0 for value in faults)
    found = f"median {median(faults):g} faults a step; {above} of {len(faults)} rows above 0"
    return Answer(median(faults) == 0, found, "measurements.csv: page_faults")


def _has_ratios(inputs: AuditInputs) -> bool:
    return any(row["policy"] != "none" and row["time_ratio"] is not None for row in inputs.timed)
