"""Training jobs are compared epoch by epoch with none on the same graph and convolution."""

from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.explained import accuracies
from gnn_checkpointing.records.training import REORDERED
from gnn_checkpointing.refusal import Refusal
from synthetic.tables import trainings


def test_the_largest_difference_of_a_curve_is_a_share_of_the_first_loss() -> None:
    """The first loss is 2; a last loss of 0.5 grown by a quarter differs by 0.125, by a half by 0.25."""
    result = accuracies(trainings(convolutions=("GCN",), drift=0.25, control=0.5))
    assert [(job.policy, job.largest_loss_difference) for job in result] == [
        ("none", 0.0),
        ("layers", 0.0625),
        ("edge_blocks", 0.0625),
        (REORDERED, 0.125),
    ]
    assert (result[1].final_loss, result[1].test_accuracy, result[1].epochs) == (0.625, 0.8, 3)


def test_an_early_difference_counts_as_much_as_a_late_one() -> None:
    none, layers, _ = trainings(convolutions=("GCN",), policies=("none", "layers"), drift=0.0)
    layers = layers.model_copy(update={"losses": [2.5, *layers.losses[1:]]})
    assert accuracies([none, layers])[1].largest_loss_difference == 0.25


def test_no_training_is_no_accuracy() -> None:
    assert accuracies([]) == []


def test_a_training_without_its_reference_is_refused() -> None:
    with pytest.raises(Refusal, match=r"^training of GCN with layers on sbm-n500-d4-r0: policy none was not trained"):
        accuracies(trainings(convolutions=("GCN",), policies=("layers",)))


def test_a_training_twice_is_refused() -> None:
    with pytest.raises(Refusal, match=r"^training of GCN with none on .*: trained twice"):
        accuracies(2 * trainings(convolutions=("GCN",), policies=("none",)))


def test_curves_of_different_length_are_refused() -> None:
    none, layers, _ = trainings(convolutions=("GCN",), policies=("none", "layers"))
    with pytest.raises(Refusal, match="2 epochs, but 3 for none"):
        accuracies([none, layers.model_copy(update={"losses": [1.0, 2.0]})])


def test_a_curve_without_losses_is_refused() -> None:
    none, _ = trainings(convolutions=("GCN",), policies=("none",))
    with pytest.raises(Refusal, match="no losses in the record"):
        accuracies([none.model_copy(update={"losses": []})])
