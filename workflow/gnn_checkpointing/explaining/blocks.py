"""A Vision GNN run block by block: each block's graph with its five measures, and what the head would say there.

`neighbours` is int64 `[images, nodes, k]`, the node itself in slot 0; nodes stand row by row on a square grid. Slot 0
is left out of distances and similarities, and modularity knows no loops.
"""

import math
from collections.abc import Iterator

import networkx as nx
import torch
import torch.nn.functional as F
from torch import Tensor

from gnn_checkpointing.models.vision.vig import Vig
from gnn_checkpointing.study.vision_shapes import PATCH

Measures = dict[str, list[float]]
"""One block's measures by name, each a number per image; without masks there is no modularity."""


@torch.no_grad()
def states(model: Vig, images: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield every block's graph and its output `[images, channels, side, side]`, as evaluation computes them.

    The model's mode is left as it was.
    """
    training = model.training
    model.eval()
    try:
        x = model.patches(images)
        for block in model.blocks:
            grapher = block[0]  # type: ignore[index] # a sequence of grapher and feed-forward
            neighbours = grapher.graph_conv.graph(grapher.fc1(x))
            x = block(x)
            yield neighbours, x
    finally:
        model.train(training)


@torch.no_grad()
def measured(model: Vig, images: Tensor, classes: Tensor, masks: Tensor | None) -> list[Measures]:
    """The measures of each block.

    `images` `[images, 3, side, side]` normalised as the model was trained, `classes` int64 `[images]` the true ones,
    `masks` bool `[images, side, side]` where the object is.
    """
    pixels = patch_pixels(images)
    objects = None if masks is None else object_patches(masks)
    found = []
    for neighbours, features in states(model, images):
        # Pooled over patches, whatever the model's own task; in evaluation mode, as `states` leaves it in between.
        scores: Tensor = model.prediction(features.mean((2, 3), keepdim=True)).flatten(1)
        own: Measures = {
            "spatial_distance": spatial_distance(neighbours).tolist(),
            "visual_similarity": similarity(pixels, neighbours).tolist(),
            "embedding_similarity": similarity(features.flatten(2).transpose(1, 2), neighbours).tolist(),
            "class_probability": scores.softmax(1).gather(1, classes.unsqueeze(1)).squeeze(1).tolist(),
            "correct": (scores.argmax(1) == classes).tolist(),
        }
        if objects is not None:
            own["modularity"] = [modularity(*one) for one in zip(neighbours, objects, strict=True)]
        found.append(own)
    return found


def spatial_distance(neighbours: Tensor) -> Tensor:
    """`[images]`: the mean over edges of the Manhattan distance on the grid, in patches."""
    side = math.isqrt(neighbours.size(1))
    own = torch.arange(neighbours.size(1), device=neighbours.device).view(1, -1, 1)
    others = neighbours[:, :, 1:]
    steps = (own // side - others // side).abs() + (own % side - others % side).abs()
    return steps.double().mean((1, 2))


def similarity(features: Tensor, neighbours: Tensor) -> Tensor:
    """`[images]`: the mean over edges of the cosine similarity of `features` `[images, nodes, channels]`.

    Of pixels it is the visual similarity, of the features after a block the embedding similarity.
    """
    unit = F.normalize(features.double(), dim=2)
    products = unit @ unit.transpose(1, 2)
    return products.gather(2, neighbours[:, :, 1:]).mean((1, 2))


def patch_pixels(images: Tensor) -> Tensor:
    """Each patch's pixels `[images, nodes, channels * PATCH * PATCH]` of `[images, channels, side, side]`."""
    return F.unfold(images, PATCH, stride=PATCH).transpose(1, 2)


def object_patches(masks: Tensor) -> Tensor:
    """Bool `[images, nodes]`: patches with any pixel in the object; `masks` is bool `[images, side, side]`."""
    pixels = F.unfold(masks.unsqueeze(1).float(), PATCH, stride=PATCH)
    return pixels.amax(1) > 0


def modularity(neighbours: Tensor, is_object: Tensor) -> float:
    """The modularity of object against the rest, of one image's undirected simple graph; 0 if either is empty.

    `neighbours` is `[nodes, k]`, all slots, `is_object` bool `[nodes]`.
    """
    parts = [set(torch.nonzero(is_object == side).flatten().tolist()) for side in (True, False)]
    if not all(parts):
        return 0.0
    graph = nx.Graph()
    graph.add_nodes_from(range(neighbours.size(0)))
    graph.add_edges_from(
        (node, other) for node, others in enumerate(neighbours.tolist()) for other in others if node != other
    )
    return float(nx.community.modularity(graph, parts))
