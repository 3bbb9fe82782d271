"""Were laws chosen as planned, do they know what they did not see, and did they foresee what failed?"""

from __future__ import annotations

import math
from collections.abc import Mapping

from gnn_checkpointing.analysis.results import AnalyticCount, PredictiveLaw, Response
from gnn_checkpointing.analysis.table import series
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import Answer, asks, no_offender, not_applicable, percent
from gnn_checkpointing.records.measurements_table import number

BYTES: tuple[Response, ...] = ("activation_bytes", "saved_activation_bytes")
SECONDS: tuple[Response, ...] = ("step_time_seconds",)
LARGEST_HELD_OUT_ERROR = 0.10
SLOPE_SHARE = 0.10
_BEYOND = 4.0
LARGEST_EXPONENT = 1.05
"""A fitted exponent of 1 comes out a little above it as often as below."""

SLOPE_BYTES = 8
"""One 64-bit index: a policy whose memory is flat has a slope of about nothing, of which no share makes sense."""

NO_LAW = "no law was tried in this study"

PLACE = 5


@asks(
    "candidates-fixed",
    "Were all forms of law listed before the data?",
    "Every form of law that was tried is one that the study file lists for bytes or for seconds.",
)
def candidates_fixed(inputs: AuditInputs) -> Answer:
    listed = inputs.study.analysis.laws
    found = inputs.findings.predictions
    tried = [(candidate.response, candidate.form) for candidate in found.leaderboard]
    tried += [(law.response, law.form) for law in found.laws]
    if not tried:
        return not_applicable(NO_LAW)
    unlisted = [
        f"{form} for {response}"
        for response, form in dict.fromkeys(tried)
        if form not in (listed.memory if response in BYTES else listed.time)
    ]
    evidence = "study.json: analysis.laws; analysis/predictions.json: leaderboard, laws"
    return no_offender(unlisted, len(set(tried)), "forms of law were not listed before the data", evidence)


@asks(
    "densest-predicted",
    "Is memory on the densest level predicted unseen?",
    "The chosen laws of bytes, fitted without the densest level, are nowhere more than 10 % off there.",
)
def densest_level_predicted(inputs: AuditInputs) -> Answer:
    errors = [
        (error.worst_relative_error, f"{candidate.convolution}, {candidate.policy}, {candidate.response}")
        for candidate in inputs.findings.predictions.leaderboard
        if candidate.chosen and candidate.response in BYTES
        for error in candidate.errors
        if error.place == "densest"
    ]
    if not errors:
        return not_applicable("no law of bytes was tried on a densest level that it had not seen")
    worst, where = max(errors)
    return Answer(
        worst <= LARGEST_HELD_OUT_ERROR,
        f"worst error {percent(worst)} ({where}), at most {percent(LARGEST_HELD_OUT_ERROR)} allowed",
        "analysis/predictions.json: leaderboard[chosen].errors[place=densest].worst_relative_error",
    )


@asks(
    "slopes-met",
    "Do the laws meet the measured bytes per edge?",
    "Each law's bytes per edge are within 10 % (or 8 bytes) of the slope measured between the same graphs.",
)
def laws_meet_slopes(inputs: AuditInputs) -> Answer:
    counts = inputs.findings.predictions.analytic
    off = [f"{count.convolution}, {count.policy}, {count.response}" for count in counts if not _meets(count)]
    evidence = "analysis/predictions.json: analytic.law, analytic.measured"
    return no_offender(
        off, len(counts), "laws miss the measured bytes per edge", evidence, "no law was set beside a measured slope"
    )


@asks(
    "growth-linear",
    "Do the laws of time stay sane beyond what was measured?",
    "No chosen law of step time grows faster than in proportion to nodes and edges together.",
)
def growth_linear(inputs: AuditInputs) -> Answer:
    laws = [law for law in inputs.findings.predictions.laws if law.response == "step_time_seconds"]
    wild = [f"{law.convolution}, {law.policy}: {law.form}" for law in laws if any(map(_wild, law.pieces))]
    evidence = "analysis/predictions.json: laws.form, laws.pieces"
    return no_offender(
        wild, len(laws), "laws of step time grow faster than the graph", evidence, "no law of step time was chosen"
    )


@asks(
    "laws-ordered",
    "Do the laws of time make no policy faster than it ever was?",
    "At four times the edges measured, no policy that always took longer than none is predicted to be faster.",
)
def laws_ordered(inputs: AuditInputs) -> Answer:
    laws = {(law.convolution, law.policy): law for law in inputs.findings.predictions.laws if law.response in SECONDS}
    fastest: dict[tuple[str, str], float] = {}
    for row in inputs.timed:
        ratio = number(row, "time_ratio")
        if row["allocator"] == inputs.reference and ratio is not None:
            key = (series(row), str(row["policy"]))
            fastest[key] = min(ratio, fastest.get(key, ratio))
    judged = [key for key in laws if key[1] != "none" and (key[0], "none") in laws and fastest.get(key, 0.0) > 1]
    faster = [", ".join(key) for key in judged if _beyond(laws[key]) < _beyond(laws[key[0], "none"])]
    evidence = "analysis/predictions.json: laws.pieces; measurements.csv: time_ratio"
    return no_offender(
        faster,
        len(judged),
        "policies are predicted to become faster than none",
        evidence,
        "no policy with a law of step time always took longer than none",
    )


@asks(
    "failures-foreseen",
    "Did the laws foresee what ran out?",
    "The law of each cell that ran out of memory or time puts it above the limit.",
)
def failures_foreseen(inputs: AuditInputs) -> Answer:
    judged = [cell for cell in inputs.findings.predictions.censored if cell.foreseen is not None]
    unforeseen = [f"{cell.cell}, {cell.policy}" for cell in judged if not cell.foreseen]
    what = "failures were predicted to fit"
    return no_offender(
        unforeseen,
        len(judged),
        what,
        "analysis/predictions.json: censored.foreseen",
        "nothing with a law of its own ran out of memory or time",
    )


def _meets(count: AnalyticCount) -> bool:
    return abs(count.law - count.measured) <= max(SLOPE_SHARE * abs(count.measured), SLOPE_BYTES)


def _beyond(law: PredictiveLaw) -> float:
    """Seconds by a law at its largest number of nodes and four times its largest number of edges."""
    nodes, edges = float(law.num_nodes[1]), _BEYOND * law.num_edges[1]
    columns = {
        "constant": 1.0,
        "nodes": nodes,
        "edges": edges,
        "edges_squared": edges**2,
        "edges_over_knee": max(edges - (law.knee or 0.0), 0.0),
        "log_nodes": math.log(nodes),
        "log_edges": math.log(edges),
    }
    found = max(sum(value * columns.get(name, 0.0) for name, value in piece.items()) for piece in law.pieces)
    return math.exp(found) if any(name.startswith("log_") for piece in law.pieces for name in piece) else found


def _wild(piece: Mapping[str, float]) -> bool:
    """Whether a piece of a law grows faster than in proportion: by a square, or by exponents that add up to over 1."""
    exponents = sum(value for name, value in piece.items() if name.startswith("log_"))
    return exponents > LARGEST_EXPONENT or any(value > 0 for name, value in piece.items() if name.endswith("_squared"))
