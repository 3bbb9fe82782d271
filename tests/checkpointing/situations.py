"""What is done to a model around its passes: each situation is a function of a model that gives nested results.

Under every policy the results are those without one. A situation that fails without a policy fails alike under one.
"""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from small_inputs import CHANNELS, EDGES, NODES, X, different_edges, drawn
from small_layers import gradients
from steps_compared import tensors_in
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.utils import prune, spectral_norm
from torch.utils.checkpoint import checkpoint
from torch_geometric import nn as pyg

C = CHANNELS
SITUATIONS: dict[str, Callable[[nn.Module], Any]] = {}
OTHER_X, OTHER_EDGES = drawn(20, C, seed=82), different_edges(20, 20, 50, seed=83)
"""Another graph, of another size: what a trace or a table holds must not be the first graph's."""


def situation(run: Callable[[nn.Module], Any]) -> Callable[[nn.Module], Any]:
    SITUATIONS[run.__name__] = run
    return run


def loss_of(model: nn.Module, x: Tensor = X, edges: Tensor = EDGES) -> Tensor:
    return model(x, edges).square().sum()


def trained(model: nn.Module, x: Tensor = X, edges: Tensor = EDGES) -> Any:
    """Output, gradients and buffers of one step."""
    model.zero_grad()
    x = x.clone().requires_grad_()
    out = model(x, edges)
    out.square().sum().backward()
    return out, x.grad, [g.clone() for g in gradients(model) if g is not None], [b.clone() for b in model.buffers()]


# --- backward passes


@situation
def a_kept_graph_gives_its_gradient_twice(model: nn.Module) -> Any:
    loss = loss_of(model)
    loss.backward(retain_graph=True)
    loss.backward()
    return gradients(model)


@situation
def a_graph_that_is_not_kept_gives_it_once(model: nn.Module) -> Any:
    loss = loss_of(model)
    loss.backward()
    try:
        loss.backward()
    except RuntimeError:
        return gradients(model), "raises"
    return gradients(model), "gives"


@situation
def a_gradient_of_a_gradient(model: nn.Module) -> Any:
    """Forces are gradients of an energy, and a loss of forces needs their gradients."""
    x = X.clone().requires_grad_()
    (force,) = torch.autograd.grad(loss_of(model, x), x, create_graph=True)
    (force.square().sum() + model(x, EDGES).sum()).backward()
    return [x.grad, *gradients(model)]


@situation
def gradients_of_two_batches_add_up(model: nn.Module) -> Any:
    for seed in (1, 2):
        loss_of(model, drawn(NODES, C, seed=seed)).backward()
    return gradients(model)


@situation
def two_forward_passes_before_one_backward_pass(model: nn.Module) -> Any:
    first, second = model(X, EDGES), model(X, different_edges(NODES, NODES, 30, seed=70))
    (first * second).sum().backward()
    return gradients(model)


@situation
def two_steps_of_an_optimiser_and_a_scaler(model: nn.Module) -> Any:
    optimizer, scaler = torch.optim.SGD(model.parameters(), lr=0.01), torch.amp.GradScaler("cpu", init_scale=64.0)
    for _ in range(2):
        optimizer.zero_grad()
        scaler.scale(loss_of(model)).backward()
        scaler.step(optimizer)
        scaler.update()
    return list(model.parameters())


@situation
def a_checkpoint_around_the_model(model: nn.Module) -> Any:
    """The second layer's input is computed again for its backward pass: another tensor than in its forward pass."""
    x = X.clone().requires_grad_()
    checkpoint(model, x, EDGES, use_reentrant=False).square().sum().backward()
    return [x.grad, *gradients(model)]


@situation
def weights_from_outside(model: nn.Module) -> Any:
    """`functional_call`, as meta-learning and per-sample gradients use it."""
    weights = {key: (weight.detach() * 1.5 + 0.1).requires_grad_() for key, weight in model.named_parameters()}
    out = torch.func.functional_call(model, weights, (X, EDGES))
    return torch.autograd.grad(out.square().sum(), list(weights.values()), allow_unused=True), gradients(model)


@situation
def a_functional_gradient(model: nn.Module) -> Any:
    weights = {key: weight.detach() for key, weight in model.named_parameters()}
    return torch.func.grad(lambda given: torch.func.functional_call(model, given, (X, EDGES)).square().sum())(weights)


@situation
def forward_mode(model: nn.Module) -> Any:
    with forward_ad.dual_level():
        return list(forward_ad.unpack_dual(model.eval()(forward_ad.make_dual(X, X.cos()), EDGES)))


@situation
def mapped_by_vmap(model: nn.Module) -> Any:
    return torch.func.vmap(lambda x: model.eval()(x, EDGES))(drawn(3, NODES, C, seed=71))


@situation
def gradients_for_each_sample(model: nn.Module) -> Any:
    weights, buffers = ({k: v.detach() for k, v in part} for part in (model.named_parameters(), model.named_buffers()))

    def loss(weights: dict[str, Tensor], x: Tensor) -> Tensor:
        return torch.func.functional_call(model.eval(), (weights, buffers), (x, EDGES)).square().sum()

    found = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(weights, drawn(3, NODES, C, seed=71))
    loss_of(model).backward()
    return list(found.values()), gradients(model)


@situation
def forward_and_reverse_jacobians(model: nn.Module) -> Any:
    def sums(x: Tensor) -> Tensor:
        return model.eval()(x, EDGES).sum(1)

    reverse = torch.autograd.functional.jacobian(sums, X)
    return torch.func.jacrev(sums)(X), torch.func.jacfwd(sums)(X), reverse


# --- between the passes


@situation
def evaluation_mode_before_the_backward_pass(model: nn.Module) -> Any:
    loss = loss_of(model)
    model.eval()
    loss.backward()
    return gradients(model), list(model.buffers())


@situation
def training_mode_before_the_backward_pass(model: nn.Module) -> Any:
    loss = loss_of(model.eval())
    model.train()
    loss.backward()
    return gradients(model), list(model.buffers())


@situation
def weights_frozen_before_the_backward_pass(model: nn.Module) -> Any:
    loss = loss_of(model)
    model.requires_grad_(False)
    loss.backward()
    return gradients(model)


@situation
def other_weights_loaded_before_the_backward_pass(model: nn.Module) -> Any:
    loss = loss_of(model)
    old = list(model.parameters())
    model.load_state_dict({name: value * 2 for name, value in model.state_dict().items()}, assign=True)
    loss.backward()
    return [weight.grad for weight in old], gradients(model)


# --- hooks


def linear_parts(model: nn.Module) -> list[nn.Module]:
    return [part for part in model.modules() if "Linear" in type(part).__name__]


@situation
def hooks_that_act_and_are_removed_before_the_backward_pass(model: nn.Module) -> Any:
    handles = [part.register_forward_hook(lambda m, i, out: out * 2) for part in linear_parts(model)]
    loss = loss_of(model)
    for handle in handles:
        handle.remove()
    loss.backward()
    return gradients(model)


@situation
def hooks_that_come_before_the_backward_pass(model: nn.Module) -> Any:
    loss = loss_of(model)
    for part in linear_parts(model):
        part.register_forward_hook(lambda m, i, out: out * 2)
    loss.backward()
    return gradients(model)


@situation
def hooks_with_keywords_that_act(model: nn.Module) -> Any:
    for part in linear_parts(model):
        part.register_forward_pre_hook(lambda m, args, named: ((args[0] * 2,), named), with_kwargs=True)
        part.register_forward_hook(lambda m, args, named, out: out.mul(0.5) + 1, with_kwargs=True)
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
        return [trained(models[at], X * (at + 1)) for _ in range(5)]

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(run, range(2)))


@situation
def one_model_in_four_threads(model: nn.Module) -> Any:
    """Each with graphs of its own."""
    model.eval()

    def run(thread: int) -> list[Tensor]:
        found = []
        for seed in range(15):
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


@situation
def traced(model: nn.Module) -> Any:
    return torch.jit.trace(model.eval(), (X, EDGES))(OTHER_X, OTHER_EDGES)


@situation
def exported(model: nn.Module) -> Any:
    return torch.export.export(model.eval(), (X, EDGES)).module()(X, EDGES)


@situation
def exported_by_dynamo(model: nn.Module) -> Any:
    return torch.export.export(model.eval(), (X, EDGES), strict=True).module()(X, EDGES)


@situation
def symbolically_traced(model: nn.Module) -> Any:
    return torch.fx.symbolic_trace(model.eval())(OTHER_X, OTHER_EDGES)


@situation
def on_meta(model: nn.Module) -> Any:
    out = model.to("meta")(X.to("meta"), EDGES.to("meta"))
    out.sum().backward()
    return out.shape, [weight.grad.shape for weight in model.parameters()]


# --- graphs


def changed_in_place(edges: Tensor) -> None:
    edges[0] = edges[0].roll(5)


def changed_through_data(edges: Tensor) -> None:
    edges.data[1] = edges.data[1].roll(7)


def changed_through_numpy(edges: Tensor) -> None:
    edges.numpy()[1, :9] = 4


def changed_through_a_view(edges: Tensor) -> None:
    edges.detach().view(-1)[: EDGES.shape[1]].copy_(EDGES[0].flip(0))


def after_a_change(change: Callable[[Tensor], None]) -> Callable[[nn.Module], Any]:
    def run(model: nn.Module) -> Any:
        edges = EDGES.clone()
        loss_of(model, edges=edges).backward()
        change(edges)
        assert not torch.equal(edges, EDGES)
        return trained(model, edges=edges)

    return run


for _change in (changed_in_place, changed_through_data, changed_through_numpy, changed_through_a_view):
    SITUATIONS[f"a graph {_change.__name__}"] = after_a_change(_change)


@situation
def batches_of_changing_size(model: nn.Module) -> Any:
    """Small, larger, dense ones, many short-lived: tensors of one shape that follow each other lie at one address."""
    model.eval()
    found = [trained(model, drawn(n, C, seed=n), different_edges(n, n, 3 * n, seed=n)) for n in (4, 30, 9, 9)]
    found += [trained(model, drawn(n, C, seed=n), EDGES) for n in (NODES, NODES + 5, NODES)]
    for seed in range(15):
        edges = EDGES[:, torch.randperm(EDGES.shape[1], generator=torch.Generator().manual_seed(seed))[:24]]
        found.append(trained(model, edges=torch.stack([edges[0], edges[1].roll(seed)])))
    return found


def outside(place: tuple[int, int], value: int) -> Callable[[nn.Module], Any]:
    """An index outside the nodes raises."""

    def run(model: nn.Module) -> Any:
        edges = EDGES.clone()
        edges[place] = value
        try:
            model(X, edges)
        except (IndexError, RuntimeError, ValueError):
            return "raises"
        return "computes"

    return run


for _end, _row in (("source", 0), ("destination", 1)):
    SITUATIONS[f"a {_end} too large"] = outside((_row, 3), NODES + 2)
    SITUATIONS[f"a negative {_end}"] = outside((_row, 3), -1)


@situation
def infinite_features(model: nn.Module) -> Any:
    x = X.clone()
    x[2] = float("inf")
    model.eval()(x, EDGES).sum().backward()
    return gradients(model)


@situation
def inputs_stay_as_they_are(model: nn.Module) -> Any:
    x, edges = X.clone().requires_grad_(), EDGES.clone()
    loss_of(model, x, edges).backward()
    assert torch.equal(x, X)
    assert torch.equal(edges, EDGES)
    return x.grad


def a_wrong_call(*args: Any, **named: Any) -> Callable[[nn.Module], Any]:
    return lambda model: model(*args, **named)


SITUATIONS["too few channels"] = a_wrong_call(X[:, :3], EDGES)
SITUATIONS["no edges given"] = a_wrong_call(X)
SITUATIONS["an unknown argument"] = a_wrong_call(X, EDGES, colour=1)
