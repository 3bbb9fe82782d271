"""The five measures of one block's graph, each as a number an image.

`neighbours` is int64 `[images, nodes, k]`, the node itself in slot 0; nodes stand row by row on a square grid. Slot 0
is left out of distances and similarities, and modularity knows no loops.
"""

from __future__ import annotations

import math

import networkx as nx
import torch
import torch.nn.functional as F
from torch import Tensor

from gnn_checkpointing.study.vision_shapes import PATCH


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
