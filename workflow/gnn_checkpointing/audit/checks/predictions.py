"""Do the laws' intervals hold what they promise, and are they narrow enough to be of use?"""

from __future__ import annotations

from gnn_checkpointing.analysis.results import Coverage, Response, ScoreSummary
from gnn_checkpointing.audit.checks.laws import BYTES, SECONDS
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import Answer, at_least, at_most, not_applicable, percent

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


def bytes_covered(inputs: AuditInputs) -> Answer:
    return _covered(_tried(inputs, BYTES))


def time_covered(inputs: AuditInputs) -> Answer:
    return _covered(_tried(inputs, SECONDS))


def bytes_narrow(inputs: AuditInputs) -> Answer:
    return _narrow(_tried(inputs, BYTES), BYTES_HALF_WIDTH)


def time_narrow(inputs: AuditInputs) -> Answer:
    return _narrow(_tried(inputs, SECONDS), TIME_HALF_WIDTH)


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


def real_bounds(inputs: AuditInputs) -> Answer:
    return _held(_scored(inputs, BYTES))


def real_time(inputs: AuditInputs) -> Answer:
    errors = [summary.median_error for summary in _scored(inputs, SECONDS)]
    return at_most(max(errors), TIME_MEDIAN_ERROR, "median error") if errors else not_applicable()


def real_intervals(inputs: AuditInputs) -> Answer:
    return _held(_scored(inputs, SECONDS))


def _tried(inputs: AuditInputs, responses: tuple[Response, ...]) -> list[Coverage]:
    """The coverage of the intervals that are published; least squares' are beside them to be compared."""
    found = inputs.findings.predictions.coverage
    return [one for one in found if one.response in responses and one.method != "least_squares" and one.held_out]


def _scored(inputs: AuditInputs, responses: tuple[Response, ...]) -> list[ScoreSummary]:
    return [one for one in inputs.findings.predictions.summaries if one.response in responses and one.scored]


def _covered(tried: list[Coverage]) -> Answer:
    if not tried:
        return not_applicable()
    least = min(tried, key=lambda coverage: coverage.inside)
    what = f"share inside their intervals, of {least.held_out} held-out cells ({least.response})"
    return at_least(least.inside, LEAST_COVERAGE, what)


def _narrow(tried: list[Coverage], limit: float) -> Answer:
    if not tried:
        return not_applicable()
    widest = max(tried, key=lambda coverage: coverage.median_half_width)
    return at_most(widest.median_half_width, limit, f"median half-width ({widest.response})")


def _held(scored: list[ScoreSummary]) -> Answer:
    if not scored:
        return not_applicable()
    least = min(scored, key=lambda summary: summary.inside)
    what = f"share of {least.scored} predictions of {least.response} on real graphs that hold what was measured"
    return at_least(least.inside, LEAST_REAL_COVERAGE, what)
