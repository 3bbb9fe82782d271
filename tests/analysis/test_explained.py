"""A trained model on images, with intervals of its means and accuracies; training jobs beside none."""

import pytest

from gnn_checkpointing.analysis.explained import accuracies, explanations
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.records.explained import ExplainedSets, Mean
from gnn_checkpointing.records.training import REORDERED, TrainingRecord
from gnn_checkpointing.refusal import Refusal
from synthetic.explained import block, explained
from synthetic.tables import trainings

NONE, LAYERS, _ = trainings(convolutions=("GCN",), policies=("none", "layers"), drift=0.0)


def test_sets_come_by_name_and_wilsons_interval_by_hand() -> None:
    """5 of 10 right: Wilson's centre is 1/2, its half-width z sqrt(1/4/10 + z^2/400) / (1 + z^2/10), z = 1.96."""
    found = explanations(ExplainedSets(validation=explained(), adversarial=None), 0.95).sets
    assert list(found) == ["validation"]
    accuracy = found["validation"].blocks[0].top1_accuracy
    z = 1.959964
    half = z * (0.025 + z**2 / 400) ** 0.5 / (1 + z**2 / 10)
    assert (accuracy.low, accuracy.high) == (pytest.approx(0.5 - half), pytest.approx(0.5 + half))
    assert found["validation"].convolution == "ViG-S"
    assert found["validation"].late_rise == Estimate(estimate=0.1, low=0.05, high=0.15)
    assert explanations(None, 0.95).sets == {}


def test_without_an_interval_there_is_no_estimate() -> None:
    alone = Mean(mean=0.5, low=None, high=None)
    one = explained(1, blocks=[block(1, 1.0, visual_similarity=alone, modularity=None)], late_rise=alone)
    found = explanations(ExplainedSets(validation=one, adversarial=one), 0.95).sets["adversarial"]
    assert found.blocks[0].visual_similarity is None and found.blocks[0].modularity is None
    assert found.late_rise is None
    assert found.blocks[0].top1_accuracy.low < 1


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
