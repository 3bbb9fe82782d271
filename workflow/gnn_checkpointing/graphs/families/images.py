"""Family `images`: drawn images of one object each, their patches as nodes, in the graph of their nearest pixels.

What a Vision GNN classifies: a patch is object (1) or background (0); an image's class is the shape that it shows.
Pixels are whole numbers from 0 to 255, so that distances, and with them the graph, are the same on every machine.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.features import bell
from gnn_checkpointing.graphs.pairs import Numbers, edge_keys
from gnn_checkpointing.study.graph_design import GeneratedGraph
from gnn_checkpointing.study.vision_shapes import COLOURS, PATCH, PATCHES, SHAPES_DRAWN, SIDE

_ROW = SIDE // PATCH
_GRAIN = 18
"""Standard deviation of the noise on a pixel, of 255."""


def images_of(spec: GeneratedGraph, rng: Generator) -> tuple[Numbers, Numbers]:
    """Pixels `[images, SIDE, SIDE, COLOURS]` from 0 to 255, and bool masks `[images, SIDE, SIDE]` as 0 and 1."""
    number = spec.num_nodes // PATCHES
    grounds = rng.integers(40, 216, (2, number, 1, 1, COLOURS))
    masks = np.stack([_object(image % SHAPES_DRAWN, rng) for image in range(number)])
    coloured = np.where(masks[..., None] > 0, grounds[0], grounds[1])
    grain = _GRAIN * bell((number, SIDE, SIDE, COLOURS), rng)
    # Lighter from corner to corner, so that far patches of one ground differ.
    places = np.add.outer(np.arange(SIDE), np.arange(SIDE)) // PATCH
    pixels = coloured + places[None, :, :, None] + np.floor(grain).astype(np.int64)
    return np.clip(pixels, 0, 255), masks


def patches_of(images: Numbers) -> Numbers:
    """Each patch's values `[images * PATCHES, channels * PATCH * PATCH]` of `[images, SIDE, SIDE, channels]`.

    Patches row by row, in each the channels one after another, in these its pixels row by row, as torch's `unfold`.
    """
    number, _, _, channels = images.shape
    cut = images.reshape(number, _ROW, PATCH, _ROW, PATCH, channels)
    patches: Numbers = cut.transpose(0, 1, 3, 5, 2, 4).reshape(number * PATCHES, channels * PATCH * PATCH)
    return patches


def normalised(patches: Numbers) -> NDArray[np.float32]:
    """Pixels as features: shares of 255, less one half, times four, which spreads them as ImageNet's are."""
    return ((patches / 255 - 0.5) * 4).astype(np.float32)


def nearest_pixels(patches: Numbers, neighbours: int) -> Numbers:
    """The directed `edge_index` in which each patch is reached from its `neighbours` nearest of its own image.

    By squared distance of pixels; of equally near ones, from the first on.
    """
    sources = []
    for start in range(0, len(patches), PATCHES):
        own = patches[start : start + PATCHES]
        squares = (own * own).sum(axis=1)
        distances = squares[:, None] + squares[None, :] - 2 * (own @ own.T)
        np.fill_diagonal(distances, np.iinfo(np.int64).max)
        sources.append(start + np.argsort(distances, axis=1, kind="stable")[:, :neighbours])
    source = np.concatenate(sources).reshape(-1)
    edges = np.stack([source, np.repeat(np.arange(len(patches)), neighbours)])
    ordered: Numbers = edges[:, np.argsort(edge_keys(edges, len(patches)), kind="stable")]
    return ordered


def _object(shape: int, rng: Generator) -> Numbers:
    """The mask `[SIDE, SIDE]` of a square, disc, diamond or cross somewhere in the image."""
    radius = int(rng.integers(SIDE // 6, SIDE // 4))
    row, column = rng.integers(radius, SIDE - radius, 2)
    down, right = np.abs(np.arange(SIDE) - row)[:, None], np.abs(np.arange(SIDE) - column)[None, :]
    inside = (down <= radius) & (right <= radius)
    drawn = (
        inside,
        down * down + right * right <= radius * radius,
        down + right <= radius,
        inside & ((3 * down <= radius) | (3 * right <= radius)),
    )
    mask: Numbers = drawn[shape].astype(np.int64)
    return mask
