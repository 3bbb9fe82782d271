"""Drawn images: pixels cut into patches by hand, graphs of nearest pixels by hand, the same bytes everywhere."""

import numpy as np
import pytest

from gnn_checkpointing.graphs.families.images import images_of, nearest_pixels, normalised, patches_of
from gnn_checkpointing.graphs.graph import Graph
from gnn_checkpointing.graphs.make import make_graph, stream
from gnn_checkpointing.study.convolutions import PATCH, PATCH_PIXELS, PATCHES, SIDE

from .builders import generated

GOLDEN = "d4f282fce857b7f942eb9e21bc99691119d52317cc75cdc9c7ab58b55fc3d310"


def images(number: int = 2, neighbours: int = 4) -> Graph:
    return make_graph(
        generated(
            id="images",
            family="images",
            num_nodes=number * PATCHES,
            average_degree=float(neighbours),
            num_features=PATCH_PIXELS,
            num_classes=2,
        )
    )


def test_patches_stand_row_by_row_colour_by_colour() -> None:
    """A value that tells its image, row, column and colour comes back at the place that follows from them."""
    rows, columns = np.indices((SIDE, SIDE))
    whole = np.stack([np.stack([rows * 1000 + columns + 10**6 * colour for colour in range(3)], axis=2)] * 2)
    whole[1] += 10**7
    found = patches_of(whole)
    assert found.shape == (2 * PATCHES, PATCH_PIXELS)
    # The second image's patch in row 1, column 2: its colour 1, pixel row 3, pixel column 5.
    node, pixel = PATCHES + 14 + 2, 1 * PATCH * PATCH + 3 * PATCH + 5
    assert found[node, pixel] == 10**7 + 10**6 + (16 + 3) * 1000 + (2 * 16 + 5)


def test_nearest_pixels_by_hand() -> None:
    """Every patch is one number, its own place: the nearest are the places before and after, ties go to the first."""
    patches = np.arange(2 * PATCHES, dtype=np.int64)[:, None]
    edges = nearest_pixels(patches, 3)
    into = {node: edges[0, edges[1] == node].tolist() for node in (0, 1, 50, PATCHES - 1, PATCHES)}
    assert into == {
        0: [1, 2, 3],
        1: [0, 2, 3],
        50: [48, 49, 51],
        PATCHES - 1: [PATCHES - 4, PATCHES - 3, PATCHES - 2],
        PATCHES: [PATCHES + 1, PATCHES + 2, PATCHES + 3],
    }


@pytest.mark.parametrize("neighbours", [1, 9, 98])
def test_each_patch_is_reached_from_as_many_of_its_own_image(neighbours: int) -> None:
    graph = images(2, neighbours)
    source, destination = graph.edge_index
    assert (np.bincount(destination) == neighbours).all()
    assert (source // PATCHES == destination // PATCHES).all()
    assert graph.average_degree == neighbours
    assert graph.is_directed and graph.family == "images"


def test_objects_are_what_their_masks_say() -> None:
    """Four images show a square, a disc, a diamond and a cross: areas in that order, of one radius."""
    spec = generated(family="images", num_nodes=8 * PATCHES)
    pixels, masks = images_of(spec, stream(spec, "images"))
    assert pixels.min() >= 0 and pixels.max() <= 255
    filled = [mask.sum() / (np.ptp(np.flatnonzero(mask.any(0))) + 1) ** 2 for mask in masks[:4]]
    assert filled[0] == 1
    assert filled[1] == pytest.approx(np.pi / 4, abs=0.02)
    assert filled[2] == pytest.approx(0.5, abs=0.02)
    assert 0.4 < filled[3] < 0.7
    graph = make_graph(spec)
    shares = graph.labels.reshape(8, -1).mean(axis=1)
    assert (shares > 0.02).all() and (shares < 0.5).all()


def test_pixels_become_features_of_the_spread_of_photographs() -> None:
    assert normalised(np.array([[0, 255]])).tolist() == [[-2.0, 2.0]]
    assert images().features.dtype == np.float32


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert images().content_sha256 == GOLDEN
