"""CPU or CUDA: which one, how PyTorch is set there, and when it has finished."""

from __future__ import annotations

import os
from typing import Literal

import torch

from gnn_checkpointing.records.machine import Accelerator
from gnn_checkpointing.refusal import Refusal


def chosen_device(asked: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Return the device that a study asks for; `auto` takes CUDA where there is one."""
    available = torch.cuda.is_available()
    if asked == "cuda" and not available:
        raise Refusal("measurement.device is cuda, but torch finds no CUDA device here; use auto or cpu")
    if available and asked != "cpu":
        # The first that CUDA_VISIBLE_DEVICES shows; asking for the current one would initialise CUDA, and other
        # processes on the device are looked for before that.
        return torch.device("cuda", 0)
    return torch.device("cpu")


def full_precision(device: torch.device) -> None:
    """Compute products in float32 on CUDA, too, where convolutions take TF32 (10 bits of mantissa) otherwise.

    Policies would differ by its rounding more than the tolerance of sameness allows. The older of PyTorch's two ways to
    say so: it sets both, and the two must not contradict each other.
    """
    if device.type == "cuda":
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False


def accelerator(device: torch.device) -> Accelerator | None:
    """Return what a record says of a CUDA device; None for the CPU."""
    if device.type != "cuda":
        return None
    found = torch.cuda.get_device_properties(device)
    return Accelerator(
        name=found.name,
        memory_bytes=int(found.total_memory),
        compute_capability=f"{found.major}.{found.minor}",
        cuda=str(torch.version.cuda or torch.version.hip),
        allocator=f"{torch.cuda.get_allocator_backend()}, {os.environ.get('PYTORCH_ALLOC_CONF', 'as it comes')}",
        tf32=torch.backends.cudnn.allow_tf32 or torch.get_float32_matmul_precision() != "highest",
    )


def finish(device: torch.device) -> None:
    """Wait until the device has done all that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
