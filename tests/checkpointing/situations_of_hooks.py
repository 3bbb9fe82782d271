"""Hooks that observe, change values, keep state and draw random numbers, weights made by hooks, and modes."""

from collections.abc import Callable
from typing import Any

import torch
from situations import SITUATIONS, between, inside, loss_of, situation, trained
from small_inputs import X
from small_layers import gradients
from steps_compared import tensors_in
from torch import Tensor, nn
from torch.autograd import graph
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle
from torch_geometric import nn as pyg


def linear_parts(model: nn.Module) -> list[nn.Module]:
    return [part for part in model.modules() if "Linear" in type(part).__name__]


def doubled(model: nn.Module) -> list[RemovableHandle]:
    return [part.register_forward_hook(lambda m, i, out: out * 2) for part in linear_parts(model)]


@situation
def hooks_that_act_and_are_removed_before_the_backward_pass(model: nn.Module) -> Any:
    handles = doubled(model)
    loss = loss_of(model)
    for handle in handles:
        handle.remove()
    loss.backward()
    return gradients(model)


@situation
def a_hook_that_is_removed(model: nn.Module) -> Any:
    handle = model.eval().blocks[0].layer.register_message_forward_hook(lambda m, i, out: out * 3)
    changed = trained(model)
    handle.remove()
    assert not torch.allclose(changed[0], trained(model)[0])
    return changed, trained(model)


SITUATIONS["hooks that come before the backward pass"] = between(doubled)


@situation
def hooks_with_keywords_that_act(model: nn.Module) -> Any:
    for part in linear_parts(model):
        part.register_forward_pre_hook(lambda m, args, named: ((args[0] * 2,), named), with_kwargs=True)
        part.register_forward_hook(lambda m, args, named, out: out.mul(0.5) + 1, with_kwargs=True)
    return trained(model)


FACTOR = 1.0


@situation
def hooks_that_act_by_what_they_keep(model: nn.Module) -> Any:
    """Their state, in closures and globals, changes once per call, and also between the passes."""
    kept: dict[str, Any] = {"means": [], "calls": 0}
    generator = torch.Generator().manual_seed(1)

    def act(module: nn.Module, args: Any, out: Tensor) -> Tensor:
        global FACTOR
        FACTOR *= 1.1
        kept["calls"] += 1
        kept["means"].append(out.detach().mean())
        return out * FACTOR + kept["calls"] * torch.rand(1, generator=generator)

    globals()["FACTOR"] = 1.0
    for part in linear_parts(model):
        part.register_forward_hook(act)
    first = trained(model)
    loss = loss_of(model)
    kept["calls"] = 9
    loss.backward()
    return first, gradients(model), kept, FACTOR, torch.rand(1, generator=generator)


@situation
def hooks_that_draw_or_write_into_another_part(model: nn.Module) -> Any:
    def write(block: nn.Module) -> Callable[..., None]:
        return lambda module, args, out: setattr(block.layer, "scale", 1 + 0 * torch.rand(1) + out.detach().norm())

    for block in model.blocks:
        for part in linear_parts(block):
            part.register_forward_hook(write(block))
        block.layer.register_forward_hook(lambda module, args, out: out * getattr(module, "scale", 1.0))
    return [trained(model) for _ in range(2)]


@situation
def weights_kept_for_a_step(model: nn.Module) -> Any:
    for part in linear_parts(model):
        if type(part) is nn.Linear:
            parametrizations.weight_norm(part)
    return inside(parametrize.cached)(model)


@situation
def weights_made_by_hooks(model: nn.Module) -> Any:
    for part in linear_parts(model):
        if type(part) is nn.Linear:
            spectral_norm(part)
        else:
            prune.l1_unstructured(part, "weight", amount=0.3)
    return [trained(model) for _ in range(2)]


def observed(register: Callable[[nn.Module, Callable[[Any], None]], Any]) -> Callable[[nn.Module], Any]:
    """A situation in which hooks on every module record the module and what they see."""

    def run(model: nn.Module) -> Any:
        seen: list[tuple[str, Any]] = []
        for name, part in model.named_modules():
            register(part, lambda what, name=name: seen.append((name, what)))
        x = X.clone().requires_grad_()
        loss_of(model, x).backward()
        seen.sort(key=lambda entry: entry[0])
        return [name for name, _ in seen], [[t.detach().clone() for t in tensors_in(v)] for _, v in seen], x.grad

    return run


OBSERVED: dict[str, Callable[[nn.Module, Callable[[Any], None]], Any]] = {
    "forward": lambda part, see: part.register_forward_hook(lambda m, i, out: see([i, out])),
    "before forward": lambda part, see: part.register_forward_pre_hook(lambda m, i: see(i)),
    "backward": lambda part, see: part.register_full_backward_hook(lambda m, i, o: see([i, o])),
    "before backward": lambda part, see: part.register_full_backward_pre_hook(lambda m, o: see(o)),
    "message": lambda part, see: (
        isinstance(part, pyg.MessagePassing) and part.register_message_forward_hook(lambda m, i, out: see(out))
    ),
}
SITUATIONS |= {f"hooks that look on: {when}": observed(register) for when, register in OBSERVED.items()}


@situation
def hooks_of_all_modules_that_look_on(model: nn.Module) -> Any:
    seen: list[str] = []
    handle = nn.modules.module.register_module_forward_hook(lambda m, i, out: seen.append(type(m).__name__))
    try:
        loss_of(model).backward()
    finally:
        handle.remove()
    return seen, gradients(model)


@situation
def hooks_on_the_gradients_of_weights(model: nn.Module) -> Any:
    calls: list[str] = []
    for name, weight in model.named_parameters():
        weight.register_hook(lambda gradient: gradient * gradient.norm())
        weight.register_post_accumulate_grad_hook(lambda weight, name=name: calls.append(name))
    loss_of(model).backward()
    return sorted(calls), gradients(model)


class Louder(TorchFunctionMode):
    """Doubles the results of linear maps."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        return out * 2 if function is nn.functional.linear else out


@situation
def a_mode_of_functions_in_the_forward_pass_alone(model: nn.Module) -> Any:
    before = trained(model)
    with Louder():
        loss = loss_of(model)
    loss.backward()
    return before, loss, gradients(model)


@situation
def saved_features_that_may_be_changed(model: nn.Module) -> Any:
    with graph.allow_mutation_on_saved_tensors():
        x = X.clone()
        loss = loss_of(model.eval(), x)
        x.mul_(2)
        loss.backward()
    return gradients(model)
