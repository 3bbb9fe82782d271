"""What training jobs reached, and what was measured of a trained Vision GNN on images."""

from collections.abc import Sequence
from typing import Any

from statsmodels.stats.proportion import proportion_confint

from gnn_checkpointing.analysis.results import Accuracy, Estimate, ExplainedBlock, ExplainedSet, Explanations
from gnn_checkpointing.analysis.table import policy_order
from gnn_checkpointing.records.explained import Block, Explained, ExplainedSets, Mean
from gnn_checkpointing.records.record import Record
from gnn_checkpointing.records.training import TrainingRecord
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.vision_shapes import NAMES


def explanations(found: ExplainedSets | None, confidence: float) -> Explanations:
    """Each set's blocks; means have the interval of their images, accuracies Wilson's."""
    given = {} if found is None else {"validation": found.validation, "adversarial": found.adversarial}
    return Explanations(sets={name: _set(one, confidence) for name, one in given.items() if one is not None})


def _set(found: Explained, confidence: float) -> ExplainedSet:
    blocks = [_block(block, found.images, confidence) for block in found.blocks]
    return ExplainedSet(**_shared(found, ExplainedSet), convolution=NAMES[found.size], blocks=blocks)


def _block(block: Block, images: int, confidence: float) -> ExplainedBlock:
    right = round(block.top1_accuracy * images)
    low, high = proportion_confint(right, images, alpha=1 - confidence, method="wilson")
    accuracy = Estimate(estimate=right / images, low=float(low), high=float(high))
    return ExplainedBlock(**_shared(block, ExplainedBlock), top1_accuracy=accuracy)


def _shared(record: Record, kind: type[ExplainedSet] | type[ExplainedBlock]) -> dict[str, Any]:
    """The fields that a result takes over as they were recorded; a mean of one image has no interval, and is None."""
    names = kind.model_fields.keys() - {"blocks", "convolution", "top1_accuracy"}
    own = {name: getattr(record, name) for name in names}
    return {name: _estimate(value) if isinstance(value, Mean) else value for name, value in own.items()}


def _estimate(mean: Mean) -> Estimate | None:
    if mean.low is None or mean.high is None:
        return None
    return Estimate(estimate=mean.mean, low=mean.low, high=mean.high)


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
