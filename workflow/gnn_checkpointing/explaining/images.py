"""Images in ImageNet's layout (one folder per class) with masks of their objects, as inputs of a Vision GNN."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gnn_checkpointing.refusal import Refusal, reason

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's pixels, with which the published weights were trained."""
CROPPED = 0.9
"""Share of the shorter side that the centre crop keeps."""
_ENDINGS = frozenset({".jpeg", ".jpg", ".png", ".bmp", ".webp"})
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
_MOST_TIMES = 32
"""Largest ratio of the sides: the shorter side is scaled to the model's, and the longer one with it."""


@dataclass(frozen=True)
class Picture:
    """One image file, the number of its class, and the file of its mask, if any."""

    path: Path
    class_number: int
    mask: Path | None


def pictures(folder: Path, masks: Path | None, class_names: Sequence[str]) -> list[Picture]:
    """Images below `folder`, which has one folder per class, in the order of their paths.

    `class_names` are the folders' names in the order of the model's classes. A mask has the same relative path below
    `masks` as its image, but ends in .png. Raises `Refusal` for an empty folder, an unknown class or a missing mask.
    """
    if not folder.is_dir():
        raise Refusal(f"{folder}: no such folder; name one that holds a folder of images for each class")
    files = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in _ENDINGS)
    if not files:
        endings = ", ".join(sorted(_ENDINGS))
        raise Refusal(f"{folder}: no images in it; it must hold a folder for each class with files ending in {endings}")
    numbers = {name: number for number, name in enumerate(class_names)}
    found = []
    for path in files:
        if path.parent.name not in numbers:
            raise Refusal(
                f"{path}: {path.parent.name} is no class of the model ({len(numbers)} are known, such as "
                f"{', '.join(list(numbers)[:3])}); name the folder as the class, or give the list of classes"
            )
        mask = None if masks is None else masks / path.parent.name / f"{path.stem}.png"
        if mask is not None and not mask.is_file():
            raise Refusal(f"{mask}: no mask for {path}; put one there, or leave the masks out")
        found.append(Picture(path, numbers[path.parent.name], mask))
    return found


def class_names(folder: Path, listed: Path | None, wanted: int) -> list[str]:
    """Classes in the model's order: from the file `listed`, one name per line, or else the folders sorted by name.

    Raises `Refusal` if their number is not that of the model's classes.
    """
    if listed is None:
        names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        if not names:
            raise Refusal(f"{folder}: no images in it; it must hold a folder of images for each class")
        remedy = "give a file with the name of each class of the model, a line each, in its order"
    else:
        try:
            names = [line.split()[0] for line in listed.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise Refusal(f"{listed}: not readable ({error}); it must be text, the name of a class a line") from None
        remedy = "correct the file, or name weights of as many classes"
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise Refusal(f"{listed}: class {twice} is there twice; name each once")
    if len(names) != wanted:
        raise Refusal(f"{listed or folder}: {len(names)} classes, but the model has {wanted}; {remedy}")
    return names


def batches(found: Sequence[Picture], side: int, size: int) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    """Yield images `[batch, 3, side, side]`, their classes `[batch]` and masks bool `[batch, side, side]`, in order."""
    for start in range(0, len(found), size):
        part = found[start : start + size]
        images = torch.stack([image_tensor(one.path, side) for one in part])
        classes = torch.tensor([one.class_number for one in part])
        masks = [mask_tensor(one.mask, one.path, side) for one in part if one.mask is not None]
        yield images, classes, torch.stack(masks) if len(masks) == len(part) else None


def image_tensor(path: Path, side: int) -> Tensor:
    """Read an image as float32 `[3, side, side]`, resized, cropped at its centre and normalised."""
    shares = pixels(path, side).astype(np.float32) / 255
    normalised = (shares - np.asarray(MEAN, dtype=np.float32)) / np.asarray(DEVIATION, dtype=np.float32)
    return torch.from_numpy(normalised.transpose(2, 0, 1).copy())


def pixels(path: Path, side: int) -> NDArray[np.uint8]:
    """Read an image's colours as uint8 `[side, side, 3]`, resized and cropped in the same way."""
    with _opened(path) as image:
        return np.asarray(_cropped(image.convert("RGB"), side, Image.Resampling.BICUBIC), dtype=np.uint8)


def mask_tensor(path: Path, image: Path, side: int) -> Tensor:
    """Read a mask as bool `[side, side]`, true where it is not black, resized and cropped like its image."""
    with _opened(image) as shown:
        width, height = shown.size
    with _opened(path) as mask:
        if mask.size != (width, height):
            raise Refusal(
                f"{path}: {mask.size[0]} x {mask.size[1]} pixels, but {image} has {width} x {height}; a mask must have "
                "the size of its image"
            )
        return torch.from_numpy(np.asarray(_cropped(mask.convert("L"), side, Image.Resampling.NEAREST)) > 0)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image; refuse a damaged one, one of another format, and one that would exhaust memory."""
    try:
        if not path.is_file():
            raise ValueError("not a plain file")
        bomb = Image.DecompressionBombWarning
        # By default Pillow would try every format that it knows, and run Ghostscript for some of them.
        with warnings.catch_warnings(action="error", category=bomb), Image.open(path, formats=_FORMATS) as image:
            if image.mode[0] in "IF":  # which Pillow would cut to 8 bits
                raise ValueError("more than 8 bits a colour")
            if max(image.size) > _MOST_TIMES * min(image.size):
                raise ValueError(f"{image.size[0]} x {image.size[1]} pixels; a side has up to {_MOST_TIMES} others")
            yield image
    except (Refusal, MemoryError):
        raise
    except Exception as error:  # the exceptions differ between formats
        why = reason(error)
        raise Refusal(f"{path}: not readable as an image ({why}); put one there, or remove the file") from None


def _cropped(image: Image.Image, side: int, resampling: Image.Resampling) -> Image.Image:
    """Scale an image so that its shorter side is `side / CROPPED`, and cut out the central square of `side` pixels."""
    scale = round(side / CROPPED) / min(image.size)
    width, height = (max(side, round(length * scale)) for length in image.size)
    resized = image.resize((width, height), resampling)
    left, top = (width - side) // 2, (height - side) // 2
    return resized.crop((left, top, left + side, top + side))
