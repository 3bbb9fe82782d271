"""The record of a Vision GNN on a set of images, block by block: `explained.json`."""

from functools import partial

from pydantic import Field, NonNegativeInt

from gnn_checkpointing.records.record import Record, checked


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
