"""Numbers from robustness.json: what was tried against the answer."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Estimate, LeftOut, Response, StoppingRule
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing, picked
from gnn_checkpointing.sourced import counted, plain

_STANDARD_ERRORS = 2.0
"""A simulated coverage is known to about so many of its Monte-Carlo standard errors."""
_SHAPES = {"lognormal": "", "heavy_tailed": " with a heavy tail"}


def changed_sides(findings: Findings, convolution: str) -> Picked:
    """Return, for each statement, how many graphs turn its side when one of them is left out."""
    tried = [one for one in findings.robustness.left_out if one.convolution == convolution]
    if not tried:
        return nothing("no graph could be left out of a statement: see not_tried in robustness.json")
    turned = [f"{', '.join(one.changes)} turns {one.statement} of {one.policy}" for one in tried if one.changes]
    note = f"{len(tried)} statements" + (": " + "; ".join(turned) if turned else "")
    return picked([_turned(one) for one in tried], note)


def _turned(one: LeftOut) -> Estimate:
    """How many graphs turn a statement; of one on time another run may find that none does."""
    found = exactly(counted(one.changes) * 1.0)
    return found.model_copy(update={"low": 0.0}) if one.statement == "densest_time_ratio" else found


def replicate_spread(findings: Findings, responses: Sequence[Response]) -> Picked:
    """Return the largest relative spread between independent draws of one size and density."""
    found = [one for one in findings.robustness.replicates if one.response in responses]
    if not found:
        return nothing("no size and density was drawn more than once")
    return picked(
        [exactly(one.worst) for one in found],
        "; ".join(f"{one.response}: {one.places} places, worst at {one.worst_at}" for one in found),
    )


def run_drift(findings: Findings, convolution: str, response: Response) -> Picked:
    """Return by which share a response's residuals change over the whole run, under each policy."""
    found = [one for one in findings.robustness.drift if (one.convolution, one.response) == (convolution, response)]
    if not found:
        return nothing("no law's residuals could be followed over the run: see not_tried in robustness.json")
    return picked([one.change for one in found], "policies " + ", ".join(one.policy for one in found), timed=True)


def influence(findings: Findings, convolution: str, response: Response) -> Picked:
    """Return, for each policy, the share by which the most influential graph moves a law's slope on the edges."""
    found = [one for one in findings.robustness.influence if (one.convolution, one.response) == (convolution, response)]
    if not found:
        return nothing("no law could be fitted again without one graph: see not_tried in robustness.json")
    return picked(
        [exactly(one.shift_per_edge) for one in found],
        ", ".join(f"{one.policy}: {one.graph or 'no graph moves it'}" for one in found),
    )


def stopping_coverage(findings: Findings) -> Picked:
    """Return how often the intervals of the rule that ends timing hold the true ratio, at each level of noise."""
    played = findings.robustness.stopping
    if not played:
        return nothing("the rule that ends timing was not simulated: see not_tried in robustness.json")
    rules = ", ".join(f"{100 * one.noise:g} %{_SHAPES[one.distribution]}" for one in played)
    note = f"{played[0].plays:,} plays each at a noise of {rules}; interval of {_STANDARD_ERRORS:g} standard errors"
    return picked([_coverage(one) for one in played], note)


def _coverage(one: StoppingRule) -> Estimate:
    reach = _STANDARD_ERRORS * one.expected_error
    return exactly(one.covered).model_copy(
        update={"low": max(0.0, plain(one.covered - reach)), "high": min(1.0, plain(one.covered + reach))}
    )
