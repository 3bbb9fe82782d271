"""What every family refuses before a kernel reads memory: wrong numbers, devices and shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

NUMBERS = {torch.float32: "float", torch.float64: "double"}
"""What the C++ kernels compute in, by torch's name and by C++'s."""


def checked(tensors: Mapping[str, tuple[Tensor | None, Sequence[int]]], like: Tensor) -> list[Tensor | None]:
    """The tensors, contiguous, each of the stated shape and of `like`'s type and device; else one `ValueError`."""
    if like.dtype not in NUMBERS:
        raise ValueError(f"the kernels compute in float32 and float64, not {like.dtype}")
    found: list[Tensor | None] = []
    for name, (tensor, shape) in tensors.items():
        if tensor is None:
            found.append(None)
            continue
        if tensor.dtype != like.dtype or tensor.device != like.device:
            raise ValueError(f"{name} is {tensor.dtype} on {tensor.device}: expected {like.dtype} on {like.device}")
        if list(tensor.shape) != list(shape):
            raise ValueError(f"{name} has shape {list(tensor.shape)}: expected {list(shape)}")
        found.append(tensor.contiguous())
    return found


def check_probability(dropout: float) -> None:
    """Raise `ValueError` where `dropout` is no probability."""
    if not 0 <= dropout <= 1:
        raise ValueError(f"dropout is {dropout}: a probability lies between 0 and 1")
