"""What is written down of a training job: `trainings.json`."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from gnn_checkpointing.artefacts import read_json
from gnn_checkpointing.records.record import SCHEMA_VERSION, Record, complaint, refuse_other_schema
from gnn_checkpointing.refusal import Refusal

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
    epochs: int
    losses: list[float]
    train_accuracy: float
    test_accuracy: float
    seconds: float
    resumed_from_epoch: int


def read_trainings(path: Path) -> list[TrainingRecord]:
    """Read `trainings.json`, or refuse naming the file and the field."""
    try:
        found = TypeAdapter(list[TrainingRecord]).validate_python(read_json(path))
    except ValidationError as error:
        raise Refusal(f"{path}: {complaint(error)}; make it again with `collect`") from None
    for number, record in enumerate(found, start=1):
        # A training job is written down as in the first version.
        if not 1 <= record.schema_version <= SCHEMA_VERSION:
            refuse_other_schema(f"{path}, record {number}", record.schema_version)
    return found
