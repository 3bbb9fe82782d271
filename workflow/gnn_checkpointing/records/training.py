"""The record of a training job: `trainings.json`."""

from pathlib import Path
from typing import Literal

from pydantic import NonNegativeFloat, NonNegativeInt

from gnn_checkpointing.records.record import Record, Share, checked

REORDERED = "none (edges reordered)"
"""A training job without checkpointing that reads the same edges in another order: the control that shows how far
rounding alone moves a loss curve."""


class TrainingRecord(Record):
    """One training job: the loss curve and the accuracy it reached."""

    schema_version: Literal[1, 2]  # nothing has changed since the first
    study: str
    graph: str
    graph_label: str
    convolution: str
    policy: str
    seed: int
    epochs: NonNegativeInt
    losses: list[float]
    train_accuracy: Share
    test_accuracy: Share
    seconds: NonNegativeFloat
    resumed_from_epoch: NonNegativeInt


def read_trainings(path: Path) -> list[TrainingRecord]:
    """The records in `trainings.json`."""
    return checked(path, list[TrainingRecord], "make it again with `collect`")
