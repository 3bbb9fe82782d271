"""Policy `layers`: each layer keeps its input and is recomputed whole in the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils.checkpoint import checkpoint
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.changes import Changes
from gnn_checkpointing.checkpointing.hooks import all_modules_hooked
from gnn_checkpointing.checkpointing.recomputation import Rerunnable
from gnn_checkpointing.refusal import Refusal

Contexts = Callable[[], tuple[AbstractContextManager[Any], AbstractContextManager[Any]]]


def _no_contexts() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    return nullcontext(), nullcontext()


def checkpoint_layers(model: nn.Module, changes: Changes, *, compiled: bool = True) -> None:
    """Checkpoint each layer of `model`: its `blocks` where it has a list of them, else each message passing layer.

    Without `compiled` the compiler runs past them: of a layer in parts it would update the buffers twice.
    """
    for layer in layers_of(model, "layers"):
        changes.set(layer, "forward", partial(recomputed if compiled else recomputed_uncompiled, layer, layer.forward))


def layers_of(model: nn.Module, policy: str) -> list[nn.Module]:
    """The layers that `policy` recomputes one by one; raises `Refusal` where there are none."""
    blocks = getattr(model, "blocks", None)
    if not isinstance(blocks, nn.ModuleList):
        blocks = (module for module in model.modules() if isinstance(module, MessagePassing))
    layers = list(blocks)
    if not layers:
        raise Refusal(f"policy {policy}: {type(model).__name__} has neither `blocks` nor a PyG message passing layer")
    return layers


def recomputed(
    module: nn.Module, forward: Callable[..., Any], *args: Any, contexts: Contexts = _no_contexts, **kwargs: Any
) -> Any:
    """`forward(*args, **kwargs)`, a part of `module`, recomputed in the backward pass."""
    tensors = [part for part in pytree.tree_leaves((args, kwargs)) if isinstance(part, Tensor)]
    # PyG sorts a COO matrix in place, which a saved one must not be; `torch.func` knows no recomputation.
    sorted_in_place = any(tensor.layout == torch.sparse_coo for tensor in tensors)
    transformed = torch._C._functorch.maybe_current_level() is not None
    if not torch.is_grad_enabled() or sorted_in_place or transformed or all_modules_hooked():
        return forward(*args, **kwargs)
    # use_reentrant=False: the reentrant form trains nothing where the input needs no gradient, as raw features do.
    if torch.compiler.is_compiling():
        # The compiler makes random numbers and updates of buffers part of its graph, so that each happens once.
        return checkpoint(forward, *args, use_reentrant=False, **kwargs)
    device = next((tensor.device for tensor in tensors), torch.device("cpu"))
    function = Rerunnable(module, forward, device, contexts())
    # Random states are the rerunnable's: of Python's and NumPy's generators `checkpoint` knows nothing.
    return checkpoint(function, *args, use_reentrant=False, preserve_rng_state=False, **kwargs)


@torch.compiler.disable(  # type: ignore[no-untyped-call,untyped-decorator]
    reason="what is cut into edge blocks runs between compiled graphs: leave out fullgraph=True"
)
def recomputed_uncompiled(module: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """As `recomputed`, past `torch.compile`."""
    return recomputed(module, forward, *args, **kwargs)
