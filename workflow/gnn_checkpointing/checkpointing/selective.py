"""Policy `selective`: each layer keeps its input and the results of its matrix products; all else is recomputed.

Per operator, through `torch.utils.checkpoint.create_selective_checkpoint_contexts`. PyTorch lets no kept result be
changed in place, which decides what can be kept:

| convolution | kept: its matrix products (a layer) | its aggregation, kept as well |
|---|---|---|
| GCN | 1 of nodes | not allowed: PyG scatters in place |
| SAGE, SAGE-max | 2 of nodes | not allowed |
| GIN | 2 of nodes | not allowed |
| GAT | 1 of nodes | not allowed |
| GATv2 | 2 of nodes | not allowed |
| EdgeConv | 2 of edges, a tensor as long as the messages each | not allowed |

For GCN and SAGE (mean), whose layers keep little, this is more than policy `none` keeps. A layer that changes a
matrix product in place, as `nn.ReLU(inplace=True)` after `nn.Linear` and GRU cells do, is refused in its first step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts

from gnn_checkpointing.checkpointing.layers import Changes, Contexts, layers_of, recomputed
from gnn_checkpointing.refusal import Refusal

KEPT = [torch.ops.aten.mm.default, torch.ops.aten.addmm.default, torch.ops.aten.bmm.default]
"""Operators whose results are kept: the only ones whose cost grows with the square of the channels."""


_UNWATCHED = (torch.ops.aten.unsafe_split.Tensor, torch.ops.aten.unsafe_split_with_sizes.default)
"""Parts of a result whose changes in place PyTorch does not count: GRU cells make them of their products."""


def checkpoint_selectively(model: nn.Module, changes: Changes) -> None:
    """Checkpoint each layer of `model`, as policy `layers` does, but keep the results of the operators `KEPT`."""
    for layer in layers_of(model, "selective"):
        changes.set(layer, "forward", partial(recomputed, layer, layer.forward, contexts=partial(_contexts, layer)))


def _contexts(layer: nn.Module) -> Contexts:
    keeping, reading = create_selective_checkpoint_contexts(partial(_kept, layer))  # type: ignore[no-untyped-call]
    return partial(_without_cast_cache, keeping), partial(_reading, layer, reading, {})


def _kept(layer: nn.Module, _: Any, operator: Any, *__: Any, **___: Any) -> CheckpointPolicy:
    """Whether an operator's result is kept."""
    if operator in _UNWATCHED:
        raise _refusal(layer)
    return CheckpointPolicy.MUST_SAVE if operator in KEPT else CheckpointPolicy.PREFER_RECOMPUTE


def _refusal(layer: nn.Module) -> Refusal:
    conv = type(getattr(layer, "conv", layer)).__name__
    return Refusal(
        f"policy selective: {conv} changes a kept result in place (of mm, addmm or bmm), and PyTorch can keep none "
        "that changes; build it without inplace=True and GRU, or take policy layers"
    )


@contextmanager
def _without_cast_cache(inner: AbstractContextManager[Any]) -> Iterator[None]:
    """Inside `inner`, autocast casts a shared weight at every use, so that each pass has the same operators."""
    with ExitStack() as stack:
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                dtype = torch.get_autocast_dtype(device)
                stack.enter_context(torch.autocast(device, dtype=dtype, cache_enabled=False))
        stack.enter_context(inner)
        yield


@contextmanager
def _reading(layer: nn.Module, reading: Any, kept: dict[Any, Any]) -> Iterator[None]:
    """Recompute `layer` from what was kept; a kept result that was changed in place ends in a refusal."""
    kept.update(reading.storage if not kept else {})
    # A copy for each pass: PyTorch consumes what it reads, and a graph may be differentiated twice.
    reading.storage = {key: dict(entries) for key, entries in kept.items()}
    try:
        with _without_cast_cache(reading):
            yield
    except RuntimeError as error:
        cause: BaseException | None = error
        while cause is not None:  # PyG, checking its indices, may have covered PyTorch's complaint
            if "has been mutated" in str(cause):
                raise _refusal(layer) from error
            cause = cause.__context__
        raise
