"""The measures of a block's graph, against values worked out by hand on a grid of 2 x 2 patches."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gnn_checkpointing.explaining import (
    measured,
    modularity,
    object_patches,
    patch_pixels,
    similarity,
    spatial_distance,
    states,
)
from gnn_checkpointing.explaining.images import DEVIATION, MEAN, batches, class_names, image_tensor, pictures
from gnn_checkpointing.models.vig import VigOptions, build_vig
from gnn_checkpointing.refusal import Refusal

# Patches 0 1 / 2 3; each has itself, then two others.
NEIGHBOURS = torch.tensor([[[0, 1, 3], [1, 0, 2], [2, 3, 0], [3, 2, 1]]])
OPTIONS = VigOptions(classes=2, image=32, k=2)


def test_distance_by_hand() -> None:
    """Edges 0-1, 1-0, 2-3, 2-0, 3-2, 3-1 are one step long, 0-3 and 1-2 two: 10 steps over 8 edges."""
    assert spatial_distance(NEIGHBOURS).tolist() == [1.25]


def test_similarity_by_hand() -> None:
    """Unit vectors at 0, 60, 90 and 180 degrees: the mean cosine of the eight angles between neighbours."""
    angles = torch.deg2rad(torch.tensor([0.0, 60.0, 90.0, 180.0], dtype=torch.double))
    features = 3 * torch.stack([angles.cos(), angles.sin()], 1).unsqueeze(0)
    degrees = [60, 180, 60, 30, 90, 90, 90, 120]
    expected = sum(math.cos(math.radians(degree)) for degree in degrees) / 8
    assert similarity(features, NEIGHBOURS).item() == pytest.approx(expected, abs=1e-12)


def test_modularity_by_hand() -> None:
    """Two pairs with an edge in each and one between: m = 3, Q = 2/3 - (3/6)^2 - (3/6)^2 = 1/6."""
    chain = torch.tensor([[0, 1], [1, 0], [2, 3], [3, 0]])
    is_object = torch.tensor([True, True, False, False])
    assert modularity(chain, is_object) == pytest.approx(1 / 6)
    assert modularity(chain, torch.tensor([True] * 4)) == 0.0
    assert modularity(chain, torch.tensor([False] * 4)) == 0.0


def test_patches_are_cut_row_by_row() -> None:
    images = torch.zeros(1, 1, 32, 32)
    images[0, 0, :16, 16:] = 1.0
    images[0, 0, 16:, :16] = 2.0
    assert patch_pixels(images).mean(2).tolist() == [[0.0, 1.0, 2.0, 0.0]]


def test_a_patch_is_object_where_any_pixel_is() -> None:
    mask = torch.zeros(1, 32, 32, dtype=torch.bool)
    mask[0, 31, 0] = True
    assert object_patches(mask).tolist() == [[False, False, True, False]]


def test_a_block_is_told_as_the_model_computes_it() -> None:
    model = build_vig("ti", OPTIONS, seed=0)
    images = torch.rand(2, 3, 32, 32)
    found = list(states(model, images))
    assert model.training
    model.eval()
    with torch.no_grad():
        assert torch.equal(model.scores(found[-1][1]), model(images))
        graph = model.backbone[0][0].graph_conv.graph(model.backbone[0][0].fc1(model.patches(images)))
    assert torch.equal(found[0][0], graph)
    assert [tuple(own.shape) for own, _ in found] == [(2, 4, k) for k in (2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4)]


def test_every_block_and_image_is_measured() -> None:
    model = build_vig("ti", OPTIONS, seed=0)
    images, masks = torch.rand(2, 3, 32, 32), torch.zeros(2, 32, 32, dtype=torch.bool)
    masks[0, :16, :16] = True
    found = measured(model, images, torch.tensor([0, 1]), masks)
    assert len(found) == 12
    neighbours, _ = list(states(model, images))[5]
    one = found[5]
    assert one["spatial_distance"][0] == pytest.approx(spatial_distance(neighbours)[0].item())
    assert one["modularity"] == [pytest.approx(modularity(neighbours[0], object_patches(masks)[0])), 0.0]
    assert 0 <= one["class_probability"][0] <= 1
    assert "modularity" not in measured(model, images, torch.tensor([0, 1]), None)[0]


def folder(tmp_path: Path) -> tuple[Path, Path]:
    """Write two classes of one image each, with masks of their left halves."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    for name, grey in (("n01", 64), ("n02", 192)):
        for base in (images, masks):
            (base / name).mkdir(parents=True)
        Image.new("RGB", (64, 48), (grey, grey, grey)).save(images / name / "one.png")
        mask = np.zeros((48, 64), dtype=np.uint8)
        mask[:, :32] = 255
        Image.fromarray(mask).save(masks / name / "one.png")
    return images, masks


def test_images_and_masks_are_cut_and_normalised_alike(tmp_path: Path) -> None:
    images, masks = folder(tmp_path)
    found = pictures(images, masks, class_names(images, None, 2))
    ((pixels, classes, cut),) = batches(found, 32, 8)
    assert classes.tolist() == [0, 1]
    expected = [(192 / 255 - mean) / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)]
    assert pixels[1].mean((1, 2)).tolist() == pytest.approx(expected, abs=1e-5)
    assert cut is not None
    assert cut.float().mean().item() == pytest.approx(0.5, abs=0.05)
    assert cut[:, :, :10].all()


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    images, masks = folder(tmp_path)
    names = class_names(images, None, 2)
    (masks / "n02/one.png").unlink()
    with pytest.raises(Refusal, match=r"n02/one\.png: no mask for"):
        pictures(images, masks, names)
    Image.new("L", (10, 10)).save(masks / "n02/one.png")
    with pytest.raises(Refusal, match="10 x 10 pixels, but"):
        list(batches(pictures(images, masks, names), 32, 8))
    with pytest.raises(Refusal, match="n02 is no class of the model"):
        pictures(images, None, ["n01"])
    with pytest.raises(Refusal, match="2 classes, but the model has 1000; give a file"):
        class_names(images, None, 1000)
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refusal, match="no images in it"):
        pictures(tmp_path / "empty", None, names)
    with pytest.raises(Refusal, match="no such folder"):
        pictures(tmp_path / "absent", None, names)
    (images / "n01/one.png").write_text("no image")
    with pytest.raises(Refusal, match="not readable as an image"):
        image_tensor(images / "n01/one.png", 32)
