"""One training step with and without a policy: the same loss, gradients and buffers, or a refusal."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from gnn_checkpointing.checkpointing.recomputation import RandomStates, random_restored
from gnn_checkpointing.refusal import Refusal

TOLERANCE = 1e-4
"""Relative, of sums in another order; a policy that computes something else is off by far more."""


def verify_step(model: nn.Module, remove: Callable[[nn.Module], nn.Module], batch: Any, policy: str) -> None:
    """Raise `Refusal` where a step of `model` differs from one of its copy without the policy; `model` stays unchanged.

    Masks of dropout differ between a message cut into blocks and a whole one, though their law is the same: a model
    that draws random numbers is compared in evaluation mode.
    """
    args, kwargs = _arguments(batch)
    device = next((p.device for p in pytree.tree_leaves((args, kwargs)) if isinstance(p, Tensor)), torch.device("cpu"))
    states = RandomStates.now(device)

    def step(change: Callable[[nn.Module], nn.Module], evaluates: bool) -> tuple[dict[str, Tensor], bool]:
        copied = change(copy.deepcopy(model))
        with random_restored(states):
            return _step(copied.eval() if evaluates else copied, args, kwargs), states != RandomStates.now(device)

    try:
        expected, draws = step(remove, evaluates=False)
    except Exception as error:
        raise Refusal(
            f"verify: {type(model).__name__} does not run on this batch ({type(error).__name__}: {error}); give the "
            "arguments of its forward pass"
        ) from error
    if draws:
        expected, _ = step(remove, evaluates=True)
    found, _ = step(lambda copied: copied, evaluates=draws)
    for name, value in expected.items():
        other = found.get(name)
        if other is None or not _alike(value, other):
            raise Refusal(f"policy {policy} changes the {name} of {type(model).__name__} on the batch given to verify")


def _arguments(batch: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(batch, tuple | list):
        return tuple(batch), {}
    if isinstance(batch, dict):
        return (), dict(batch)
    if hasattr(batch, "x_dict"):
        return (batch.x_dict, batch.edge_index_dict), {}
    if hasattr(batch, "edge_index"):
        return (batch.x, batch.edge_index), {}
    raise Refusal(
        f"verify is a {type(batch).__name__}; give the arguments of the model's forward pass as a tuple or a "
        "dictionary, or a PyG Data or HeteroData"
    )


def _step(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Tensor]:
    """The loss (the mean square of all outputs), the gradients and the buffers of one step, by name."""
    with torch.enable_grad():
        outs = [part for part in pytree.tree_leaves(model(*args, **kwargs)) if isinstance(part, Tensor)]
        loss = torch.stack([out.float().square().mean() for out in outs if out.is_floating_point()]).sum()
        model.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    found = {"loss": loss.detach()}
    found |= {f"gradient of {name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
    return found | {f"buffer {name}": buffer.clone() for name, buffer in model.named_buffers()}


def _alike(one: Tensor, other: Tensor) -> bool:
    one, other = one.detach().double(), other.detach().double()
    return bool((one - other).norm() <= TOLERANCE * one.norm() + 1e-12)
