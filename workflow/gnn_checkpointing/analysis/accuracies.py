"""What training jobs reached, each beside the same job without checkpointing."""

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import Accuracy
from gnn_checkpointing.analysis.table import policy_order
from gnn_checkpointing.records.jobs import TrainingRecord
from gnn_checkpointing.refusal import Refusal


def accuracies(trainings: Sequence[TrainingRecord]) -> list[Accuracy]:
    """One value per training job, or refuse jobs that cannot be compared."""
    jobs: dict[tuple[str, str, str], TrainingRecord] = {}
    for job in trainings:
        key = (job.graph, job.convolution, job.policy)
        if key in jobs:
            raise _unusable(job, "trained twice; delete one of the records")
        if not job.losses:
            raise _unusable(job, "no losses in the record; train again")
        jobs[key] = job
    found: list[Accuracy] = []
    for job in sorted(jobs.values(), key=lambda job: (job.graph, job.convolution, policy_order(job.policy))):
        none = jobs.get((job.graph, job.convolution, "none"))
        if none is None:
            raise _unusable(job, "policy none was not trained there, so there is no curve to compare with")
        if len(job.losses) != len(none.losses):
            raise _unusable(job, f"{len(job.losses)} epochs, but {len(none.losses)} for none; train again")
        # Relative to the loss at the start: late losses come close to zero, where a ratio to them says nothing.
        start = abs(none.losses[0]) or 1.0
        differences = [abs(loss - beside) / start for loss, beside in zip(job.losses, none.losses, strict=True)]
        names = ("graph", "convolution", "policy", "epochs", "train_accuracy", "test_accuracy")
        same = {name: getattr(job, name) for name in names}
        found.append(Accuracy(**same, final_loss=job.losses[-1], largest_loss_difference=max(differences)))
    return found


def _unusable(job: TrainingRecord, reason: str) -> Refusal:
    return Refusal(f"training of {job.convolution} with {job.policy} on {job.graph}: {reason}")
