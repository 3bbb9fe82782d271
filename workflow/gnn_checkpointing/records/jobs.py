"""The records of what a study does besides its cells: training jobs, a step demonstrated, a trained model explained."""

from functools import partial
from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt

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


read_trainings = partial(checked, kind=list[TrainingRecord], remedy="make it again with `collect`")
"""The records in `trainings.json`."""


class StepDemonstration(Record):
    """One training step seen by instruments that are right and by one that is not, in bytes.

    `exact_bytes` (allocator events) and `high_water_bytes` (high-water mark reset around the step) are the step's own;
    `process_high_water_bytes` is the measured process's over its whole life, interpreter and libraries included, and
    `child_maxrss_bytes` what the operating system told its parent about it (`ru_maxrss`), after that parent had for a
    moment held `held_bytes` itself.
    """

    workload: str
    held_bytes: NonNegativeInt
    step_seconds: NonNegativeFloat
    exact_bytes: NonNegativeInt
    high_water_bytes: NonNegativeInt
    process_high_water_bytes: NonNegativeInt
    child_maxrss_bytes: NonNegativeInt


class Demonstration(StepDemonstration):
    """The same with what Snakemake's `benchmark:` said of the job; None where no poll of it saw the job.

    Both are None where the job was not one of Snakemake's.
    """

    benchmark_max_rss_bytes: NonNegativeInt | None
    benchmark_seconds: NonNegativeFloat | None


read_step_demonstration = partial(checked, kind=StepDemonstration)
"""The record that `demonstrate` wrote."""

read_demonstration = partial(checked, kind=Demonstration)
"""The record in `demonstration.json`."""


class Mean(Record):
    """A mean over images with its 95 % interval: Wilson's of shares, else Student's t, which takes two images."""

    estimate: float
    low: float | None
    high: float | None


class Block(Record):
    """One block, counted from 1: neighbours, dilation, the five measures, and top-1 through the head there."""

    number: NonNegativeInt
    neighbours: NonNegativeInt
    dilation: NonNegativeInt
    spatial_distance: Mean
    visual_similarity: Mean
    embedding_similarity: Mean
    class_probability: Mean
    modularity: Mean | None
    top1_accuracy: Mean


class Explained(Record):
    """A model on a set of images; `weights_sha256` is that of the file, `label` the name of the set for reading.

    `late_rise`: by how much more embedding similarity rises over the last two blocks than over those two before them
    where it rises most.
    """

    label: str
    images: NonNegativeInt
    convolution: str
    parameters: NonNegativeInt
    channels: NonNegativeInt
    weights_sha256: str
    blocks: list[Block]
    late_rise: Mean


class Explanations(Record):
    """A trained model on sets of images by name: `validation`, and `adversarial` where deceiving ones were given."""

    sets: dict[str, Explained] = Field({})


read_explained = partial(checked, kind=Explanations, remedy="make it again with `explanations`")
"""The content of a study's `explained.json`."""
