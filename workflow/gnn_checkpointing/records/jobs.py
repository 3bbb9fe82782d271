"""Records of a study's jobs besides its cells: training jobs, a demonstrated step, an explained trained model."""

from functools import partial
from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from gnn_checkpointing.records.record import Record, Share, checked

REORDERED = "none (edges reordered)"
"""A training job without checkpointing that reads the same edges in another order: the control that shows how much
rounding alone changes a loss curve."""


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
"""Read the records in `trainings.json`."""


class StepDemonstration(Record):
    """Bytes of one training step according to correct instruments and to one that is wrong.

    `exact_bytes` (allocator events) and `high_water_bytes` (high-water mark reset before the step) are of the step
    alone. `process_high_water_bytes` is the mark of the measured process over its whole life, including interpreter
    and libraries; `child_maxrss_bytes` is the `ru_maxrss` that the operating system reports of it to its parent, which
    had itself briefly held `held_bytes` before.
    """

    workload: str
    held_bytes: NonNegativeInt
    step_seconds: NonNegativeFloat
    exact_bytes: NonNegativeInt
    high_water_bytes: NonNegativeInt
    process_high_water_bytes: NonNegativeInt
    child_maxrss_bytes: NonNegativeInt


class Demonstration(StepDemonstration):
    """A demonstrated step with the results of Snakemake's `benchmark:`; its bytes are None if no poll saw the job.

    Both fields are None if the job was not run by Snakemake.
    """

    benchmark_max_rss_bytes: NonNegativeInt | None
    benchmark_seconds: NonNegativeFloat | None


read_step_demonstration = partial(checked, kind=StepDemonstration)
"""Read the record that `demonstrate` wrote."""

read_demonstration = partial(checked, kind=Demonstration)
"""Read the record in `demonstration.json`."""


class Mean(Record):
    """A mean over images with its 95 % interval: Wilson's for shares, otherwise Student's t, which needs two images."""

    estimate: float
    low: float | None
    high: float | None


class Block(Record):
    """One block, counted from 1: neighbours, dilation, the five measures, and top-1 of the head applied after it."""

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
    """A model's explanation on a set of images; `weights_sha256` is of the weights' file, `label` the set's title.

    `late_rise`: the rise of embedding similarity over the last two blocks, minus its largest rise over any two blocks
    before them.
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
    """A trained model on named sets of images: `validation`, and `adversarial` if adversarial images were given."""

    sets: dict[str, Explained] = Field({})


read_explained = partial(checked, kind=Explanations, remedy="make it again with `explanations`")
"""Read the content of a study's `explained.json`."""
