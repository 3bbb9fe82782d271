"""A Vision GNN explained on a folder of images: every block measured on every image, in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

import torch

from gnn_checkpointing.explaining.blocks import Measured, measured, states
from gnn_checkpointing.explaining.explained import Explained, block
from gnn_checkpointing.explaining.images import Picture, batches, image_tensor
from gnn_checkpointing.models.vision.vig import SHAPES, Size, Vig, neighbours_by_block


def explained(
    model: Vig,
    size: Size,
    found: Sequence[Picture],
    batch: int,
    label: str,
    weights_sha256: str,
    progress: Callable[[int, int], None],
) -> Explained:
    """Return every block's measures over all images; `progress` is told how many of how many are done."""
    blocks: list[list[Measured]] = [[] for _ in range(SHAPES[size].blocks)]
    for images, classes, masks in batches(found, model.options.image, batch):
        for own, more in zip(blocks, measured(model, images, classes, masks), strict=True):
            own += more
        progress(len(blocks[0]), len(found))
    shapes = neighbours_by_block(model.options, len(blocks))
    return Explained(
        label=label,
        images=len(found),
        size=size,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        channels=SHAPES[size].channels,
        weights_sha256=weights_sha256,
        blocks=[
            block(number, k, dilation, own)
            for number, ((k, dilation), own) in enumerate(zip(shapes, blocks, strict=True), start=1)
        ],
    )


def patch_graph(model: Vig, picture: Picture, number: int) -> list[list[int]]:
    """Return each patch's neighbours, itself left out, in block `number` (counted from 1) for one image."""
    images = torch.stack([image_tensor(picture.path, model.options.image)])
    state = next(islice(states(model, images), number - 1, None))
    return [[int(other) for other in others[1:]] for others in state.neighbours[0]]
