"""Do the laws' intervals hold what they promise, and are they narrow enough to be of use?"""

from __future__ import annotations

from functools import partial

from gnn_checkpointing.analysis.results import Coverage, Response, ScoreSummary
from gnn_checkpointing.audit.checks.laws import BYTES, SECONDS
from gnn_checkpointing.audit.inputs import AuditInputs
from gnn_checkpointing.audit.question import Answer, asks, at_least, at_most, not_applicable, percent

LEAST_COVERAGE = 0.93
LEAST_REAL_COVERAGE = 0.9
FEWEST_HELD_OUT = 100
BYTES_HALF_WIDTH, TIME_HALF_WIDTH = 0.05, 0.25
BYTES_MEDIAN_ERROR, BYTES_WORST_ERROR, TIME_MEDIAN_ERROR = 0.02, 0.05, 0.10

_COVERAGE = "analysis/predictions.json: coverage"
_SUMMARIES = "analysis/predictions.json: summaries"
_NO_COVERAGE = "no law was tried on cells that it had not seen"
_NO_SCORE = "no real graph lies within what a law was fitted on"

PLACE = 6


def _covered(inputs: AuditInputs, responses: tuple[Response, ...]) -> Answer:
    found = _published(inputs, responses)
    if not found:
        return not_applicable(_NO_COVERAGE)
    least = min(found, key=lambda coverage: coverage.inside)
    what = f"share inside their intervals, of {least.held_out} held-out cells ({least.response})"
    return at_least(least.inside, LEAST_COVERAGE, what, f"{_COVERAGE}.inside")


def _narrow(inputs: AuditInputs, responses: tuple[Response, ...], limit: float) -> Answer:
    found = _published(inputs, responses)
    if not found:
        return not_applicable(_NO_COVERAGE)
    widest = max(found, key=lambda coverage: coverage.median_half_width)
    what = f"median half-width ({widest.response})"
    return at_most(widest.median_half_width, limit, what, f"{_COVERAGE}.median_half_width")


def _published(inputs: AuditInputs, responses: tuple[Response, ...]) -> list[Coverage]:
    """Return the coverage of the intervals that are published; least squares' stand beside them to be compared."""
    found = inputs.findings.predictions.coverage
    return [one for one in found if one.response in responses and one.method != "least_squares" and one.held_out]


def _scored(inputs: AuditInputs, responses: tuple[Response, ...]) -> list[ScoreSummary]:
    return [one for one in inputs.findings.predictions.summaries if one.response in responses and one.scored]


def _held_on_real(inputs: AuditInputs, responses: tuple[Response, ...]) -> Answer:
    found = _scored(inputs, responses)
    if not found:
        return not_applicable(_NO_SCORE)
    least = min(found, key=lambda summary: summary.inside)
    what = f"share of {least.scored} predictions of {least.response} on real graphs that hold what was measured"
    return at_least(least.inside, LEAST_REAL_COVERAGE, what, f"{_SUMMARIES}.inside")


@asks(
    "held-out-often",
    "Were the intervals tried on enough cells?",
    "The intervals of every response were tried on at least 100 held-out synthetic cells.",
)
def held_out_often(inputs: AuditInputs) -> Answer:
    found = _published(inputs, (*BYTES, *SECONDS))
    if not found:
        return not_applicable(_NO_COVERAGE)
    fewest = min(found, key=lambda coverage: coverage.held_out)
    return Answer(
        fewest.held_out >= FEWEST_HELD_OUT,
        f"{fewest.held_out} held-out cells ({fewest.response}), at least {FEWEST_HELD_OUT} asked for",
        f"{_COVERAGE}.held_out",
    )


bytes_covered = asks(
    "bytes-covered",
    "Do intervals of bytes hold what they promise?",
    "At least 93 % of the held-out cells' bytes lie within their law's interval.",
)(partial(_covered, responses=BYTES))

time_covered = asks(
    "time-covered",
    "Do intervals of time hold what they promise?",
    "At least 93 % of the held-out cells' step times lie within their law's interval.",
)(partial(_covered, responses=SECONDS))

bytes_narrow = asks(
    "bytes-narrow",
    "Are intervals of bytes narrow?",
    "The median half-width of the intervals of bytes is at most 5 % of the prediction.",
)(partial(_narrow, responses=BYTES, limit=BYTES_HALF_WIDTH))

time_narrow = asks(
    "time-narrow",
    "Are intervals of time narrow?",
    "The median half-width of the intervals of step times is at most 25 % of the prediction.",
)(partial(_narrow, responses=SECONDS, limit=TIME_HALF_WIDTH))


@asks(
    "real-bytes",
    "Is memory on real graphs predicted?",
    "On real graphs the laws of bytes are at most 2 % off in the median and 5 % at worst.",
)
def real_bytes_predicted(inputs: AuditInputs) -> Answer:
    found = _scored(inputs, BYTES)
    if not found:
        return not_applicable(_NO_SCORE)
    usual = max(summary.median_error for summary in found)
    worst = max(found, key=lambda summary: summary.worst_error)
    return Answer(
        usual <= BYTES_MEDIAN_ERROR and worst.worst_error <= BYTES_WORST_ERROR,
        f"median error {percent(usual)}, at most {percent(BYTES_MEDIAN_ERROR)} allowed; worst "
        f"{percent(worst.worst_error)} ({worst.worst_at}), at most {percent(BYTES_WORST_ERROR)} allowed",
        f"{_SUMMARIES}.median_error, worst_error",
    )


real_bounds_hold = asks(
    "real-bounds",
    "Do bounds of bytes hold on real graphs?",
    "At least 90 % of the bytes measured on real graphs lie within their law's bounds.",
)(partial(_held_on_real, responses=BYTES))


@asks(
    "real-time",
    "Is time on real graphs predicted?",
    "On real graphs the laws of step time are at most 10 % off in the median.",
)
def real_time_predicted(inputs: AuditInputs) -> Answer:
    found = _scored(inputs, SECONDS)
    if not found:
        return not_applicable(_NO_SCORE)
    usual = max(summary.median_error for summary in found)
    return at_most(usual, TIME_MEDIAN_ERROR, "median error", f"{_SUMMARIES}.median_error")


real_intervals_hold = asks(
    "real-intervals",
    "Do intervals of time hold on real graphs?",
    "At least 90 % of the step times measured on real graphs lie within their law's interval.",
)(partial(_held_on_real, responses=SECONDS))
