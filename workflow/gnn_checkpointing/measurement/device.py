"""CPU or CUDA: which one, when it has finished, and the threads it computes with."""

from __future__ import annotations

from typing import Literal

import torch

from gnn_checkpointing.refusal import Refusal


def chosen_device(asked: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Return the device that a study asks for; `auto` takes CUDA where there is one."""
    available = torch.cuda.is_available()
    if asked == "cuda" and not available:
        raise Refusal("measurement.device is cuda, but torch finds no CUDA device here; use auto or cpu")
    if available and asked != "cpu":
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def finish(device: torch.device) -> None:
    """Wait until the device has done all that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
