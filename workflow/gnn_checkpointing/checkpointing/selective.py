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

from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts

from gnn_checkpointing.checkpointing.changes import Changes
from gnn_checkpointing.checkpointing.layers import layers_of, recomputed
from gnn_checkpointing.refusal import Refusal

KEPT = [torch.ops.aten.mm.default, torch.ops.aten.addmm.default, torch.ops.aten.bmm.default]
"""Operators whose results are kept: the only ones whose cost grows with the square of the channels."""


_UNWATCHED = (torch.ops.aten.unsafe_split.Tensor, torch.ops.aten.unsafe_split_with_sizes.default)
"""Parts of a result whose changes in place PyTorch does not count: GRU cells make them of their products."""


def checkpoint_selectively(model: nn.Module, changes: Changes) -> None:
    """Checkpoint each layer of `model`, as policy `layers` does, but keep the results of the operators `KEPT`."""
    for layer in layers_of(model, "selective"):
        changes.set(layer, "forward", partial(recomputed, layer, layer.forward, contexts=partial(_contexts, layer)))


def _contexts(layer: nn.Module) -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    keeping, reading = create_selective_checkpoint_contexts(partial(_kept, layer))  # type: ignore[no-untyped-call]
    return _WithoutCastCache(keeping), _WithoutCastCache(_Reading(layer, reading))


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


class _WithoutCastCache(AbstractContextManager[None]):
    """A context in which autocast casts a shared weight at every use, so that each pass has the same operators."""

    def __init__(self, inner: AbstractContextManager[Any]) -> None:
        self._inner = inner

    def __enter__(self) -> None:
        self._stack = ExitStack()
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                dtype = torch.get_autocast_dtype(device)
                self._stack.enter_context(torch.autocast(device, dtype=dtype, cache_enabled=False))
        self._stack.enter_context(self._inner)

    def __exit__(self, *error: Any) -> bool | None:
        return self._stack.__exit__(*error)


class _Reading(AbstractContextManager[None]):
    """Recompute `layer` from what was kept; a kept result that was changed in place ends in a refusal."""

    def __init__(self, layer: nn.Module, reading: Any) -> None:
        self._layer, self._reading = layer, reading
        self._kept: dict[Any, Any] | None = None

    def __enter__(self) -> None:
        if self._kept is None:
            self._kept = self._reading.storage
        # A copy for each pass: PyTorch consumes what it reads, and a graph may be differentiated twice.
        self._reading.storage = {key: dict(entries) for key, entries in self._kept.items()}
        self._reading.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._reading.__exit__(kind, error, trace)
        if isinstance(error, RuntimeError) and _says_mutated(error):
            raise _refusal(self._layer) from error


def _says_mutated(error: BaseException | None) -> bool:
    """Say whether PyTorch complains of a changed result; PyG, checking its indices, may have covered the complaint."""
    while error is not None:
        if "has been mutated" in str(error):
            return True
        error = error.__context__
    return False
