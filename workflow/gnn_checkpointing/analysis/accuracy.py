"""What each training job reached, and how far its loss curve strayed from that of policy none."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import Accuracy
from gnn_checkpointing.analysis.table import policy_order
from gnn_checkpointing.records.training import TrainingRecord
from gnn_checkpointing.refusal import Refusal


def accuracies(trainings: Sequence[TrainingRecord]) -> list[Accuracy]:
    """Return one value per training job, or refuse jobs that cannot be compared."""
    jobs: dict[tuple[str, str, str], TrainingRecord] = {}
    for job in trainings:
        key = (job.graph, job.convolution, job.policy)
        if key in jobs:
            raise Refusal(f"{_name(job)}: trained twice; delete one of the records")
        if not job.losses:
            raise Refusal(f"{_name(job)}: no losses in the record; train again")
        jobs[key] = job
    found: list[Accuracy] = []
    for job in sorted(jobs.values(), key=lambda job: (job.graph, job.convolution, policy_order(job.policy))):
        none = jobs.get((job.graph, job.convolution, "none"))
        if none is None:
            raise Refusal(f"{_name(job)}: policy none was not trained there, so there is no curve to compare with")
        if len(job.losses) != len(none.losses):
            raise Refusal(f"{_name(job)}: {len(job.losses)} epochs, but {len(none.losses)} for none; train again")
        found.append(_accuracy(job, none))
    return found


def _accuracy(job: TrainingRecord, none: TrainingRecord) -> Accuracy:
    # Relative to the loss at the start: late losses come close to zero, where a ratio to them says nothing.
    start = abs(none.losses[0]) or 1.0
    differences = (abs(loss - reference) / start for loss, reference in zip(job.losses, none.losses, strict=True))
    return Accuracy(
        graph=job.graph,
        convolution=job.convolution,
        policy=job.policy,
        epochs=job.epochs,
        final_loss=job.losses[-1],
        train_accuracy=job.train_accuracy,
        test_accuracy=job.test_accuracy,
        largest_loss_difference=max(differences),
    )


def _name(job: TrainingRecord) -> str:
    return f"training of {job.convolution} with {job.policy} on {job.graph}"
