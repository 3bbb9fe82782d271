"""Explain and verify a policy: a table of the model's layers, and a training step compared with and without it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch_geometric.nn import MessagePassing

from gnn_checkpointing.checkpointing.attached import require_module
from gnn_checkpointing.checkpointing.cut_layer import cut_layer_of
from gnn_checkpointing.checkpointing.given import flattened, is_tensor, leaves_of
from gnn_checkpointing.checkpointing.random_states import RandomStates, random_restored
from gnn_checkpointing.checkpointing.trial import layer_refusal
from gnn_checkpointing.refusal import Refusal

TOLERANCE = 1e-4
"""Relative tolerance for sums in another order; a policy that computes something else is off by far more."""


@dataclass(frozen=True)
class LayerExplanation:
    """One message passing layer: its name, class and policy, the reason for that policy, and bytes if known.

    `message_bytes` is the size of one tensor of all messages, which the layer would hold without a policy;
    `block_bytes` is the part of it that the layer holds at a time. Both are known after a forward pass.
    """

    name: str
    layer: str
    policy: str
    reason: str
    message_bytes: int | None = None
    block_bytes: int | None = None


@dataclass(frozen=True)
class Explanation:
    """The layers of a model, in order; prints as a table."""

    layers: tuple[LayerExplanation, ...]

    def __str__(self) -> str:
        """Table with one line for each layer."""
        rows = [("layer", "class", "policy", "messages at a time", "reason")]
        rows += [(row.name or "(model)", row.layer, row.policy, _held(row), row.reason) for row in self.layers]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[4]]) for row in rows]
        return "\n".join(line.rstrip() for line in lines)


def explain(model: nn.Module) -> Explanation:
    """Explain which policy each message passing layer of `model` has, and why; bytes are known after a forward pass.

    >>> import torch
    >>> from torch_geometric.nn import GraphSAGE
    >>> from gnn_checkpointing import apply, explain
    >>> model = apply(GraphSAGE(64, 64, num_layers=2), "edge_blocks(16384)")
    >>> out = model(torch.randn(1024, 64), torch.arange(65536).remainder(1024).repeat(2, 1))
    >>> print(explain(model))
    layer    class     policy       messages at a time  reason
    convs.0  SAGEConv  edge_blocks  4.0 of 16.0 MiB     4 blocks of at most 16,384 edges
    convs.1  SAGEConv  edge_blocks  4.0 of 16.0 MiB     4 blocks of at most 16,384 edges
    """
    require_module(model)
    parts = dict(model.named_modules())
    # That of a cut layer has no arguments of its own.
    replaced = {name: vars(part).get("forward") for name, part in parts.items()}
    whole = [name for name, function in replaced.items() if isinstance(function, partial) and function.args]
    layers = [(name, layer) for name, layer in parts.items() if isinstance(layer, MessagePassing)]
    return Explanation(tuple(_explained(name, layer, whole) for name, layer in layers))


def _explained(name: str, layer: nn.Module, recomputed: list[str]) -> LayerExplanation:
    cut, kind = cut_layer_of(layer), type(layer).__name__
    if cut is not None:
        policy = "layers+edge_blocks" if name in recomputed else cut.computes_by
        return LayerExplanation(name, kind, policy, cut.reason, cut.message_bytes, cut.block_bytes)
    if name in recomputed:
        return LayerExplanation(name, kind, "layers", layer_refusal(layer) or "as asked for")
    for around in recomputed:
        if around and name.startswith(f"{around}."):
            return LayerExplanation(name, kind, "layers", f"{around} is recomputed whole")
    return LayerExplanation(name, kind, "none", "no policy is on this layer")


def _held(row: LayerExplanation) -> str:
    if row.message_bytes is None or row.block_bytes is None:
        return "?"
    return f"{row.block_bytes / 2**20:.1f} of {row.message_bytes / 2**20:.1f} MiB"


_GRADIENT = "gradient of "


def verify_step(model: nn.Module, wrap: Callable[[nn.Module], None], batch: Any, policy: str) -> None:
    """Raise `Refusal` if a training step differs between a copy of `model` and a copy that `wrap` has changed.

    Dropout masks drawn for blocks of messages differ from those drawn for all messages at once, although they have the
    same distribution. A model that draws random numbers is therefore compared in evaluation mode.
    """
    leaves, structure = flattened(_arguments(batch))
    device = next((leaf.device for leaf in leaves if isinstance(leaf, Tensor)), torch.device("cpu"))
    states = RandomStates.now(device)
    held = (value for part in model.modules() for value in leaves_of(list(vars(part).values())))
    kept = [value for value in held if is_tensor(value) and not value.is_leaf]  # outputs, which deepcopy refuses

    def step(change: Callable[[nn.Module], None], evaluates: bool) -> tuple[dict[str, Tensor], bool]:
        copied = copy.deepcopy(model, {id(tensor): tensor.detach().clone() for tensor in kept})
        change(copied)
        with random_restored(states):
            given = pytree.tree_unflatten(leaves, structure)  # a model may write into the objects that it gets
            return _step(copied.eval() if evaluates else copied, *given), states != RandomStates.now(device)

    try:
        expected, draws = step(lambda _: None, evaluates=False)
    except Exception as error:
        raise Refusal(
            f"verify: {type(model).__name__} does not run on this batch ({type(error).__name__}: {error}); give the "
            "arguments of its forward pass"
        ) from error
    if draws:
        expected, _ = step(lambda _: None, evaluates=True)
    try:
        found, _ = step(wrap, evaluates=draws)
    except RuntimeError as error:  # such as that of a layer whose second run differs from its first
        raise Refusal(f"policy {policy}: {error}") from error
    # Some gradients are zero in exact arithmetic, since a softmax is invariant to a shift of its scores.
    rounding = 1e-7 * max(
        (float(grad.norm()) for name, grad in expected.items() if name.startswith(_GRADIENT)), default=0.0
    )
    for name, value in expected.items():
        other = found.get(name)
        if other is None or not _alike(value, other, rounding if name.startswith(_GRADIENT) else 0.0):
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
    """Loss (sum of the outputs' mean squares), gradients and buffers of one training step, by name."""
    with torch.enable_grad():
        outs = [part for part in flattened(model(*args, **kwargs))[0] if isinstance(part, Tensor)]
        numbers = [out for out in outs if out.is_floating_point() or out.is_complex()]
        if not numbers:
            raise ValueError("it returns no floating-point tensor, so there is nothing to compare")
        loss = sum((out.abs().float().square().mean() for out in numbers), start=torch.zeros(()))
        model.zero_grad(set_to_none=True)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call] # torch annotates it partly
    found = {"loss": loss.detach()}
    found |= {f"{_GRADIENT}{name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
    return found | {f"buffer {name}": buffer.clone() for name, buffer in model.named_buffers()}


def _alike(one: Tensor, other: Tensor, rounding: float) -> bool:
    one, other = one.detach().double(), other.detach().double()
    return bool((one - other).norm() <= TOLERANCE * one.norm() + rounding + 1e-12)
