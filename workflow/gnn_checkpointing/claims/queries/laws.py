"""Queries about held-out predictions of the laws, and about robustness: graphs, draws, hours, unchanged computation."""

from collections.abc import Callable, Iterable
from typing import Any

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.claims.queries import Asked, Found, between, query, where
from gnn_checkpointing.claims.rules import MOST_FLIPS, chance_of_turning, share_of
from gnn_checkpointing.records.jobs import REORDERED
from gnn_checkpointing.sourced import counted, plain

RESPONSES = {"memory": ("activation_bytes", "saved_activation_bytes"), "time": ("step_time_seconds",)}
_METHODS = {"memory": "held_out_bound", "time": "conformal"}
_STANDARD_ERRORS = 2.0
"""Half-width of the interval of a simulated coverage, in Monte-Carlo standard errors."""
_SHAPES = {"lognormal": "", "heavy_tailed": " with a heavy tail"}


def _of_noun(items: Iterable[Any], noun: str) -> list[Any]:
    return [one for one in items if one.response in RESPONSES[noun]]


def _each(items: list[Any], value: Callable[[Any], Any], words: str, none: str) -> Found:
    """A value and words for each item, or the reason why there are none."""
    return (map(value, items), "; ".join(words.format(one) for one in items)) if items else none


@query("worst relative error of {0} at the level held out", "relative error")
def held_out_errors(asked: Asked, response: str) -> Found:
    laws = where(asked.findings.regressions.laws, convolution=asked.convolution, response=response)
    laws = [law for law in laws if law.held_out is not None]
    if not laws:
        return "no law was tried on a held-out level: see not_fitted in regressions.json"
    policies = ", ".join(law.policy for law in laws)
    note = f"at average degree {laws[0].held_out.level:g}, held out; policies {policies}"
    return [law.held_out.worst_relative_error for law in laws], note, False


@query("the larger of the median errors at the densest level and the largest size, each held out", "relative error")
def unseen_errors(asked: Asked, response: str) -> Found:
    board = where(asked.findings.predictions.leaderboard, convolution=asked.convolution, response=response)
    chosen = [one for one in board if one.chosen and one.score is not None]
    if not chosen:
        return "no law was chosen by held-out levels: see not_fitted in predictions.json"
    words = ", ".join(f"{one.form} for {one.policy}" for one in chosen)
    return [one.score for one in chosen], f"chosen: {words}", False


@query("{1} error on real graphs within the laws' range", "relative error")
def scorecard(asked: Asked, noun: str, which: str) -> Found:
    return _each(
        _of_noun(asked.findings.predictions.summaries, noun),
        lambda one: getattr(one, f"{which}_error"),
        "{0.response}: {0.scored} predictions, worst at {0.worst_at}",
        "no law fitted on generated graphs of this run has a real graph within its range",
    )


@query(unit="share")
def coverage(asked: Asked, noun: str, field: str) -> Found:
    found = where(_of_noun(asked.findings.predictions.coverage, noun), method=_METHODS[noun])
    if not found:
        return "no interval could be tried on held-out cells: see not_fitted in predictions.json"
    timed = noun == "time" and field == "inside"
    values = [(getattr(one, field), one.held_out) for one in found]
    note = "; ".join(f"{one.response}: {one.held_out} held-out cells" for one in found)
    return [share_of(*one, asked.findings) if timed and one[1] else one[0] for one in values], note, timed


@query("predicted bytes or seconds / the limit, of each cell that hit one")
def foreseen(asked: Asked) -> Found:
    censored = asked.findings.predictions.censored
    known = [one.predicted / one.limit for one in censored if one.predicted is not None]
    if not known:
        return "no law could be asked about a cell that ran out of memory or time"
    return known, f"{len(known)} of {len(censored)} measurements that ran out of memory or time have a law"


@query("largest average degree that fits, {policy} / none, by the laws")
def capacity_gain(asked: Asked, times: float) -> Found:
    bounded = [one for one in asked.findings.predictions.capacities if one.average_degree is not None]
    nones = {(one.num_nodes, one.memory_bytes): one for one in asked.of(bounded, "none")}
    own = {(one.num_nodes, one.memory_bytes): one for one in asked.of(bounded)}
    pairs = [(one, nones[key]) for key, one in own.items() if key in nones]
    if not pairs:
        return "no law tells how dense a graph fits under both this policy and none"
    # If a complete graph has less than `times` the degree that none takes, such a gain cannot be shown.
    gains = [
        (one, one.average_degree.over(none.average_degree))
        for one, none in pairs
        if not none.unbounded and times * plain(none.average_degree.high) <= none.num_nodes - 1
    ]
    if not gains:
        sizes = " and ".join(f"{nodes:,}" for nodes in sorted({one.num_nodes for one, _ in pairs}))
        return f"a complete graph of {sizes} nodes is not {times:g} times as dense as what none takes"
    words = "{0.num_nodes:,} nodes in {1:g} GiB{2}"
    notes = [words.format(one, one.memory_bytes / 2**30, "" if one.in_range else ", extrapolated") for one, _ in gains]
    return [gain for _, gain in gains], ", ".join(notes)


@query("bytes per edge on the densest graphs, {0} / counted by hand, for each policy and kind of bytes")
def counted_bytes(asked: Asked, field: str) -> Found:
    found = where(asked.findings.predictions.analytic, convolution=asked.convolution)
    return _each(
        [one for one in found if one.counted],
        lambda one: getattr(one, field) / one.counted,
        "{0.policy}, {0.response}: {0.counted:g} bytes an edge",
        "nobody counted the tensors of this convolution",
    )


@query("largest difference of a loss from none's over all epochs, policy / reordered edges")
def loss_differences(asked: Asked) -> Found:
    jobs = where(asked.findings.accuracy, convolution=asked.convolution)
    differences = {job.graph: job.largest_loss_difference for job in where(jobs, policy=REORDERED)}
    controls = {graph: difference for graph, difference in differences.items() if difference > 0}
    compared = [job for job in jobs if job.policy not in ("none", REORDERED) and job.graph in controls]
    if not compared:
        return "no training jobs with a policy other than none and a control with reordered edges"
    return [job.largest_loss_difference / controls[job.graph] for job in compared], f"{len(compared)} training jobs"


@query("rows whose loss, gradients or buffers were not within tolerance of none's", "rows")
def changed_computations(asked: Asked) -> Found:
    found, effects = asked.findings.quality, asked.findings.effects
    count, compared = counted(found.not_the_same), found.outcomes.get("completed", 0)
    if not count and not effects.generated and not effects.real:
        return "no policy ran to its end beside none"
    return [count * 1.0], f"{count} of {compared} rows"


@query("graphs that turn a statement, for each statement", "graphs")
def changed_sides(asked: Asked) -> Found:
    tried = where(asked.findings.robustness.left_out, convolution=asked.convolution)
    if not tried:
        return "no graph could be left out of a statement: see not_tried in robustness.json"
    turned = [f"{', '.join(one.changes)} turns {one.statement} of {one.policy}" for one in tried if one.changes]
    note = f"{len(tried)} statements" + (": " + "; ".join(turned) if turned else "")
    timed = where(tried, statement="densest_time_ratio")
    may_turn = sum(chance_of_turning(one, asked.findings) for one in timed) > MOST_FLIPS
    return [_turned(one, may_turn=may_turn and one in timed, timed=one in timed) for one in tried], note


def _turned(one: Any, *, timed: bool, may_turn: bool) -> Estimate:
    """Number of graphs that reverse a statement; for a statement on time another run may find none, or one."""
    count = counted(one.changes) * 1.0
    return between(count, 0.0 if timed else count, max(count, 1.0) if may_turn else count)


@query("relative standard deviation of bytes between draws, at the worst place", "relative deviation")
def replicate_spread(asked: Asked) -> Found:
    return _each(
        _of_noun(asked.findings.robustness.replicates, "memory"),
        lambda one: one.worst,
        "{0.response}: {0.places} places, worst at {0.worst_at}",
        "no size and density was drawn more than once",
    )


@query("change of {0} against its law from the first measurement to the last, as a share", "share")
def run_drift(asked: Asked, response: str) -> Found:
    found = where(asked.findings.robustness.drift, convolution=asked.convolution, response=response)
    if not found:
        return "no law's residuals could be followed over the run: see not_tried in robustness.json"
    return [one.change for one in found], "policies " + ", ".join(one.policy for one in found)


@query("bytes per edge: change when the most influential graph is left out, as a share", "share")
def influence(asked: Asked, response: str) -> Found:
    found = where(asked.findings.robustness.influence, convolution=asked.convolution, response=response)
    if not found:
        return "no law could be fitted again without one graph: see not_tried in robustness.json"
    words = (f"{one.policy}: {one.graph or 'no graph moves it'}" for one in found)
    return [one.shift_per_edge for one in found], ", ".join(words)


@query("share of simulated intervals that hold the true ratio, for each noise", "share")
def stopping_coverage(asked: Asked) -> Found:
    played = asked.findings.robustness.stopping
    if not played:
        return "the rule that ends timing was not simulated: see not_tried in robustness.json"
    rules = ", ".join(f"{100 * one.noise:g} %{_SHAPES[one.distribution]}" for one in played)
    note = f"{played[0].plays:,} plays each at a noise of {rules}; interval of {_STANDARD_ERRORS:g} standard errors"
    return map(_covered, played), note


def _covered(one: Any) -> Estimate:
    share, reach = plain(one.covered), plain(_STANDARD_ERRORS * one.expected_error)
    return between(one.covered, max(0.0, share - reach), min(1.0, share + reach))
