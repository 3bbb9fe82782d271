"""The policies by name: what a study file or a user writes, and the function that wraps the model."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from gnn_checkpointing.checkpointing.compiled import compile_whole
from gnn_checkpointing.checkpointing.compiled_edge_blocks import compile_all_blocks
from gnn_checkpointing.checkpointing.edge_blocks import block_all_layers
from gnn_checkpointing.checkpointing.fused_edge_blocks import fuse_all_blocks
from gnn_checkpointing.checkpointing.layers import checkpoint_layers
from gnn_checkpointing.checkpointing.layers_and_edge_blocks import checkpoint_layers_of_blocks
from gnn_checkpointing.checkpointing.memory_budget import compile_within
from gnn_checkpointing.checkpointing.offloaded import offload
from gnn_checkpointing.checkpointing.reversible import reverse_blocks
from gnn_checkpointing.checkpointing.segments import checkpoint_segments
from gnn_checkpointing.checkpointing.selective import checkpoint_selectively
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.policy_names import PolicyName, parse_policy


def _segments(model: nn.Module, name: PolicyName) -> None:
    assert name.count is not None  # its form has a number
    checkpoint_segments(model, name.count)


def _memory_budget(model: nn.Module, name: PolicyName) -> None:
    assert name.argument is not None  # its form has a number
    compile_within(model, name.argument)


_WRAPPERS: dict[str, Callable[[nn.Module, PolicyName], None]] = {
    "none": lambda *_: None,
    "layers": lambda model, _: checkpoint_layers(model),
    "segments": _segments,
    "selective": lambda model, _: checkpoint_selectively(model),
    "edge_blocks": lambda model, name: block_all_layers(model, name.count),
    "layers+edge_blocks": lambda model, name: checkpoint_layers_of_blocks(model, name.count),
    "compiled": lambda model, _: compile_whole(model),
    "memory_budget": _memory_budget,
    "compiled_edge_blocks": lambda model, name: compile_all_blocks(model, name.count),
    "fused_edge_blocks": lambda model, name: fuse_all_blocks(model, name.count),
    "reversible": lambda model, _: reverse_blocks(model),
    "offloaded": lambda model, _: offload(model),
}


def apply(model: nn.Module, policy: str) -> nn.Module:
    """Make `model` compute by `policy`, in place, and return it; parameters and their names stay as they are.

    Raises `Refusal` where the policy is unknown or would change what the model computes, and `Unavailable` where
    this machine lacks what the policy needs.
    """
    name = parse_policy(policy)
    if name.kind not in _WRAPPERS:
        raise Refusal(f"policy {policy} cannot be applied yet")
    _WRAPPERS[name.kind](model, name)
    return model
