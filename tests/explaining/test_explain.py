"""`explain` on generated images and random weights: the files it writes, and what it refuses."""

import json
import math
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gnn_checkpointing.cli import main
from gnn_checkpointing.explaining import late_rise, mean, share
from gnn_checkpointing.models.vig import VigOptions, build_vig
from gnn_checkpointing.records.jobs import Explained, read_explained
from synthetic.studies import small_values


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Path]:
    """Two classes of two images with masks, and weights of a ViG-Ti for 64 pixels."""
    generator = np.random.Generator(np.random.PCG64(1))
    for name in ("n01", "n02"):
        for number in range(2):
            for base, shape in (("images", (80, 96, 3)), ("masks", (80, 96))):
                folder = tmp_path / base / name
                folder.mkdir(parents=True, exist_ok=True)
                noise = generator.integers(0, 256, shape, dtype=np.uint8)
                pixels = noise if base == "images" else ((np.arange(96) < 48) * np.ones((80, 1)) * 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    torch.save(build_vig("ti", VigOptions(classes=2, image=64, k=4), seed=0).state_dict(), tmp_path / "vig.pth")
    return {"images": tmp_path / "images", "masks": tmp_path / "masks", "weights": tmp_path / "vig.pth"}


def run(given: dict[str, Path], output: Path, *more: str) -> int:
    paths = [part for name, path in given.items() for part in (f"--{name}", str(path))]
    return main(["explain", *paths, "--size", "ti", "--side", "64", "--k", "4", "--output-folder", str(output), *more])


def test_it_writes_measures_curves_and_a_patch_graph(given: dict[str, Path], tmp_path: Path) -> None:
    assert run(given, tmp_path / "out", "--batch", "3", "--label", "Noise <b>") == 0
    found = Explained.model_validate(json.loads((tmp_path / "out/explained.json").read_text()))
    assert (found.label, found.images, len(found.blocks)) == ("Noise <b>", 4, 12)
    assert [block.neighbours for block in found.blocks] == [4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 8]
    assert all(block.modularity is not None and block.spatial_distance.low is not None for block in found.blocks)
    for name in ("curves.svg", "patch-graph.svg"):
        text = (tmp_path / "out" / name).read_text()
        assert text.startswith("<svg") and 'xmlns="http://www.w3.org/2000/svg"' in text
        assert "#010203" not in text


def test_batches_do_not_matter(given: dict[str, Path], tmp_path: Path) -> None:
    assert run(given, tmp_path / "a", "--batch", "1") == run(given, tmp_path / "b", "--batch", "4") == 0
    one, other = (json.loads((tmp_path / name / "explained.json").read_text()) for name in "ab")
    for block, same in zip(one["blocks"], other["blocks"], strict=True):
        assert block["spatial_distance"]["estimate"] == pytest.approx(same["spatial_distance"]["estimate"], rel=1e-3)


def test_without_masks_there_is_no_modularity(given: dict[str, Path], tmp_path: Path) -> None:
    del given["masks"]
    assert run(given, tmp_path / "out", "--most", "1") == 0
    found = Explained.model_validate(json.loads((tmp_path / "out/explained.json").read_text()))
    assert found.images == 1
    assert all(block.modularity is None and block.visual_similarity.low is None for block in found.blocks)


HEAD = "prediction.4.weight"


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_photo_of_other_bits(path: Path) -> None:
    """Of 16 bits, which Pillow would cut to 8."""
    Image.fromarray(np.full((80, 96), 40_000, np.uint16)).save(path)


def a_strip(path: Path) -> None:
    """Its shorter side scaled to the model's, it has gigabytes."""
    Image.new("1", (60_000, 1)).save(path)


def a_bomb(path: Path) -> None:
    Image.new("1", (13_000, 13_000)).save(path)


def another_format(path: Path) -> None:
    """Ghostscript would run what this one says."""
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 96 80\n%%EndComments\n%%EOF\n")


def weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[dict[str, Path]], None]:
    return lambda given: torch.save(change(torch.load(given["weights"])), given["weights"])


def repacked(path: Path) -> None:
    """The same archive, compressed, and a tensor of zeros in it that has a hundred times the file's bytes."""
    with zipfile.ZipFile(path) as archive:
        members = {one.filename: archive.read(one) for one in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr("archive/data/9999", bytes(10**8))


def listed(beside: Path, text: str) -> Path:
    path = beside.with_name("classes.txt")
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda given: given.update(images=given["images"] / "n01"), "n01: no images in it"),
        (lambda given: given.update(weights=given["images"]), "not a file of weights alone"),
        (lambda given: (given["masks"] / "n01/0.png").unlink(), "0.png: no mask for"),
        (lambda given: (given["images"] / "n03").mkdir(), "3 classes, but the model has 2"),
        *(
            (
                lambda given, one=one, spoil=spoil: spoil(given[one] / "n01/0.png"),
                f"{one}/n01/0.png: not readable as an",
            )
            for spoil in (cut_short, a_photo_of_other_bits, a_strip, a_bomb, another_format)
            for one in ("images", "masks")
        ),
        (lambda given: pipe(given["images"] / "n01/0.png"), "0.png: not readable as an image (ValueError: not a plain"),
        (weights(lambda given: {1: torch.zeros(1)}), "holds dict, not tensors by name"),
        (weights(lambda given: given | {HEAD: torch.tensor(1.0)}), "2 classes, but the model has 0"),
        (weights(lambda given: {name: value.to("meta") for name, value in given.items()}), "not tensors by name"),
        (weights(lambda given: given | {f"module.{HEAD}": given[HEAD] + 1}), "tensors of one name with and without"),
        (weights(lambda given: given | {HEAD: given[HEAD].long()}), f"{HEAD} is not of finite torch.float32 numbers"),
        (weights(lambda given: given | {HEAD: given[HEAD] * math.nan}), f"{HEAD} is not of finite torch.float32 numb"),
        (weights(lambda given: given | {HEAD: given[HEAD] * 1e38}), "the trained model gives no finite numbers"),
        (lambda given: repacked(given["weights"]), "not a file of weights alone (ValueError: it is compressed)"),
        (lambda given: given.update(classes=listed(given["weights"], "\ufeffn01\nn01\n")), "class n01 is there twice"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    given: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: object, said: str
) -> None:
    spoil(given)  # type: ignore[operator]
    assert run(given, tmp_path / "out") == 2
    error = capsys.readouterr().err.rpartition(" images\n")[2].strip()
    assert said in error
    assert error.count("\n") == 0
    assert not (tmp_path / "out").exists()


def test_an_interval_by_hand() -> None:
    """1, 2, 3: mean 2, standard error 1 / sqrt(3), and t at two degrees of freedom is 4.303."""
    found = mean([1.0, 2.0, 3.0])
    assert found.estimate == 2.0
    assert found.high == pytest.approx(2 + 4.30265 / 3**0.5, abs=1e-4)


def test_wilsons_interval_by_hand() -> None:
    """5 of 10 right: Wilson's centre is 1/2, its half-width z sqrt(1/4/10 + z^2/400) / (1 + z^2/10), z = 1.96."""
    found, z = share([True] * 5 + [False] * 5), 1.959964
    half = z * (0.025 + z**2 / 400) ** 0.5 / (1 + z**2 / 10)
    assert (found.low, found.high) == (pytest.approx(0.5 - half), pytest.approx(0.5 + half))


def test_a_late_rise_by_hand() -> None:
    """One image's similarities by block: the last two blocks add 0.5, the best two before them 0.3 (second to fourth).

    The two that end one block before the last overlap with the last two, and do not count.
    """
    curve = [0.0, 0.1, 0.2, 0.4, 0.8, 0.9]
    assert late_rise([[value] for value in curve]).estimate == pytest.approx(0.5 - 0.3)


def as_study(given: dict[str, Path], tmp_path: Path, most: int = 2, **changes: object) -> Path:
    """Write a study that explains a ViG-Ti of 224 pixels on the given images, and return its file."""
    torch.save(build_vig("ti", VigOptions(classes=2, k=4), seed=0).state_dict(), tmp_path / "whole.pth")
    explained = {
        "weights": str(tmp_path / "whole.pth"),
        "convolution": "ViG-Ti",
        "neighbours": 4,
        "validation": {"images": str(given["images"]), "masks": str(given["masks"]), "label": "noise"},
        "adversarial": {"images": str(given["images"]), "most": most},
    }
    values = small_values(grid={"family": "images", "num_nodes": [196], "average_degrees": [4]})
    values |= {"architecture": {"convolutions": ["ViG-Ti"]}, "explained": {**explained, **changes}}
    (tmp_path / "study.json").write_text(json.dumps(values))
    return tmp_path / "study.json"


def test_a_study_explains_both_of_its_sets(given: dict[str, Path], tmp_path: Path) -> None:
    study = as_study(given, tmp_path)
    assert main(["explanations", "--study", str(study), "--output", str(tmp_path / "explained.json")]) == 0
    found = read_explained(tmp_path / "explained.json")
    assert {name: (one.label, one.images, one.convolution) for name, one in found.sets.items()} == {
        "validation": ("noise", 4, "ViG-Ti"),
        "adversarial": ("images", 2, "ViG-Ti"),
    }
    assert all(one.modularity is None for one in found.sets["adversarial"].blocks)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--label=\x1b[2J", "--label: Value error, it holds a line break or another control character"),
        (f"--label={'x' * 300}", "--label: String should have at most 200 characters"),
        ("--threads=100000", "--threads"),
    ],
)
def test_an_option_that_cannot_be_is_refused(
    given: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, said: str
) -> None:
    assert run(given, tmp_path / "out", option) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"neighbours": 1}, "explained.neighbours"),
        ({"weights": "nowhere.pth"}, "nowhere.pth: no such file"),
        ({"convolution": "ViG-S"}, "this model's is"),
        ({"validation": {"images": "nowhere"}}, "nowhere: no images in it"),
        ({"most": 1}, "images: one image tells no interval"),
    ],
)
def test_a_study_that_names_what_is_not_there_or_too_little_is_refused(
    given: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], said: str
) -> None:
    study = as_study(given, tmp_path, **changes)
    assert main(["explanations", "--study", str(study), "--output", str(tmp_path / "explained.json")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "explained.json").exists()
