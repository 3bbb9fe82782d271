"""Do the laws' intervals hold what they promise, and are they narrow enough to be of use?"""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.analysis.results import Coverage, Response, ScoreSummary
from gnn_checkpointing.audit.checks.laws import BYTES, SECONDS
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.rubric import Answer, at_least, at_most, not_applicable, percent

LEAST_COVERAGE = 0.93
LEAST_REAL_COVERAGE = 0.9
FEWEST_HELD_OUT = 100
BYTES_HALF_WIDTH, TIME_HALF_WIDTH = 0.05, 0.25
BYTES_MEDIAN_ERROR, BYTES_WORST_ERROR, TIME_MEDIAN_ERROR = 0.02, 0.05, 0.10


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
