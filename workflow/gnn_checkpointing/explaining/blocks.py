"""A Vision GNN run block by block: each block's graph, its features, and what the head would say there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gnn_checkpointing.explaining.measures import modularity, object_patches, patch_pixels, similarity, spatial_distance
from gnn_checkpointing.models.vision.vig import Vig

Measures = dict[str, list[float]]
"""One block's measures by name, each a number per image; without masks there is no modularity."""


@dataclass(frozen=True)
class BlockState:
    """One block: its graph, int64 `[images, nodes, k]`, and its output `[images, channels, side, side]`."""

    neighbours: Tensor
    features: Tensor


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


def measured(model: Vig, images: Tensor, classes: Tensor, masks: Tensor | None) -> list[Measures]:
    """The measures of each block.

    `images` `[images, 3, side, side]` normalised as the model was trained, `classes` int64 `[images]` the true ones,
    `masks` bool `[images, side, side]` where the object is.
    """
    pixels = patch_pixels(images)
    objects = None if masks is None else object_patches(masks)
    found = []
    for state in states(model, images):
        scores = _scores(model, state.features)
        own: Measures = {
            "spatial_distance": spatial_distance(state.neighbours).tolist(),
            "visual_similarity": similarity(pixels, state.neighbours).tolist(),
            "embedding_similarity": similarity(
                state.features.flatten(2).transpose(1, 2), state.neighbours
            ).tolist(),
            "class_probability": scores.softmax(1).gather(1, classes.unsqueeze(1)).squeeze(1).tolist(),
            "correct": (scores.argmax(1) == classes).tolist(),
        }
        if objects is not None:
            own["modularity"] = [modularity(*one) for one in zip(state.neighbours, objects, strict=True)]
        found.append(own)
    return found


@torch.no_grad()
def _scores(model: Vig, features: Tensor) -> Tensor:
    """The head's scores `[images, classes]` of features pooled over patches, whatever the model's own task."""
    training = model.training
    model.eval()
    head: nn.Module = model.prediction
    out: Tensor = head(features.mean((2, 3), keepdim=True))
    model.train(training)
    return out.flatten(1)
