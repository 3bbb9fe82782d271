"""A Vision GNN run block by block: each block's graph, its features, and what the head would say there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gnn_checkpointing.explaining.measures import modularity, object_patches, patch_pixels, similarity, spatial_distance
from gnn_checkpointing.models.vision.vig import Vig


@dataclass(frozen=True)
class BlockState:
    """One block: its graph, int64 `[images, nodes, k]`, and its output `[images, channels, side, side]`."""

    neighbours: Tensor
    features: Tensor


@dataclass(frozen=True)
class Measured:
    """One block's measures of one image; `modularity` is None without a mask."""

    spatial_distance: float
    visual_similarity: float
    embedding_similarity: float
    class_probability: float
    correct: bool
    modularity: float | None


@torch.no_grad()
def states(model: Vig, images: Tensor) -> Iterator[BlockState]:
    """Yield every block's state for `images`, as evaluation computes them; the model's mode is left as it was."""
    training = model.training
    model.eval()
    try:
        x = model.patches(images)
        for block in model.blocks:
            grapher = block[0]  # type: ignore[index] # a sequence of grapher and feed-forward
            neighbours = grapher.graph_conv.graph(grapher.fc1(x))
            x = block(x)
            yield BlockState(neighbours, x)
    finally:
        model.train(training)


def measured(model: Vig, images: Tensor, classes: Tensor, masks: Tensor | None) -> list[list[Measured]]:
    """Return every block's measures, block by block, image by image.

    `images` `[images, 3, side, side]` normalised as the model was trained, `classes` int64 `[images]` the true ones,
    `masks` bool `[images, side, side]` where the object is.
    """
    pixels = patch_pixels(images)
    objects = None if masks is None else object_patches(masks)
    found = []
    for state in states(model, images):
        distance = spatial_distance(state.neighbours)
        visual = similarity(pixels, state.neighbours)
        embedding = similarity(state.features.flatten(2).transpose(1, 2), state.neighbours)
        scores = _scores(model, state.features)
        chances = scores.softmax(1).gather(1, classes.unsqueeze(1)).squeeze(1)
        right = scores.argmax(1) == classes
        found.append(
            [
                Measured(
                    spatial_distance=float(distance[image]),
                    visual_similarity=float(visual[image]),
                    embedding_similarity=float(embedding[image]),
                    class_probability=float(chances[image]),
                    correct=bool(right[image]),
                    modularity=None if objects is None else modularity(state.neighbours[image], objects[image]),
                )
                for image in range(len(images))
            ]
        )
    return found


@torch.no_grad()
def _scores(model: Vig, features: Tensor) -> Tensor:
    """Return the head's scores `[images, classes]` of features pooled over patches, whatever the model's own task."""
    training = model.training
    model.eval()
    head: nn.Module = model.prediction
    out: Tensor = head(features.mean((2, 3), keepdim=True))
    model.train(training)
    return out.flatten(1)
