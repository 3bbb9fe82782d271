"""Backward passes of other kinds than a single plain one, and changes of a model between its passes."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from situations import SITUATIONS, between, loss_of, situation
from small_inputs import EDGES, NODES, C, X, different_edges, drawn
from small_layers import gradients
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts

SAMPLES = drawn(3, NODES, C, seed=71)


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
    """Forces are gradients of an energy, and a loss on forces needs gradients of them."""
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
def an_optimiser_inside_the_backward_pass(model: nn.Module) -> Any:
    """A layer's first weights are already stepped when it is recomputed for the gradients of its other weights."""

    def stepped(weight: Tensor) -> None:
        with torch.no_grad():
            weight -= 0.01 * weight.grad
        weight.grad = None

    for weight in model.eval().parameters():
        weight.register_post_accumulate_grad_hook(stepped)
    for _ in range(2):
        loss_of(model).backward()
    return list(model.parameters())


def checkpointed(**options: Any) -> Callable[[nn.Module], Any]:
    """A situation with PyTorch's own checkpoint around the model, in two steps."""

    def run(model: nn.Module) -> Any:
        x = X.clone().requires_grad_()
        for _ in range(2):
            checkpoint(model, x, EDGES, **options).square().sum().backward()
        return [x.grad, *gradients(model)]

    return run


PRODUCTS = [torch.ops.aten.mm.default, torch.ops.aten.addmm.default]
SITUATIONS |= {
    # The second layer's input is recomputed for its backward pass, and so is not the tensor of its forward pass.
    "a checkpoint around the model": checkpointed(use_reentrant=False),
    # It counts the operators of each pass, which must not include one-time trials or tables of a policy.
    "a checkpoint around the model that keeps its products": checkpointed(
        use_reentrant=False, context_fn=partial(create_selective_checkpoint_contexts, PRODUCTS)
    ),
    "a reentrant checkpoint around the model": checkpointed(use_reentrant=True),
}


@situation
def weights_from_outside(model: nn.Module) -> Any:
    """`functional_call`, as used by meta-learning and per-sample gradients."""
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


SITUATIONS["mapped by vmap"] = lambda model: torch.func.vmap(lambda x: model.eval()(x, EDGES))(SAMPLES)


@situation
def gradients_for_each_sample(model: nn.Module) -> Any:
    weights, buffers = ({k: v.detach() for k, v in part} for part in (model.named_parameters(), model.named_buffers()))

    def loss(weights: dict[str, Tensor], x: Tensor) -> Tensor:
        return torch.func.functional_call(model.eval(), (weights, buffers), (x, EDGES)).square().sum()

    found = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(weights, SAMPLES)
    loss_of(model).backward()
    return list(found.values()), gradients(model)


@situation
def forward_and_reverse_jacobians(model: nn.Module) -> Any:
    def sums(x: Tensor) -> Tensor:
        return model.eval()(x, EDGES).sum(1)

    reverse = torch.autograd.functional.jacobian(sums, X)
    return torch.func.jacrev(sums)(X), torch.func.jacfwd(sums)(X), reverse


SITUATIONS |= {
    "evaluation mode before the backward pass": between(nn.Module.eval),
    "training mode before the backward pass": between(nn.Module.train, mode=False),
    "weights frozen before the backward pass": between(lambda model: model.requires_grad_(False)),
    "other weights loaded before the backward pass": between(
        lambda model: model.load_state_dict({k: v * 2 for k, v in model.state_dict().items()}, assign=True)
    ),
}
