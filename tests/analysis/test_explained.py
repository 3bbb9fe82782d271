"""A trained model on images: means keep their intervals, accuracies get Wilson's, one image has none."""

from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.explained import explanations
from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.records.explained import ExplainedSets, Mean
from synthetic.explained import block, explained


def test_nothing_explained_is_nothing_found() -> None:
    assert explanations(None, 0.95).sets == {}


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


def test_without_an_interval_there_is_no_estimate() -> None:
    alone = Mean(mean=0.5, low=None, high=None)
    one = explained(1, blocks=[block(1, 1.0, visual_similarity=alone, modularity=None)], late_rise=alone)
    found = explanations(ExplainedSets(validation=one, adversarial=one), 0.95).sets["adversarial"]
    assert found.blocks[0].visual_similarity is None and found.blocks[0].modularity is None
    assert found.late_rise is None
    assert found.blocks[0].top1_accuracy.low < 1
