"""Numbers from accuracy.json and quality.json: does a policy compute, and train, what none does?"""

from __future__ import annotations

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.claims.evidence.picked import Picked, exactly, nothing, picked
from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.sourced import counted


def loss_differences(findings: Findings, convolution: str) -> Picked:
    """Return how far each policy's loss curve strays from none's, as a multiple of what another order of edges does."""
    jobs = [job for job in findings.accuracy if job.convolution == convolution]
    controls = {job.graph: job for job in jobs if job.policy == REORDERED and job.largest_loss_difference > 0}
    compared = [job for job in jobs if job.policy not in ("none", REORDERED) and job.graph in controls]
    if not compared:
        return nothing("no training jobs with a policy other than none and a control with reordered edges")
    return picked(
        [exactly(job.largest_loss_difference / controls[job.graph].largest_loss_difference) for job in compared],
        f"{len(compared)} training jobs",
    )


def changed_computations(findings: Findings) -> Picked:
    """Return how many rows were not shown to compute what none computes."""
    count, compared = counted(findings.quality.not_the_same), findings.quality.outcomes.get("completed", 0)
    if not count and not findings.effects.generated and not findings.effects.real:
        return nothing("no policy ran to its end beside none")
    return picked([exactly(count * 1.0)], f"{count} of {compared} rows")
