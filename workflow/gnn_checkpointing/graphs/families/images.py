"""Family `images`: generated images of one object each; nodes are patches, joined to those with the nearest pixels.

A Vision GNN classifies patches as object (1) or background (0), or images by the shape that they show. Pixels are
integers from 0 to 255, so that distances, and with them the graph, are the same on every machine.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gnn_checkpointing.graphs.features import bell
from gnn_checkpointing.graphs.pairs import Numbers, edge_keys
from gnn_checkpointing.study.convolutions import COLOURS, PATCH, PATCHES, SHAPES_DRAWN, SIDE
from gnn_checkpointing.study.graph_design import GeneratedGraph

_ROW = SIDE // PATCH
_GRAIN = 18
"""Standard deviation of the noise on a pixel, which has values from 0 to 255."""


def images_of(spec: GeneratedGraph, rng: Generator) -> tuple[Numbers, Numbers]:
    """Draw pixels `[images, SIDE, SIDE, COLOURS]` from 0 to 255, and masks `[images, SIDE, SIDE]` of 0 and 1."""
    number = spec.num_nodes // PATCHES
    grounds = rng.integers(40, 216, (2, number, 1, 1, COLOURS))
    masks = np.stack([_object(image % SHAPES_DRAWN, rng) for image in range(number)])
    coloured = np.where(masks[..., None] > 0, grounds[0], grounds[1])
    grain = _GRAIN * bell((number, SIDE, SIDE, COLOURS), rng)
    # Brightness grows from corner to corner, so that distant patches of one colour differ.
    places = np.add.outer(np.arange(SIDE), np.arange(SIDE)) // PATCH
    pixels = coloured + places[None, :, :, None] + np.floor(grain).astype(np.int64)
    return np.clip(pixels, 0, 255), masks


def patches_of(images: Numbers) -> Numbers:
    """Values of each patch, `[images * PATCHES, channels * PATCH * PATCH]`, from `[images, SIDE, SIDE, channels]`.

    Patches are in order row by row, in each patch channel by channel, and in each channel pixels row by row, as in
    torch's `unfold`.
    """
    number, _, _, channels = images.shape
    cut = images.reshape(number, _ROW, PATCH, _ROW, PATCH, channels)
    patches: Numbers = cut.transpose(0, 1, 3, 5, 2, 4).reshape(number * PATCHES, channels * PATCH * PATCH)
    return patches


def normalised(patches: Numbers) -> NDArray[np.float32]:
    """Pixels as features: scaled to 0..1, minus one half, times four, for about the spread of ImageNet's."""
    return ((patches / 255 - 0.5) * 4).astype(np.float32)


def nearest_pixels(patches: Numbers, neighbours: int) -> Numbers:
    """Directed `edge_index` with edges to each patch from its `neighbours` nearest patches of the same image.

    Nearest by squared distance of the pixels; among equally near patches the first are taken.
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
    """Draw the mask `[SIDE, SIDE]` of a square, disc, diamond or cross somewhere in the image."""
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
