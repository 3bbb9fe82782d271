"""The convolutions, one row each, and the shapes of Vision GNNs (torch-free).

To add a convolution, write its builder in another file and its row here. Vision GNNs are isotropic ViG, Han et al.
(2022), arXiv 2206.00272: the same sizes in every study.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, WithJsonSchema

from gnn_checkpointing.refusal import unknown


@dataclass(frozen=True)
class ConvolutionRow:
    """Description of a convolution (`words`), the function that builds a layer of it, and its properties.

    `builder` is the dotted name of a function that makes a layer from the channels before and after it and the study's
    architecture. Vision GNNs, which are whole models that read images and make their own graphs, have none.
    `sparse_product`: the aggregation is a sum or mean of unchanged neighbours, and so a sparse matrix product.
    `attention`: it weights neighbours with a softmax, in heads. `reads_features`: it gathers a node's values before it
    maps them to channels.
    """

    words: str
    builder: str = ""
    sparse_product: bool = False
    attention: bool = False
    reads_features: bool = False


_BUILDERS = "gnn_checkpointing.models.convolutions"

CONVOLUTIONS: dict[str, ConvolutionRow] = {
    "GCN": ConvolutionRow("normalised sum of neighbours and itself", f"{_BUILDERS}:gcn", sparse_product=True),
    "SAGE": ConvolutionRow("mean of neighbours", f"{_BUILDERS}:sage", sparse_product=True, reads_features=True),
    "SAGE-max": ConvolutionRow("largest of neighbours", f"{_BUILDERS}:sage_max", reads_features=True),
    "GIN": ConvolutionRow("perceptron of a sum", f"{_BUILDERS}:gin", sparse_product=True, reads_features=True),
    "GAT": ConvolutionRow("attention", f"{_BUILDERS}:gat", attention=True),
    "GATv2": ConvolutionRow("attention by a perceptron", f"{_BUILDERS}:gatv2", attention=True),
    "EdgeConv": ConvolutionRow("perceptron of each edge", f"{_BUILDERS}:edge_conv", reads_features=True),
    "ViG-Ti": ConvolutionRow("Vision GNN, tiny"),
    "ViG-S": ConvolutionRow("Vision GNN, small"),
    "ViG-B": ConvolutionRow("Vision GNN, base"),
}

SPARSE_PRODUCT = frozenset(name for name, row in CONVOLUTIONS.items() if row.sparse_product)
ATTENTION = frozenset(name for name, row in CONVOLUTIONS.items() if row.attention)
READS_FEATURES = frozenset(name for name, row in CONVOLUTIONS.items() if row.reads_features)
VISION = frozenset(name for name, row in CONVOLUTIONS.items() if not row.builder)

CONVOLUTION_HELP = (
    ", ".join(f"{name} ({row.words})" for name, row in CONVOLUTIONS.items() if row.builder)
    + ": stacks, for all graphs but images; "
    + ", ".join(sorted(VISION, reverse=True))
    + ": Vision GNNs of fixed layers and channels, for images"
)


_OWN = r"^[a-z0-9]+(-[a-z0-9]+)*$"


def is_own(convolution: str) -> bool:
    """Whether this is the short name of a user's own model."""
    return convolution not in CONVOLUTIONS


def _known(convolution: str) -> str:
    if convolution not in CONVOLUTIONS and not re.fullmatch(_OWN, convolution):
        raise ValueError(unknown(f"convolution '{convolution[:60]}'", convolution, CONVOLUTIONS))
    return convolution


_ENUM = {"type": "string", "enum": list(CONVOLUTIONS)}
Convolution = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"anyOf": [_ENUM, {"type": "string", "pattern": _OWN}]})
]
"""One of the convolutions, or the short name of the study's own model."""

BuiltIn = Annotated[str, AfterValidator(_known), WithJsonSchema(_ENUM)]
"""One of the convolutions, in a study file."""


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
