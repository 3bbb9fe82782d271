"""Numbers from robustness.json: what was tried against the answer."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Estimate, Response, StoppingRule
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing

ROBUSTNESS = "analysis/robustness.json"
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
    place = f"{ROBUSTNESS}: left_out[convolution={convolution}].changes"
    return Picked(tuple(exactly(float(len(one.changes))) for one in tried), place, note)


def replicate_spread(findings: Findings, responses: Sequence[Response]) -> Picked:
    """Return the largest relative spread between independent draws of one size and density."""
    found = [one for one in findings.robustness.replicates if one.response in responses]
    if not found:
        return nothing("no size and density was drawn more than once")
    return Picked(
        tuple(exactly(one.worst) for one in found),
        "; ".join(f"{ROBUSTNESS}: replicates[response={one.response}].worst" for one in found),
        "; ".join(f"{one.response}: {one.places} places, worst at {one.worst_at}" for one in found),
    )


def run_drift(findings: Findings, convolution: str, response: Response) -> Picked:
    """Return by which share a response's residuals change over the whole run, under each policy."""
    found = [one for one in findings.robustness.drift if (one.convolution, one.response) == (convolution, response)]
    if not found:
        return nothing("no law's residuals could be followed over the run: see not_tried in robustness.json")
    return Picked(
        tuple(one.change for one in found),
        f"{ROBUSTNESS}: drift[convolution={convolution},response={response}].change",
        "policies " + ", ".join(one.policy for one in found),
    )


def influence(findings: Findings, convolution: str, response: Response) -> Picked:
    """Return, for each policy, the share by which the most influential graph moves a law's slope on the edges."""
    found = [one for one in findings.robustness.influence if (one.convolution, one.response) == (convolution, response)]
    if not found:
        return nothing("no law could be fitted again without one graph: see not_tried in robustness.json")
    return Picked(
        tuple(exactly(one.shift_per_edge) for one in found),
        f"{ROBUSTNESS}: influence[convolution={convolution},response={response}].shift_per_edge",
        ", ".join(f"{one.policy}: {one.graph or 'no graph moves it'}" for one in found),
    )


def stopping_coverage(findings: Findings) -> Picked:
    """Return how often the intervals of the rule that ends timing hold the true ratio, at each level of noise."""
    played = findings.robustness.stopping
    if not played:
        return nothing("the rule that ends timing was not simulated: see not_tried in robustness.json")
    rules = ", ".join(f"{100 * one.noise:g} %{_SHAPES[one.distribution]}" for one in played)
    note = f"{played[0].plays:,} plays each at a noise of {rules}; interval of {_STANDARD_ERRORS:g} standard errors"
    return Picked(tuple(_coverage(one) for one in played), f"{ROBUSTNESS}: stopping[].covered", note)


def _coverage(one: StoppingRule) -> Estimate:
    reach = _STANDARD_ERRORS * one.expected_error
    return Estimate(estimate=one.covered, low=max(0.0, one.covered - reach), high=min(1.0, one.covered + reach))
