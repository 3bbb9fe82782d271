"""Policy `segments`: blocks in k runs of near-equal length; a run keeps its input and is recomputed whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from gnn_checkpointing.checkpointing.changes import Changes
from gnn_checkpointing.checkpointing.layers import recomputed
from gnn_checkpointing.refusal import Refusal


def checkpoint_segments(model: nn.Module, changes: Changes, num_segments: int) -> None:
    """Checkpoint the blocks of `model` in `num_segments` segments.

    Where a segment ends, its output alone goes on to the next: the model must say how, by a method
    `through_blocks(blocks, x, ...)` that its forward pass calls with its `blocks`, as `models.stack.Stack` does.
    """
    blocks, through = getattr(model, "blocks", None), getattr(model, "through_blocks", None)
    if not isinstance(blocks, nn.ModuleList) or through is None:
        raise Refusal(
            f"policy segments: {type(model).__name__} has no list `blocks` with a method `through_blocks(blocks, x, "
            "...)` that runs some of them one after another"
        )
    if num_segments > len(blocks):
        raise Refusal(f"policy segments({num_segments}): {type(model).__name__} has only {len(blocks)} blocks")
    changes.set(model, "through_blocks", partial(_by_segments, through, num_segments))


def segments_of(blocks: Sequence[nn.Module], num_segments: int) -> list[nn.ModuleList]:
    """`blocks` cut into consecutive segments whose lengths differ by at most one, the longer ones first."""
    length, longer = divmod(len(blocks), num_segments)
    ends = [length * segment + min(segment, longer) for segment in range(num_segments + 1)]
    return [nn.ModuleList(list(blocks)[start:end]) for start, end in pairwise(ends)]


def _by_segments(
    through: Callable[..., Tensor], num_segments: int, blocks: Sequence[nn.Module], x: Tensor, *rest: Any
) -> Tensor:
    for segment in segments_of(blocks, num_segments):
        x = recomputed(segment, through, segment, x, *rest)
    return x
