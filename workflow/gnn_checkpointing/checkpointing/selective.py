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
matrix product in place, as `nn.ReLU(inplace=True)` after `nn.Linear` does, is refused in its first backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import create_selective_checkpoint_contexts

from gnn_checkpointing.checkpointing.changes import Changes
from gnn_checkpointing.checkpointing.layers import layers_of, recomputed
from gnn_checkpointing.refusal import Refusal

KEPT = [torch.ops.aten.mm.default, torch.ops.aten.addmm.default, torch.ops.aten.bmm.default]
"""Operators whose results are kept: the only ones whose cost grows with the square of the channels."""


def checkpoint_selectively(model: nn.Module, changes: Changes) -> None:
    """Checkpoint each layer of `model`, as policy `layers` does, but keep the results of the operators `KEPT`."""
    for layer in layers_of(model, "selective"):
        changes.set(layer, "forward", partial(recomputed, layer, layer.forward, contexts=partial(_contexts, layer)))


def _contexts(layer: nn.Module) -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    keeping, reading = create_selective_checkpoint_contexts(KEPT)  # type: ignore[no-untyped-call]
    return keeping, _recomputing(layer, reading)


@contextmanager
def _recomputing(layer: nn.Module, reading: AbstractContextManager[Any]) -> Iterator[None]:
    """Recompute `layer`; a kept result that was changed in place ends in a refusal."""
    try:
        with reading:
            yield
    except RuntimeError as error:
        if not _says_mutated(error):
            raise
        conv = type(getattr(layer, "conv", layer)).__name__
        raise Refusal(
            f"policy selective: {conv} changes a kept result in place (of mm, addmm or bmm), and PyTorch can keep none "
            "that is changed afterwards; build it without inplace=True"
        ) from error


def _says_mutated(error: BaseException | None) -> bool:
    """Say whether PyTorch complains of a changed result; PyG, checking its indices, may have covered the complaint."""
    while error is not None:
        if "has been mutated" in str(error):
            return True
        error = error.__context__
    return False
