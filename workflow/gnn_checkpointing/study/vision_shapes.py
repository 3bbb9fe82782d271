"""Shapes of Vision GNNs, the same in every study: patches of an image, blocks, channels, neighbours (torch-free).

Isotropic ViG, Han et al. (2022), arXiv 2206.00272.
"""

from dataclasses import dataclass
from typing import Literal

from gnn_checkpointing.study.convolutions import Convolution

Size = Literal["ti", "s", "b"]

NAMES: dict[Size, Convolution] = {"ti": "ViG-Ti", "s": "ViG-S", "b": "ViG-B"}
"""Name in a study of each size of the published code."""

PATCH = 16
"""Pixels along the side of a patch."""

SIDE = 224
"""Pixels along the side of an image, in every study."""

PATCHES = (SIDE // PATCH) ** 2
"""Nodes of an image."""

COLOURS = 3

PATCH_PIXELS = COLOURS * PATCH * PATCH
"""Features of a node: the pixels of its patch, colour by colour, row by row."""


HEAD_CHANNELS = 1024
"""Channels of the head's next-to-last layer, in every size."""

PUBLISHED_CLASSES = 1000
"""ImageNet's classes, for which the numbers of parameters were published."""

PATCH_CLASSES = 2
"""Object and background."""

SHAPES_DRAWN = 4
"""Number of shapes of objects in generated images: image n shows shape n % SHAPES_DRAWN, which is its class."""


@dataclass(frozen=True)
class VigShape:
    """Blocks and channels of a size; every block has its own graph of the patches."""

    blocks: int
    channels: int


SHAPES: dict[Convolution, VigShape] = {
    "ViG-Ti": VigShape(12, 192),
    "ViG-S": VigShape(16, 320),
    "ViG-B": VigShape(16, 640),
}


def further_class_parameters(classes: int) -> int:
    """Number of weights and biases that a model with that many classes lacks, compared to one with ImageNet's."""
    return (HEAD_CHANNELS + 1) * (PUBLISHED_CLASSES - classes)


def neighbours_by_block(k: int, blocks: int, nodes: int = PATCHES) -> list[tuple[int, int]]:
    """`(k, dilation)` of each block: `k` to `2 k` neighbours, including the node itself, rounded down to integers.

    The dilation grows every four blocks as long as an image has enough `nodes` for it.
    """
    counts = [k + k * block // (blocks - 1) for block in range(blocks)]
    widest = nodes // max(counts)
    return [(count, max(1, min(block // 4 + 1, widest))) for block, count in enumerate(counts)]
