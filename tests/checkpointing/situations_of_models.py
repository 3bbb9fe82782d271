"""Hooks, modes, copies, files, threads and recordings of a model."""

import copy
import io
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from situations import OTHER_EDGES, OTHER_X, SITUATIONS, between, loss_of, situation, trained
from small_inputs import EDGES, NODES, C, X, different_edges, drawn
from small_layers import gradients
from steps_compared import tensors_in
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm
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
    """What they keep, in themselves or among the globals, changes once a step, and meanwhile."""
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
    with parametrize.cached():
        return trained(model)


@situation
def weights_made_by_hooks(model: nn.Module) -> Any:
    for part in linear_parts(model):
        if type(part) is nn.Linear:
            spectral_norm(part)
        else:
            prune.l1_unstructured(part, "weight", amount=0.3)
    return [trained(model) for _ in range(2)]


def observed(register: Callable[[nn.Module, str, list], Any]) -> Callable[[nn.Module], Any]:
    """A situation in which every module of a model has hooks that note what they see, and for which module."""

    def run(model: nn.Module) -> Any:
        seen: list[tuple[str, Any]] = []
        for name, part in model.named_modules():
            register(part, name, seen)
        x = X.clone().requires_grad_()
        loss_of(model, x).backward()
        seen.sort(key=lambda entry: entry[0])
        return [name for name, _ in seen], [[t.detach().clone() for t in tensors_in(v)] for _, v in seen], x.grad

    return run


OBSERVED: dict[str, Callable[[nn.Module, str, list], Any]] = {
    "forward": lambda part, name, seen: part.register_forward_hook(lambda m, i, out: seen.append((name, [i, out]))),
    "before forward": lambda part, name, seen: part.register_forward_pre_hook(lambda m, i: seen.append((name, i))),
    "backward": lambda part, name, seen: part.register_full_backward_hook(lambda m, i, o: seen.append((name, [i, o]))),
    "before backward": lambda part, name, seen: part.register_full_backward_pre_hook(
        lambda m, o: seen.append((name, o))
    ),
    "message": lambda part, name, seen: (
        part.register_message_forward_hook(lambda m, i, out: seen.append((name, out)))
        if isinstance(part, pyg.MessagePassing)
        else None
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


# --- modes, copies and files


def after_a_look(mode: Callable[[], Any]) -> Callable[[nn.Module], Any]:
    """The same graph is validated first; a table of inference tensors must not reach the training step."""

    def run(model: nn.Module) -> Any:
        model.eval()
        with mode():
            assert not model(X, EDGES).requires_grad
            inside = model(X.clone(), EDGES.clone()).clone()  # edges made in the mode
        model.train()
        return inside, trained(model)

    return run


SITUATIONS |= {f"after a look in {mode.__name__}": after_a_look(mode) for mode in (torch.inference_mode, torch.no_grad)}


@situation
def edges_made_in_inference_mode(model: nn.Module) -> Any:
    with torch.inference_mode():
        edges = EDGES.clone()
    return trained(model, edges=edges)


@situation
def a_copy_has_weights_of_its_own(model: nn.Module) -> Any:
    trained(model)
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    return trained(twin.eval())


@situation
def a_pickled_model_carries_no_graph(model: nn.Module) -> Any:
    """A graph of 20,000 edges would add 320,000 bytes; the model has some hundred weights."""
    model.eval()
    small = len(pickle.dumps(model))
    trained(model, drawn(200, C, seed=81), different_edges(200, 200, 20_000, seed=80))
    model.zero_grad()
    file = io.BytesIO()
    torch.save(model, file)
    assert len(pickle.dumps(model)) < small + 2_000
    assert len(file.getvalue()) < 100_000
    file.seek(0)
    return [trained(twin) for twin in (pickle.loads(pickle.dumps(model)), torch.load(file, weights_only=False))]


@situation
def names_of_weights_and_modules_stay(model: nn.Module) -> Any:
    trained(model)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict({name: value * 2 for name, value in state.items()})
    names = [name for name, _ in model.named_modules()], [type(part).__name__ for part in model.modules()]
    return list(state), names, repr(model), trained(model)


@situation
def weights_drawn_again_and_moved_to_another_precision(model: nn.Module) -> Any:
    trained(model)
    for block in model.blocks:
        block.layer.reset_parameters()
    return trained(model.eval().double(), X.double())


@situation
def numbers_of_other_precisions(model: nn.Module) -> Any:
    out = model.eval().bfloat16()(X.bfloat16(), EDGES)
    return str(out.dtype), out.shape


@situation
def two_models_in_two_threads(model: nn.Module) -> Any:
    models = [model.eval(), copy.deepcopy(model).eval()]

    def run(at: int) -> Any:
        return [trained(models[at], X * (at + 1)) for _ in range(3)]

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(run, range(2)))


@situation
def one_model_in_four_threads(model: nn.Module) -> Any:
    """Each with graphs of its own."""
    model.eval()

    def run(thread: int) -> list[Tensor]:
        found = []
        for seed in range(6):
            x, edges = X.clone().requires_grad_(), different_edges(NODES, NODES, 20 + seed, seed=100 * thread + seed)
            found += torch.autograd.grad(loss_of(model, x, edges), x)
        return found

    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(run, range(4)))


@situation
def compiled_afterwards(model: nn.Module) -> Any:
    try:
        return trained(torch.compile(model.eval(), backend="aot_eager"))[1:]
    finally:
        torch._dynamo.reset()


SITUATIONS |= {
    "traced": lambda model: torch.jit.trace(model.eval(), (X, EDGES))(OTHER_X, OTHER_EDGES),
    "exported": lambda model: torch.export.export(model.eval(), (X, EDGES)).module()(X, EDGES),
    "exported by dynamo": lambda model: torch.export.export(model.eval(), (X, EDGES), strict=True).module()(X, EDGES),
    "symbolically traced": lambda model: torch.fx.symbolic_trace(model.eval())(OTHER_X, OTHER_EDGES),
}


@situation
def on_meta(model: nn.Module) -> Any:
    out = model.to("meta")(X.to("meta"), EDGES.to("meta"))
    out.sum().backward()
    return out.shape, [weight.grad.shape for weight in model.parameters()]
