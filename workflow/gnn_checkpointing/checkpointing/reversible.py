"""Policy `reversible`: PyG's GroupAddRev computes each block's input from its output and keeps neither.

It needs a model built of such blocks, which is not the model that `none` trains; the baseline is the same reversible
model with its memory saving off. Inputs are recovered by subtraction, so gradients differ by rounding.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch_geometric.nn import GroupAddRev, MessagePassing

from gnn_checkpointing.checkpointing.attached import put
from gnn_checkpointing.checkpointing.recomputation import with_tensors
from gnn_checkpointing.refusal import Refusal


def drops_at_random(model: nn.Module) -> str | None:
    """Name of the first submodule of `model` with a dropout rate above 0, or None."""
    for name, module in model.named_modules():
        between = module.p if isinstance(module, nn.modules.dropout._DropoutNd) else 0.0
        inside = getattr(module, "dropout", 0.0) if isinstance(module, MessagePassing) else 0.0
        if between > 0 or (isinstance(inside, float | int) and inside > 0):
            return name or type(model).__name__
    return None


def reverse_blocks(model: nn.Module) -> None:
    """Policy `reversible`: turn on the memory saving of every GroupAddRev in `model`."""
    blocks = [module for module in model.modules() if isinstance(module, GroupAddRev)]
    if not blocks:
        raise Refusal(
            f"policy reversible: {type(model).__name__} has no torch_geometric.nn.GroupAddRev; build its blocks of "
            "them, as models.stack.build_reversible_stack does"
        )
    for block in blocks:
        if name := drops_at_random(block):
            raise Refusal(
                f"policy reversible: {name} of a reversible block drops at random, and computing its input back "
                "draws other masks; drop outside the block"
            )
    for block in blocks:
        put(block, "disable", False)
        put(block, "_inverse", partial(_held, block, block._inverse))
        put(block, "_forward", partial(_held_in_backward, block, block._forward))


def _held(block: nn.Module, function: Callable[..., Any], *args: Any) -> Any:
    """Rerun a block on copies of its buffers: BatchNorm would update the originals a second time (pytorch#96136)."""
    copies = {name: buffer.clone() for name, buffer in block.named_buffers()}
    return with_tensors(block, copies, partial(function, *args))


def _held_in_backward(block: GroupAddRev, forward: Callable[..., Any], *args: Any) -> Any:
    # PyG runs a block's forward pass without gradients, and again with gradients in the backward pass.
    again = torch.is_grad_enabled() and not block.disable
    return _held(block, forward, *args) if again else forward(*args)
