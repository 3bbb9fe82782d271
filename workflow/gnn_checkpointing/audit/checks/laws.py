"""Were laws chosen as planned? Do they and their intervals hold? Does the answer depend on one graph or hour?"""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from gnn_checkpointing.analysis.laws.fit import FittedForm
from gnn_checkpointing.analysis.laws.series import Sizes
from gnn_checkpointing.analysis.results import Coverage, PredictiveLaw, Response, ScoreSummary
from gnn_checkpointing.analysis.table import series
from gnn_checkpointing.audit import Answer, Found, Named, at_least, at_most, percent
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report.run_folder import RunFolder

BYTES: tuple[Response, ...] = ("activation_bytes", "saved_activation_bytes")
SECONDS: tuple[Response, ...] = ("step_time_seconds",)
LARGEST_HELD_OUT_ERROR = 0.10
SLOPE_SHARE = 0.10
_BEYOND = 4.0
LARGEST_EXPONENT = 1.05
"""Above 1, since fits of a true exponent of 1 lie slightly above it as often as below."""

SLOPE_BYTES = 8
"""One 64-bit index: a policy whose memory is flat has a slope of about 0, for which a relative error is meaningless."""

LEAST_COVERAGE = 0.93
LEAST_REAL_COVERAGE = 0.9
FEWEST_HELD_OUT = 100
BYTES_HALF_WIDTH, TIME_HALF_WIDTH = 0.05, 0.25
BYTES_MEDIAN_ERROR, BYTES_WORST_ERROR, TIME_MEDIAN_ERROR = 0.02, 0.05, 0.10
LARGEST_DRIFT = 0.02
FEWEST_CLAIMS = 30


def candidates_fixed(run: RunFolder) -> Named:
    listed, found = run.study.analysis.laws, run.findings.predictions
    tried = [(candidate.response, candidate.form) for candidate in found.leaderboard]
    tried += [(law.response, law.form) for law in found.laws]
    for response, form in dict.fromkeys(tried):
        before = form not in listed.added and form in (listed.memory if response in BYTES else listed.time)
        yield f"{form} for {response}", not before


def densest_predicted(run: RunFolder) -> Found:
    errors = [
        (error.worst_relative_error, f"{candidate.convolution}, {candidate.policy}, {candidate.response}")
        for candidate in run.findings.predictions.leaderboard
        if candidate.chosen and candidate.response in BYTES
        for error in candidate.errors
        if error.place == "densest"
    ]
    if not errors:
        return None
    worst, where = max(errors)
    found = f"worst error {percent(worst)} ({where}), at most {percent(LARGEST_HELD_OUT_ERROR)} allowed"
    return Answer(worst <= LARGEST_HELD_OUT_ERROR, found)


def slopes_met(run: RunFolder) -> Named:
    for count in run.findings.predictions.analytic:
        meets = abs(count.law - count.measured) <= max(SLOPE_SHARE * abs(count.measured), SLOPE_BYTES)
        yield f"{count.convolution}, {count.policy}, {count.response}", not meets


def growth_linear(run: RunFolder) -> Named:
    for law in _time_laws(run):
        yield f"{law.convolution}, {law.policy}: {law.form}", any(map(_wild, law.pieces))


def laws_ordered(run: RunFolder) -> Named:
    laws = {(law.convolution, law.policy): law for law in _time_laws(run)}
    fastest: dict[tuple[str, str], float] = {}
    for row in run.timed:
        ratio = number(row, "time_ratio")
        if row["allocator"] == run.reference and ratio is not None:
            key = (series(row), str(row["policy"]))
            fastest[key] = min(ratio, fastest.get(key, ratio))
    for key, law in laws.items():
        none = laws.get((key[0], "none"))
        if key[1] != "none" and none is not None and fastest.get(key, 0.0) > 1:
            yield ", ".join(key), _beyond(law) < _beyond(none)


def failures_foreseen(run: RunFolder) -> Named:
    judged = (cell for cell in run.findings.predictions.censored if cell.foreseen is not None)
    return ((f"{cell.cell}, {cell.policy}", not cell.foreseen) for cell in judged)


def _time_laws(run: RunFolder) -> list[PredictiveLaw]:
    return [law for law in run.findings.predictions.laws if law.response in SECONDS]


def _beyond(law: PredictiveLaw) -> float:
    """Seconds by a law at its largest number of nodes and four times its largest number of edges."""
    sizes = Sizes.of((law.num_nodes[1], _BEYOND * law.num_edges[1], None))
    return float(FittedForm.of(law).at(sizes)[0])


def _wild(piece: Mapping[str, float]) -> bool:
    """Whether a piece of a law grows faster than linearly: by a square, or by exponents that add up to over 1."""
    exponents = sum(value for name, value in piece.items() if name.startswith("log_"))
    return exponents > LARGEST_EXPONENT or any(value > 0 for name, value in piece.items() if name.endswith("_squared"))


def held_out_often(run: RunFolder) -> Found:
    fewest = min(_tried(run, (*BYTES, *SECONDS)), key=lambda one: one.held_out, default=None)
    if fewest is None:
        return None
    found = f"{fewest.held_out} held-out cells ({fewest.response}), at least {FEWEST_HELD_OUT} asked for"
    return Answer(fewest.held_out >= FEWEST_HELD_OUT, found)


def real_bytes(run: RunFolder) -> Found:
    scored = _scored(run, BYTES)
    if not scored:
        return None
    usual = max(summary.median_error for summary in scored)
    worst = max(scored, key=lambda summary: summary.worst_error)
    return Answer(
        usual <= BYTES_MEDIAN_ERROR and worst.worst_error <= BYTES_WORST_ERROR,
        f"median error {percent(usual)}, at most {percent(BYTES_MEDIAN_ERROR)} allowed; worst "
        f"{percent(worst.worst_error)} ({worst.worst_at}), at most {percent(BYTES_WORST_ERROR)} allowed",
    )


def _worst(items: Sequence[Any], field: str, limit: float, what: str, judged: Callable[..., Answer] = at_most) -> Found:
    """Whether the item with the largest (or smallest) value of a field keeps within (or reaches) the limit."""
    one = (max if judged is at_most else min)(items, key=attrgetter(field), default=None)
    return judged(getattr(one, field), limit, what.format(one)) if one else None


def _tried(run: RunFolder, responses: tuple[Response, ...]) -> list[Coverage]:
    """Coverage of the published intervals, without those of least squares, which are there for comparison only."""
    found = run.findings.predictions.coverage
    return [one for one in found if one.response in responses and one.method != "least_squares" and one.held_out]


def _scored(run: RunFolder, responses: tuple[Response, ...]) -> list[ScoreSummary]:
    return [one for one in run.findings.predictions.summaries if one.response in responses and one.scored]


def _worst_of(
    found: Callable[..., Sequence[Any]], responses: tuple[Response, ...], *rule: Any
) -> Callable[[RunFolder], Found]:
    return lambda run: _worst(found(run, responses), *rule)


_INSIDE = "share inside their intervals, of {0.held_out} held-out cells ({0.response})"
_WIDTH = "median half-width ({0.response})"
_HELD = "share of {0.scored} predictions of {0.response} on real graphs that hold what was measured"
bytes_covered = _worst_of(_tried, BYTES, "inside", LEAST_COVERAGE, _INSIDE, at_least)
time_covered = _worst_of(_tried, SECONDS, "inside", LEAST_COVERAGE, _INSIDE, at_least)
bytes_narrow = _worst_of(_tried, BYTES, "median_half_width", BYTES_HALF_WIDTH, _WIDTH)
time_narrow = _worst_of(_tried, SECONDS, "median_half_width", TIME_HALF_WIDTH, _WIDTH)
real_bounds = _worst_of(_scored, BYTES, "inside", LEAST_REAL_COVERAGE, _HELD, at_least)
real_intervals = _worst_of(_scored, SECONDS, "inside", LEAST_REAL_COVERAGE, _HELD, at_least)
real_time = _worst_of(_scored, SECONDS, "median_error", TIME_MEDIAN_ERROR, "median error")


def no_graph_decides(run: RunFolder) -> Named:
    for one in run.findings.robustness.left_out:
        without = f" (without {one.changes[0]})" if one.changes else ""
        yield f"{one.statement}, {one.convolution}, {one.policy}{without}", bool(one.changes)


def no_drift(run: RunFolder) -> Named:
    level = 1 - run.study.analysis.confidence
    for one in run.findings.robustness.drift:
        drifts = one.p_value < level and abs(one.change.estimate) >= LARGEST_DRIFT
        yield f"{one.convolution}, {one.policy}, {one.response}", drifts


def stopping_covers(run: RunFolder) -> Found:
    what = "share of {0.plays} plays whose interval holds the true ratio"
    # Without a ratio of times there is no interval that could be too narrow.
    played = run.findings.robustness.stopping if run.findings.quality.median_half_width else ()
    return _worst(played, "covered", LEAST_COVERAGE, what, at_least)


def claims_enough(run: RunFolder) -> Answer:
    claims = run.ledger.claims
    different = len({claim.id for claim in claims})
    found = f"{len(claims)} claims, {different} of them different; at least {FEWEST_CLAIMS} asked for"
    return Answer(FEWEST_CLAIMS <= different == len(claims), found)


def verdicts_estimated(run: RunFolder) -> Named:
    judged = (claim for claim in run.ledger.claims if claim.verdict != "untested")
    return ((claim.id, claim.estimate is None or not claim.evidence) for claim in judged)


def untested_explained(run: RunFolder) -> Named:
    untested = (claim for claim in run.ledger.claims if claim.verdict == "untested")
    return ((claim.id, not claim.reason.strip()) for claim in untested)
