"""What was measured of a Vision GNN on a set of images, block by block, as it is written down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from pydantic import BaseModel, ConfigDict
from scipy.stats import t as student

from gnn_checkpointing.explaining.blocks import Measured

LEVEL = 0.95
MEASURES = ("spatial_distance", "visual_similarity", "embedding_similarity", "class_probability", "modularity")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Mean(_Part):
    """A mean over images with its 95 % interval by Student's t, which needs two images at least."""

    mean: float
    low: float | None
    high: float | None


class Block(_Part):
    """One block, counted from 1: neighbours, dilation, the five measures, and top-1 through the head there."""

    number: int
    neighbours: int
    dilation: int
    spatial_distance: Mean
    visual_similarity: Mean
    embedding_similarity: Mean
    class_probability: Mean
    modularity: Mean | None
    top1_accuracy: float


class Explained(_Part):
    """A model on a set of images; `weights_sha256` is that of the file, `label` the name of the set for reading."""

    label: str
    images: int
    size: str
    parameters: int
    channels: int
    weights_sha256: str
    blocks: list[Block]


def block(number: int, neighbours: int, dilation: int, found: Sequence[Measured]) -> Block:
    """Return one block's measures over all images."""
    values = {name: [getattr(one, name) for one in found] for name in MEASURES}
    masked = all(value is not None for value in values["modularity"])
    return Block(
        number=number,
        neighbours=neighbours,
        dilation=dilation,
        **{name: mean(values[name]) for name in MEASURES[:-1]},
        modularity=mean(values["modularity"]) if masked else None,
        top1_accuracy=fmean(one.correct for one in found),
    )


def mean(values: Sequence[float]) -> Mean:
    """Return the mean and its interval."""
    middle = fmean(values)
    if len(values) < 2:
        return Mean(mean=middle, low=None, high=None)
    reach = float(student.ppf((1 + LEVEL) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return Mean(mean=middle, low=middle - reach, high=middle + reach)
