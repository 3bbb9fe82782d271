"""What a Vision GNN is explained on: images in ImageNet's layout with masks of their objects, and published weights.

Images lie in one folder per class. Weights are read as data only, and checked against the model name by name.
"""

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gnn_checkpointing.models.vig import Vig
from gnn_checkpointing.refusal import Refusal, reason

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's pixels, with which the published weights were trained."""
CROPPED = 0.9
"""Share of the shorter side that the centre crop keeps."""
_ENDINGS = frozenset({".jpeg", ".jpg", ".png", ".bmp", ".webp"})
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
_MOST_TIMES = 32
"""Largest ratio of the sides: the shorter side is scaled to the model's, and the longer one with it."""
_HEAD = "prediction.4.weight"


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


def load_weights(model: Vig, path: Path) -> None:
    """Load weights in the published key layout into `model`; raises `Refusal` if they belong to another model."""
    found = _tensors(path)
    wanted = model.state_dict()
    for name, tensor in wanted.items():
        given = _named(found, name, path)
        if given.shape != tensor.shape:
            raise Refusal(
                f"{path}: {name} has shape {list(given.shape)}, this model's is {list(tensor.shape)}; choose the "
                "size (--size ti, s or b), image and classes that the file was trained with"
            )
        if given.is_floating_point() != tensor.is_floating_point() or not torch.isfinite(given).all():
            raise Refusal(f"{path}: {name} is not of finite {tensor.dtype} numbers; choose another file")
    # A published file may also hold relative positions, which this model does not read.
    foreign = [name for name in found if name not in wanted and not name.endswith(".relative_pos")]
    if foreign:
        raise Refusal(f"{path}: {foreign[0]} is none of this model's ({len(foreign)} in all); choose another file")
    model.load_state_dict({name: found[name] for name in wanted})


def classes_of(path: Path) -> int:
    """Number of classes of the head in a file of weights; raises `Refusal` if the file has no such head."""
    head = _named(_tensors(path), _HEAD, path)
    return head.size(0) if head.dim() else 0


def _named(tensors: dict[str, Tensor], name: str, path: Path) -> Tensor:
    if name not in tensors:
        raise Refusal(f"{path}: no {name} in it; name a file of ViG weights in the published layout (backbone.0.0...)")
    return tensors[name]


def _tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a file by name, without executing any code from the file."""
    try:
        # torch stores tensors uncompressed; a compressed file may be made to exhaust memory.
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if sum(one.file_size for one in archive.infolist()) > path.stat().st_size:
                    raise ValueError("it is compressed")
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise Refusal(f"{path}: no such file; download the published weights first, or correct the path") from None
    except MemoryError:
        raise
    except Exception as error:  # a damaged file fails in torch, zipfile or struct, each in its own way
        why = reason(error)
        raise Refusal(f"{path}: not a file of weights alone ({why}); name one that was saved by torch.save") from None
    for holder in ("state_dict", "state_dict_ema", "model"):
        if isinstance(content, dict) and isinstance(content.get(holder), dict):
            content = content[holder]
    if not isinstance(content, dict) or not all(isinstance(key, str) and _plain(content[key]) for key in content):
        raise Refusal(f"{path}: holds {type(content).__name__}, not tensors by name; name a file of a state dict")
    tensors = {name.removeprefix("module."): tensor for name, tensor in content.items()}
    if len(tensors) < len(content):
        raise Refusal(f"{path}: has tensors of one name with and without module. before it; keep one of each")
    return tensors


def _plain(value: Any) -> bool:
    """Whether a value is a dense tensor on the CPU."""
    return isinstance(value, Tensor) and value.layout == torch.strided and value.device.type == "cpu"
