"""Policy `layers`: each layer keeps its input and is recomputed whole in the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.running_statistics import recompute_contexts
from gnn_checkpointing.refusal import Refusal


def checkpoint_layers(model: nn.Module) -> None:
    """Checkpoint each layer of `model`: its `blocks` where it has a list of them, else each message passing layer."""
    layers = _layers(model)
    if not layers:
        raise Refusal(f"policy layers: {type(model).__name__} has neither `blocks` nor a PyG message passing layer")
    for layer in layers:
        layer.forward = partial(_recomputed, layer, layer.forward)


def _layers(model: nn.Module) -> list[nn.Module]:
    blocks = getattr(model, "blocks", None)
    if isinstance(blocks, nn.ModuleList):
        return list(blocks)
    return [module for module in model.modules() if isinstance(module, MessagePassing)]


def _recomputed(layer: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    # use_reentrant=False: the reentrant form trains nothing where the input needs no gradient, as raw features do.
    return checkpoint(forward, *args, use_reentrant=False, context_fn=partial(recompute_contexts, layer), **kwargs)
