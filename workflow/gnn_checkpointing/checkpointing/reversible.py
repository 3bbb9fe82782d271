"""Policy `reversible`: PyG's GroupAddRev computes each block's input back from its output and keeps neither.

It needs a model made of such blocks, which is another model than `none` trains; the same model with the saving
off is what it is compared with. Inputs come back by subtraction, so gradients differ by rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch_geometric.nn import GroupAddRev

from gnn_checkpointing.checkpointing.changes import Changes
from gnn_checkpointing.checkpointing.compilation import drops_at_random
from gnn_checkpointing.checkpointing.recomputation import with_tensors
from gnn_checkpointing.refusal import Refusal


def reverse_blocks(model: nn.Module, changes: Changes) -> None:
    """Turn on the memory saving of every GroupAddRev in `model`."""
    blocks = [module for module in model.modules() if isinstance(module, GroupAddRev)]
    if not blocks:
        raise Refusal(
            f"policy reversible: {type(model).__name__} has no torch_geometric.nn.GroupAddRev; build its blocks of "
            "them, as models.reversible.build_reversible_stack does"
        )
    for block in blocks:
        if name := drops_at_random(block):
            raise Refusal(
                f"policy reversible: {name} of a reversible block drops at random, and computing its input back "
                "draws other masks; drop outside the block"
            )
    for block in blocks:
        changes.set(block, "disable", False)
        changes.set(block, "_inverse", partial(_held, block, block._inverse))
        changes.set(block, "_forward", partial(_held_in_backward, block, block._forward))


def _held(block: nn.Module, function: Callable[..., Any], *args: Any) -> Any:
    """Run a block once more on copies of its buffers: BatchNorm would update its own again (pytorch#96136)."""
    copies = {name: buffer.clone() for name, buffer in block.named_buffers()}
    return with_tensors(block, copies, partial(function, *args))


def _held_in_backward(block: GroupAddRev, forward: Callable[..., Any], *args: Any) -> Any:
    # PyG runs a block's forward pass without gradients, and once more with them in the backward pass.
    again = torch.is_grad_enabled() and not block.disable
    return _held(block, forward, *args) if again else forward(*args)
