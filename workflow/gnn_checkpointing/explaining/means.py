"""From what was measured on each image to means over a set, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from scipy.stats import t as student

from gnn_checkpointing.explaining.blocks import Measured
from gnn_checkpointing.records.explained import Block, Mean

LEVEL = 0.95
MEASURES = ("spatial_distance", "visual_similarity", "embedding_similarity", "class_probability", "modularity")


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


def late_rise(blocks: Sequence[Sequence[Measured]]) -> Mean:
    """Return how much more embedding similarity rises over the last two blocks than over any two before them.

    `blocks` holds each block's images, at least five of them: two blocks before the last two need one to rise from.
    Those two before are the ones with the largest mean rise; the difference is taken image by image.
    """
    curves = [[one.embedding_similarity for one in found] for found in blocks]
    rises = [
        [after - before for before, after in zip(curves[end - 2], curves[end], strict=True)]
        for end in range(2, len(curves))
    ]
    last, earlier = rises[-1], max(rises[:-2], key=fmean)
    return mean([late - early for late, early in zip(last, earlier, strict=True)])


def mean(values: Sequence[float]) -> Mean:
    """Return the mean and its interval."""
    middle = fmean(values)
    if len(values) < 2:
        return Mean(mean=middle, low=None, high=None)
    reach = float(student.ppf((1 + LEVEL) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return Mean(mean=middle, low=middle - reach, high=middle + reach)
