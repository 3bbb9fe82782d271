"""Were laws chosen as planned, did they foresee what they had not seen, and do their intervals hold?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

from gnn_checkpointing.analysis.results import Coverage, PredictiveLaw, Response, ScoreSummary
from gnn_checkpointing.analysis.table import series
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.rubric import Answer, Named, at_least, at_most, not_applicable, percent
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

LEAST_COVERAGE = 0.93
LEAST_REAL_COVERAGE = 0.9
FEWEST_HELD_OUT = 100
BYTES_HALF_WIDTH, TIME_HALF_WIDTH = 0.05, 0.25
BYTES_MEDIAN_ERROR, BYTES_WORST_ERROR, TIME_MEDIAN_ERROR = 0.02, 0.05, 0.10


def candidates_fixed(inputs: AuditInputs) -> Named:
    listed, found = inputs.study.analysis.laws, inputs.findings.predictions
    tried = [(candidate.response, candidate.form) for candidate in found.leaderboard]
    tried += [(law.response, law.form) for law in found.laws]
    for response, form in dict.fromkeys(tried):
        before = form not in listed.added and form in (listed.memory if response in BYTES else listed.time)
        yield f"{form} for {response}", not before


def densest_predicted(inputs: AuditInputs) -> Answer:
    errors = [
        (error.worst_relative_error, f"{candidate.convolution}, {candidate.policy}, {candidate.response}")
        for candidate in inputs.findings.predictions.leaderboard
        if candidate.chosen and candidate.response in BYTES
        for error in candidate.errors
        if error.place == "densest"
    ]
    if not errors:
        return not_applicable()
    worst, where = max(errors)
    found = f"worst error {percent(worst)} ({where}), at most {percent(LARGEST_HELD_OUT_ERROR)} allowed"
    return Answer(worst <= LARGEST_HELD_OUT_ERROR, found)


def slopes_met(inputs: AuditInputs) -> Named:
    for count in inputs.findings.predictions.analytic:
        meets = abs(count.law - count.measured) <= max(SLOPE_SHARE * abs(count.measured), SLOPE_BYTES)
        yield f"{count.convolution}, {count.policy}, {count.response}", not meets


def growth_linear(inputs: AuditInputs) -> Named:
    for law in _time_laws(inputs):
        yield f"{law.convolution}, {law.policy}: {law.form}", any(map(_wild, law.pieces))


def laws_ordered(inputs: AuditInputs) -> Named:
    laws = {(law.convolution, law.policy): law for law in _time_laws(inputs)}
    fastest: dict[tuple[str, str], float] = {}
    for row in inputs.timed:
        ratio = number(row, "time_ratio")
        if row["allocator"] == inputs.reference and ratio is not None:
            key = (series(row), str(row["policy"]))
            fastest[key] = min(ratio, fastest.get(key, ratio))
    for key, law in laws.items():
        none = laws.get((key[0], "none"))
        if key[1] != "none" and none is not None and fastest.get(key, 0.0) > 1:
            yield ", ".join(key), _beyond(law) < _beyond(none)


def failures_foreseen(inputs: AuditInputs) -> Named:
    judged = (cell for cell in inputs.findings.predictions.censored if cell.foreseen is not None)
    return ((f"{cell.cell}, {cell.policy}", not cell.foreseen) for cell in judged)


def _time_laws(inputs: AuditInputs) -> list[PredictiveLaw]:
    return [law for law in inputs.findings.predictions.laws if law.response in SECONDS]


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


def held_out_often(inputs: AuditInputs) -> Answer:
    tried = _tried(inputs, (*BYTES, *SECONDS))
    if not tried:
        return not_applicable()
    fewest = min(tried, key=lambda coverage: coverage.held_out)
    found = f"{fewest.held_out} held-out cells ({fewest.response}), at least {FEWEST_HELD_OUT} asked for"
    return Answer(fewest.held_out >= FEWEST_HELD_OUT, found)


def real_bytes(inputs: AuditInputs) -> Answer:
    scored = _scored(inputs, BYTES)
    if not scored:
        return not_applicable()
    usual = max(summary.median_error for summary in scored)
    worst = max(scored, key=lambda summary: summary.worst_error)
    return Answer(
        usual <= BYTES_MEDIAN_ERROR and worst.worst_error <= BYTES_WORST_ERROR,
        f"median error {percent(usual)}, at most {percent(BYTES_MEDIAN_ERROR)} allowed; worst "
        f"{percent(worst.worst_error)} ({worst.worst_at}), at most {percent(BYTES_WORST_ERROR)} allowed",
    )


def real_time(inputs: AuditInputs) -> Answer:
    errors = [summary.median_error for summary in _scored(inputs, SECONDS)]
    return at_most(max(errors), TIME_MEDIAN_ERROR, "median error") if errors else not_applicable()


def _covered(inputs: AuditInputs, responses: tuple[Response, ...]) -> Answer:
    tried = _tried(inputs, responses)
    if not tried:
        return not_applicable()
    least = min(tried, key=lambda coverage: coverage.inside)
    what = f"share inside their intervals, of {least.held_out} held-out cells ({least.response})"
    return at_least(least.inside, LEAST_COVERAGE, what)


def _narrow(inputs: AuditInputs, responses: tuple[Response, ...], limit: float) -> Answer:
    tried = _tried(inputs, responses)
    if not tried:
        return not_applicable()
    widest = max(tried, key=lambda coverage: coverage.median_half_width)
    return at_most(widest.median_half_width, limit, f"median half-width ({widest.response})")


def _held(inputs: AuditInputs, responses: tuple[Response, ...]) -> Answer:
    scored = _scored(inputs, responses)
    if not scored:
        return not_applicable()
    least = min(scored, key=lambda summary: summary.inside)
    what = f"share of {least.scored} predictions of {least.response} on real graphs that hold what was measured"
    return at_least(least.inside, LEAST_REAL_COVERAGE, what)


def _tried(inputs: AuditInputs, responses: tuple[Response, ...]) -> list[Coverage]:
    """The coverage of the intervals that are published; least squares' are beside them to be compared."""
    found = inputs.findings.predictions.coverage
    return [one for one in found if one.response in responses and one.method != "least_squares" and one.held_out]


def _scored(inputs: AuditInputs, responses: tuple[Response, ...]) -> list[ScoreSummary]:
    return [one for one in inputs.findings.predictions.summaries if one.response in responses and one.scored]


bytes_covered, time_covered = partial(_covered, responses=BYTES), partial(_covered, responses=SECONDS)
bytes_narrow = partial(_narrow, responses=BYTES, limit=BYTES_HALF_WIDTH)
time_narrow = partial(_narrow, responses=SECONDS, limit=TIME_HALF_WIDTH)
real_bounds, real_intervals = partial(_held, responses=BYTES), partial(_held, responses=SECONDS)
