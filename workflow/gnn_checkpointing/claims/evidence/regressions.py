"""Numbers from regressions.json: what an edge costs by the joint model, and by the law of one policy."""

from __future__ import annotations

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Interaction, Response
from gnn_checkpointing.claims.evidence.frontier import FRONTIER
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing, picked
from gnn_checkpointing.claims.evidence.predictions import PREDICTIONS
from gnn_checkpointing.sourced import plain

REGRESSIONS = "analysis/regressions.json"
_NO_INTERACTION = "the policy x edges interaction could not be tested: see not_fitted in regressions.json"


def interaction(findings: Findings, convolution: str, policy: str, response: Response) -> Interaction | None:
    """Return the tested interaction of one convolution, policy and response."""
    key = (convolution, policy, response)
    tested = findings.regressions.interactions
    return next((found for found in tested if (found.convolution, found.policy, found.response) == key), None)


def difference_per_edge(findings: Findings, convolution: str, policy: str, response: Response) -> Picked:
    """Return what a policy adds to none's value per edge."""
    found = interaction(findings, convolution, policy, response)
    if found is None:
        return nothing(_NO_INTERACTION)
    return Picked((found.difference_per_edge,), f"{_interaction_address(found)}.difference_per_edge", _clusters(found))


def slope_ratio(findings: Findings, convolution: str, policy: str, response: Response) -> Picked:
    """Return the policy's value per edge divided by none's; the interval takes none's slope as known.

    Where all graphs have one number of nodes there is no joint model; bytes are exact, so the slope through their
    levels stands in for it.
    """
    found = interaction(findings, convolution, policy, response)
    if found is None:
        return _through_levels(findings, convolution, policy) if response == "activation_bytes" else _untested()
    none, difference = found.none_per_edge.estimate, found.difference_per_edge
    ends = sorted((1 + difference.low / none, 1 + difference.high / none))
    # Rounding may put the ratio, computed another way, a digit outside of its own interval.
    middle = plain(found.slope_ratio)
    bounds = {"low": min(plain(ends[0]), middle), "high": max(plain(ends[1]), middle)}
    value = exactly(found.slope_ratio).model_copy(update=bounds)
    return picked([value], _clusters(found), timed=response == "step_time_seconds")


def per_edge(findings: Findings, convolution: str, policy: str, response: Response) -> Picked:
    """Return what one more edge costs under a policy by its law; where there is none, by the two densest levels."""
    key = (convolution, policy, response)
    law = next((law for law in findings.regressions.laws if (law.convolution, law.policy, law.response) == key), None)
    named = f"convolution={convolution},policy={policy},response={response}"
    if law is not None:
        return Picked((law.per_edge,), f"{REGRESSIONS}: laws[{named}].per_edge", f"{law.cells} cells")
    counts = findings.predictions.analytic
    count = next((one for one in counts if (one.convolution, one.policy, one.response) == key), None)
    if count is None:
        return nothing("no law was fitted: see not_fitted in regressions.json")
    note = f"between the two densest levels of graphs of {count.num_nodes:,} nodes"
    return Picked((exactly(count.measured),), f"{PREDICTIONS}: analytic[{named}].measured", note)


def held_out_errors(findings: Findings, convolution: str, response: Response) -> Picked:
    """Return each policy's worst relative error at the densest level, held out of its law."""
    laws = [
        (law, law.held_out)
        for law in findings.regressions.laws
        if (law.convolution, law.response) == (convolution, response) and law.held_out is not None
    ]
    if not laws:
        return nothing("no law was tried on a held-out level: see not_fitted in regressions.json")
    key = "{}: laws[convolution={},policy={},response={}].held_out.worst_relative_error"
    return Picked(
        tuple(exactly(held_out.worst_relative_error) for _, held_out in laws),
        "; ".join(key.format(REGRESSIONS, convolution, law.policy, response) for law, _ in laws),
        f"at average degree {laws[0][1].level:g}, held out; policies " + ", ".join(law.policy for law, _ in laws),
    )


def _through_levels(findings: Findings, convolution: str, policy: str) -> Picked:
    """Return the ratio of the slopes through the levels of graphs of one number of nodes."""
    flat = next((f for f in findings.frontier.flatness if (f.convolution, f.policy) == (convolution, policy)), None)
    if flat is None or flat.slope_ratio is None:
        return _untested()
    place = f"{FRONTIER}: flatness[convolution={convolution},policy={policy}].slope_ratio"
    note = f"least squares over average degrees {', '.join(flat.levels)} at one number of nodes"
    return Picked((exactly(flat.slope_ratio),), place, note)


def _untested() -> Picked:
    return nothing(_NO_INTERACTION)


def _interaction_address(found: Interaction) -> str:
    key = f"convolution={found.convolution},policy={found.policy},response={found.response}"
    return f"{REGRESSIONS}: interactions[{key}]"


def _clusters(found: Interaction) -> str:
    return f"{found.clusters} generated graphs"
