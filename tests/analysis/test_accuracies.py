"""Training jobs beside none."""

import pytest

from gnn_checkpointing.analysis.analyse import accuracies
from gnn_checkpointing.records.jobs import REORDERED, TrainingRecord
from gnn_checkpointing.refusal import Refusal
from synthetic.tables import trainings

NONE, LAYERS, _ = trainings(convolutions=("GCN",), policies=("none", "layers"), drift=0.0)


def test_the_largest_difference_of_a_curve_is_a_share_of_the_first_loss_early_or_late() -> None:
    """The first loss is 2; a last loss of 0.5 grown by a quarter differs by 0.125, by a half by 0.25."""
    result = accuracies(trainings(convolutions=("GCN",), drift=0.25, control=0.5))
    assert [(job.policy, job.largest_loss_difference) for job in result] == [
        ("none", 0.0),
        ("layers", 0.0625),
        ("edge_blocks", 0.0625),
        (REORDERED, 0.125),
    ]
    assert (result[1].final_loss, result[1].test_accuracy, result[1].epochs) == (0.625, 0.8, 3)
    early = LAYERS.model_copy(update={"losses": [2.5, *LAYERS.losses[1:]]})
    assert accuracies([NONE, early])[1].largest_loss_difference == 0.25
    assert accuracies([]) == []


@pytest.mark.parametrize(
    ("jobs", "reason"),
    [
        ([LAYERS], "training of GCN with layers on sbm-n500-d4-r0: policy none was not trained"),
        ([NONE, NONE], r"training of GCN with none on .*: trained twice"),
        ([NONE, LAYERS.model_copy(update={"losses": [1.0, 2.0]})], ".*: 2 epochs, but 3 for none"),
        ([NONE.model_copy(update={"losses": []})], ".*: no losses in the record"),
    ],
)
def test_jobs_that_cannot_be_compared_are_refused(jobs: list[TrainingRecord], reason: str) -> None:
    with pytest.raises(Refusal, match=f"^{reason}"):
        accuracies(jobs)
