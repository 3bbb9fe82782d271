"""Load published ViG weights, as data only, and check them against the model name by name."""

import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gnn_checkpointing.models.vig import Vig
from gnn_checkpointing.refusal import Refusal, reason

_HEAD = "prediction.4.weight"


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
        if zipfile.is_zipfile(path) and sum(one.file_size for one in _members(path)) > path.stat().st_size:
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


def _members(path: Path) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(path) as archive:
        return archive.infolist()


def _plain(value: Any) -> bool:
    """Whether a value is a dense tensor on the CPU."""
    return isinstance(value, Tensor) and value.layout == torch.strided and value.device.type == "cpu"
