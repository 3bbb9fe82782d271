"""A Vision GNN explained on a folder of images: every block measured on every image, in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import torch

from gnn_checkpointing.explaining.blocks import Measured, measured, states
from gnn_checkpointing.explaining.images import Picture, batches, image_tensor
from gnn_checkpointing.explaining.means import block, late_rise
from gnn_checkpointing.models.vision.vig import Vig, VigOptions, build_vig, shape_of
from gnn_checkpointing.models.vision.weights import load_weights
from gnn_checkpointing.records.explained import Explained
from gnn_checkpointing.study.vision_shapes import PATCH, Size, neighbours_by_block


def trained(weights: Path, size: Size, classes: int, side: int, k: int) -> Vig:
    """Return a ViG with the weights of a file; raises `Refusal` where they are another model's."""
    model = build_vig(size, VigOptions(classes=classes, image=side, k=k), seed=0)
    load_weights(model, weights)
    return model


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
    blocks: list[list[Measured]] = [[] for _ in range(shape_of(size).blocks)]
    for images, classes, masks in batches(found, model.options.image, batch):
        for own, more in zip(blocks, measured(model, images, classes, masks), strict=True):
            own += more
        progress(len(blocks[0]), len(found))
    shapes = neighbours_by_block(model.options.k, len(blocks), (model.options.image // PATCH) ** 2)
    return Explained(
        label=label,
        images=len(found),
        size=size,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        channels=shape_of(size).channels,
        weights_sha256=weights_sha256,
        blocks=[
            block(number, k, dilation, own)
            for number, ((k, dilation), own) in enumerate(zip(shapes, blocks, strict=True), start=1)
        ],
        late_rise=late_rise(blocks),
    )


def patch_graph(model: Vig, picture: Picture, number: int) -> list[list[int]]:
    """Return each patch's neighbours, itself left out, in block `number` (counted from 1) for one image."""
    images = torch.stack([image_tensor(picture.path, model.options.image)])
    state = next(islice(states(model, images), number - 1, None))
    return [[int(other) for other in others[1:]] for others in state.neighbours[0]]
