"""The policies by name: what a study file or a user writes, and the function that wraps the model."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from gnn_checkpointing.checkpointing.edge_blocks import block_all_layers
from gnn_checkpointing.checkpointing.layers import checkpoint_layers
from gnn_checkpointing.policy_names import PolicyName, parse_policy
from gnn_checkpointing.refusal import Refusal


def _nothing(model: nn.Module, name: PolicyName) -> None:
    """Leave the model as it is."""


def _layers(model: nn.Module, name: PolicyName) -> None:  # noqa: ARG001 - one signature for all policies
    checkpoint_layers(model)


def _edge_blocks(model: nn.Module, name: PolicyName) -> None:
    block_all_layers(model, name.count)


_WRAPPERS: dict[str, Callable[[nn.Module, PolicyName], None]] = {
    "none": _nothing,
    "layers": _layers,
    "edge_blocks": _edge_blocks,
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
