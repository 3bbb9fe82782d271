"""Policy `offloaded`: what is saved for backward waits in pinned memory of the host; nothing is recomputed (CUDA)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn
from torch.autograd.graph import save_on_cpu

from gnn_checkpointing.checkpointing.changes import Changes
from gnn_checkpointing.refusal import Unavailable


def offload(model: nn.Module, changes: Changes) -> None:
    """Move what the forward pass of `model` saves to the host, and back when the backward pass asks for it."""
    if not all(parameter.is_cuda for parameter in model.parameters()):
        raise Unavailable("policy offloaded needs a CUDA device: on CPU there is nowhere to offload to")
    changes.set(model, "forward", partial(_offloaded, model.forward))


def _offloaded(forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with save_on_cpu(pin_memory=True):
        return forward(*args, **kwargs)
