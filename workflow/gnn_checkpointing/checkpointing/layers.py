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
    for layer in layers_of(model, "layers"):
        layer.forward = partial(_recomputed, layer, layer.forward)


def layers_of(model: nn.Module, policy: str) -> list[nn.Module]:
    """Return the layers that `policy` recomputes one by one; raises `Refusal` where there are none."""
    blocks = getattr(model, "blocks", None)
    if not isinstance(blocks, nn.ModuleList):
        blocks = (module for module in model.modules() if isinstance(module, MessagePassing))
    layers = list(blocks)
    if not layers:
        raise Refusal(f"policy {policy}: {type(model).__name__} has neither `blocks` nor a PyG message passing layer")
    return layers


def _recomputed(layer: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    # use_reentrant=False: the reentrant form trains nothing where the input needs no gradient, as raw features do.
    return checkpoint(forward, *args, use_reentrant=False, context_fn=partial(recompute_contexts, layer), **kwargs)
