"""What the sizes of Vision GNN share with every study: patches of an image, blocks, channels, neighbours (torch-free).

Isotropic ViG, Han et al. (2022), arXiv 2206.00272.
"""

from dataclasses import dataclass
from typing import Literal

from gnn_checkpointing.study.convolutions import Convolution

Size = Literal["ti", "s", "b"]

NAMES: dict[Size, Convolution] = {"ti": "ViG-Ti", "s": "ViG-S", "b": "ViG-B"}
"""What a study calls each size of the published code."""

PATCH = 16
"""Pixels of a patch to a side."""

SIDE = 224
"""Pixels of an image to a side in every study."""

PATCHES = (SIDE // PATCH) ** 2
"""Nodes of an image."""

COLOURS = 3

PATCH_PIXELS = COLOURS * PATCH * PATCH
"""Features of a node: the pixels of its patch, colour by colour, row by row."""


HEAD_CHANNELS = 1024
"""Channels of the head's last layer but one, in every size."""

PUBLISHED_CLASSES = 1000
"""ImageNet's, of which the published numbers of parameters are."""

PATCH_CLASSES = 2
"""Object and background."""

SHAPES_DRAWN = 4
"""Shapes of objects in drawn images, in turn: image n shows shape n % SHAPES_DRAWN, its class."""


@dataclass(frozen=True)
class VigShape:
    """Blocks and channels of a size; every block has a graph of its own over the patches."""

    blocks: int
    channels: int


SHAPES: dict[Convolution, VigShape] = {
    "ViG-Ti": VigShape(12, 192),
    "ViG-S": VigShape(16, 320),
    "ViG-B": VigShape(16, 640),
}


def further_class_parameters(classes: int) -> int:
    """How many parameters more a model of so many classes would have with ImageNet's: weights and biases."""
    return (HEAD_CHANNELS + 1) * (PUBLISHED_CLASSES - classes)


def neighbours_by_block(k: int, blocks: int, nodes: int = PATCHES) -> list[tuple[int, int]]:
    """`(k, dilation)` of each block: from `k` to `2 k` neighbours, itself among them, in whole steps.

    The dilation grows every four blocks while an image of so many `nodes` has enough of them.
    """
    counts = [k + k * block // (blocks - 1) for block in range(blocks)]
    widest = nodes // max(counts)
    return [(count, max(1, min(block // 4 + 1, widest))) for block, count in enumerate(counts)]
