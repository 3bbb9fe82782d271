"""The record of a Vision GNN on a set of images, block by block: `explained.json`."""

from functools import partial

from pydantic import Field, NonNegativeInt

from gnn_checkpointing.records.record import Record, Share, checked
from gnn_checkpointing.study.vision_shapes import Size


class Mean(Record):
    """A mean over images with its 95 % interval by Student's t, which needs two images at least."""

    mean: float
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
    top1_accuracy: Share


class Explained(Record):
    """A model on a set of images; `weights_sha256` is that of the file, `label` the name of the set for reading.

    `late_rise`: by how much more embedding similarity rises over the last two blocks than over those two before them
    where it rises most.
    """

    label: str
    images: NonNegativeInt
    size: Size
    parameters: NonNegativeInt
    channels: NonNegativeInt
    weights_sha256: str
    blocks: list[Block]
    late_rise: Mean


class ExplainedSets(Record):
    """The content of a study's `explained.json`: one trained model on images of its kind, and on deceiving ones."""

    validation: Explained
    adversarial: Explained | None = Field(None, description="None where the study names no such images")


read_explained = partial(checked, kind=ExplainedSets, remedy="make it again with `explanations`")
"""The content of a study's `explained.json`."""
