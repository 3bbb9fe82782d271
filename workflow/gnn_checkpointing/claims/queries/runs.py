"""What was tried against the answer, and whether a policy computes, and trains, what none does."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import Estimate, LeftOut, Response, StoppingRule
from gnn_checkpointing.claims.queries.laws import RESPONSES
from gnn_checkpointing.claims.queries.query import Asked, Picked, between, exactly, nothing, picked, query
from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.sourced import counted, plain

_STANDARD_ERRORS = 2.0
"""A simulated coverage is known to about so many of its Monte-Carlo standard errors."""
_SHAPES = {"lognormal": "", "heavy_tailed": " with a heavy tail"}


@query("largest difference of a loss from none's over all epochs, policy / reordered edges")
def loss_differences(asked: Asked) -> Picked:
    """How far each policy's loss curve strays from none's, as a multiple of what another order of edges does."""
    jobs = [job for job in asked.findings.accuracy if job.convolution == asked.convolution]
    controls = {job.graph: job for job in jobs if job.policy == REORDERED and job.largest_loss_difference > 0}
    compared = [job for job in jobs if job.policy not in ("none", REORDERED) and job.graph in controls]
    if not compared:
        return nothing("no training jobs with a policy other than none and a control with reordered edges")
    return picked(
        [exactly(job.largest_loss_difference / controls[job.graph].largest_loss_difference) for job in compared],
        f"{len(compared)} training jobs",
    )


@query("rows whose loss, gradients or buffers were not within tolerance of none's", "rows")
def changed_computations(asked: Asked) -> Picked:
    """How many rows were not shown to compute what none computes."""
    found, effects = asked.findings.quality, asked.findings.effects
    count, compared = counted(found.not_the_same), found.outcomes.get("completed", 0)
    if not count and not effects.generated and not effects.real:
        return nothing("no policy ran to its end beside none")
    return picked([exactly(count * 1.0)], f"{count} of {compared} rows")


@query("graphs that turn a statement, for each statement", "graphs")
def changed_sides(asked: Asked) -> Picked:
    """For each statement, how many graphs turn its side when one of them is left out."""
    tried = [one for one in asked.findings.robustness.left_out if one.convolution == asked.convolution]
    if not tried:
        return nothing("no graph could be left out of a statement: see not_tried in robustness.json")
    turned = [f"{', '.join(one.changes)} turns {one.statement} of {one.policy}" for one in tried if one.changes]
    note = f"{len(tried)} statements" + (": " + "; ".join(turned) if turned else "")
    return picked([_turned(one) for one in tried], note)


@query("relative standard deviation of bytes between draws, at the worst place", "relative deviation")
def replicate_spread(asked: Asked) -> Picked:
    """The largest relative spread of bytes between independent draws of one size and density."""
    found = [one for one in asked.findings.robustness.replicates if one.response in RESPONSES["memory"]]
    if not found:
        return nothing("no size and density was drawn more than once")
    words = (f"{one.response}: {one.places} places, worst at {one.worst_at}" for one in found)
    return picked([exactly(one.worst) for one in found], "; ".join(words))


@query("change of {0} against its law from the first measurement to the last, as a share", "share")
def run_drift(asked: Asked, response: Response) -> Picked:
    """By which share a response's residuals change over the whole run, under each policy."""
    key = (asked.convolution, response)
    found = [one for one in asked.findings.robustness.drift if (one.convolution, one.response) == key]
    if not found:
        return nothing("no law's residuals could be followed over the run: see not_tried in robustness.json")
    return picked([one.change for one in found], "policies " + ", ".join(one.policy for one in found), timed=True)


@query("bytes per edge: change when the most influential graph is left out, as a share", "share")
def influence(asked: Asked, response: Response) -> Picked:
    """For each policy, the share by which the most influential graph moves a law's slope on the edges."""
    key = (asked.convolution, response)
    found = [one for one in asked.findings.robustness.influence if (one.convolution, one.response) == key]
    if not found:
        return nothing("no law could be fitted again without one graph: see not_tried in robustness.json")
    words = (f"{one.policy}: {one.graph or 'no graph moves it'}" for one in found)
    return picked([exactly(one.shift_per_edge) for one in found], ", ".join(words))


@query("share of simulated intervals that hold the true ratio, for each noise", "share")
def stopping_coverage(asked: Asked) -> Picked:
    """How often the intervals of the rule that ends timing hold the true ratio, at each level of noise."""
    played = asked.findings.robustness.stopping
    if not played:
        return nothing("the rule that ends timing was not simulated: see not_tried in robustness.json")
    rules = ", ".join(f"{100 * one.noise:g} %{_SHAPES[one.distribution]}" for one in played)
    note = f"{played[0].plays:,} plays each at a noise of {rules}; interval of {_STANDARD_ERRORS:g} standard errors"
    return picked([_covered(one) for one in played], note)


def _turned(one: LeftOut) -> Estimate:
    """How many graphs turn a statement; of one on time another run may find that none does."""
    count = counted(one.changes) * 1.0
    return between(count, 0.0 if one.statement == "densest_time_ratio" else count, count)


def _covered(one: StoppingRule) -> Estimate:
    share, reach = plain(one.covered), plain(_STANDARD_ERRORS * one.expected_error)
    return between(one.covered, max(0.0, share - reach), min(1.0, share + reach))
