"""The record of a training job: `trainings.json`."""

from pathlib import Path

from pydantic import NonNegativeFloat, NonNegativeInt

from gnn_checkpointing.records.record import SCHEMA_VERSION, Record, Share, checked, refuse_other_schema

REORDERED = "none (edges reordered)"
"""A training job without checkpointing that reads the same edges in another order: the control that shows how far
rounding alone moves a loss curve."""


class TrainingRecord(Record):
    """One training job: the loss curve and the accuracy it reached."""

    schema_version: int
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
    found = checked(path, list[TrainingRecord], "make it again with `collect`")
    for number, record in enumerate(found, start=1):
        # The record of a training job has not changed since the first schema version.
        if not 1 <= record.schema_version <= SCHEMA_VERSION:
            refuse_other_schema(f"{path}, record {number}", record.schema_version)
    return found
