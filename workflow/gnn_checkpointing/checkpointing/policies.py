"""The policies by name: what a study file or a user writes, and the function that wraps the model."""

from __future__ import annotations

import re

from torch import nn

from gnn_checkpointing.checkpointing.edge_blocks import block_all_layers
from gnn_checkpointing.checkpointing.layers import checkpoint_layers
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study import POLICY_FORMS, POLICY_HELP


def apply(model: nn.Module, policy: str) -> nn.Module:
    """Make `model` compute by `policy`, in place, and return it; parameters and their names stay as they are.

    Raises `Refusal` where the policy is unknown or would change what the model computes.
    """
    name, size = _parsed(policy)
    if name == "layers":
        checkpoint_layers(model)
    elif name == "edge_blocks":
        block_all_layers(model, size)
    return model


def _parsed(policy: str) -> tuple[str, int | None]:
    """Return a policy's name and its number of edges per block, if it gives one."""
    for name, form in POLICY_FORMS.items():
        if re.fullmatch(form, policy):
            size = re.search(r"\(([0-9]+)\)", policy)
            return name, int(size[1]) if size else None
    raise Refusal(f"unknown policy {policy!r}; allowed: {POLICY_HELP}")
