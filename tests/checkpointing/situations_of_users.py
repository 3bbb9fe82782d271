"""Uses that a policy may not expect: contexts around a step, late changes, other ways to differentiate."""

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch
from situations import SITUATIONS, Situation, between, inside, loss_of, situation, trained
from small_inputs import EDGES, NODES, C, X, drawn
from small_layers import gradients
from torch import Tensor, nn
from torch.autograd import forward_ad, functional, graph
from torch.func import functional_call
from torch.nn.utils import prune
from torch_geometric.nn.resolver import aggregation_resolver

SAMPLES = drawn(3, NODES, C, seed=71)


@situation
def weights_from_outside(model: nn.Module) -> Any:
    """`functional_call`, as used by meta-learning and per-sample gradients."""
    weights = {key: (weight.detach() * 1.5 + 0.1).requires_grad_() for key, weight in model.named_parameters()}
    out = functional_call(model, weights, (X, EDGES))
    return torch.autograd.grad(out.square().sum(), list(weights.values()), allow_unused=True), gradients(model)


@situation
def a_functional_gradient(model: nn.Module) -> Any:
    weights = {key: weight.detach() for key, weight in model.named_parameters()}
    return torch.func.grad(lambda given: functional_call(model, given, (X, EDGES)).square().sum())(weights)


@situation
def forward_mode(model: nn.Module) -> Any:
    with forward_ad.dual_level():
        return list(forward_ad.unpack_dual(model.eval()(forward_ad.make_dual(X, X.cos()), EDGES)))


SITUATIONS["mapped by vmap"] = lambda model: torch.func.vmap(lambda x: model.eval()(x, EDGES))(SAMPLES)


@situation
def gradients_for_each_sample(model: nn.Module) -> Any:
    weights, buffers = ({k: v.detach() for k, v in part} for part in (model.named_parameters(), model.named_buffers()))

    def loss(weights: dict[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(model.eval(), (weights, buffers), (x, EDGES)).square().sum()

    found = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(weights, SAMPLES)
    loss_of(model).backward()
    return list(found.values()), gradients(model)


@situation
def forward_and_reverse_jacobians(model: nn.Module) -> Any:
    def sums(x: Tensor) -> Tensor:
        return model.eval()(x, EDGES).sum(1)

    reverse = functional.jacobian(sums, X)
    return torch.func.jacrev(sums)(X), torch.func.jacfwd(sums)(X), reverse


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


SITUATIONS |= {
    "evaluation mode before the backward pass": between(nn.Module.eval),
    "training mode before the backward pass": between(nn.Module.train, mode=False),
    "weights frozen before the backward pass": between(lambda model: model.requires_grad_(False)),
    "other weights loaded before the backward pass": between(
        lambda model: model.load_state_dict({k: v * 2 for k, v in model.state_dict().items()}, assign=True)
    ),
    "saved tensors packed as numpy": inside(
        lambda: graph.saved_tensors_hooks(lambda t: t.detach().numpy().copy(), torch.from_numpy)
    ),
    "saved tensors on the cpu and anomalies detected": inside(
        lambda: torch.autograd.set_detect_anomaly(True), graph.save_on_cpu
    ),
    "deterministic algorithms": inside(deterministic),
    "tensors are made elsewhere by default": inside(lambda: torch.device("meta")),
}


@situation
def sparse_features(model: nn.Module) -> Any:
    loss_of(model.eval(), X.relu().to_sparse()).backward()
    return gradients(model)


SITUATIONS["nobody may pack what is saved"] = inside(lambda: graph.disable_saved_tensors_hooks("not here"))


@situation
def gradients_of_some_inputs_alone(model: nn.Module) -> Any:
    x = X.clone().requires_grad_()
    first = next(model.parameters())
    loss_of(model, x).backward(inputs=[first])
    (of_x,) = torch.autograd.grad(loss_of(model, x), x)
    return first.grad, of_x, x.grad, len([g for g in gradients(model) if g is not None])


@situation
def the_gradient_of_an_output_is_kept_and_changed(model: nn.Module) -> Any:
    out = model.blocks[0](X, EDGES)
    out.retain_grad()
    out.register_hook(lambda gradient: gradient * 2)
    model.blocks[1](out, EDGES).square().sum().backward()
    return out.grad, gradients(model)


@situation
def a_backward_pass_in_another_thread(model: nn.Module) -> Any:
    with ThreadPoolExecutor(1) as threads:
        threads.submit(torch.no_grad()(loss_of(model).backward)).result()
    return gradients(model)


@situation
def an_optimiser_that_evaluates_again(model: nn.Module) -> Any:
    model.eval()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.01, max_iter=3)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        return loss

    optimizer.step(closure)
    return list(model.parameters())


@situation
def an_average_of_weights(model: nn.Module) -> Any:
    average = torch.optim.swa_utils.AveragedModel(model)
    trained(model)
    average.update_parameters(model)
    return trained(average.eval())


SITUATIONS["products with hessians"] = lambda model: functional.hvp(lambda x: loss_of(model.eval(), x), X, X.cos())


@situation
def products_with_jacobians(model: nn.Module) -> Any:
    model.eval()
    out, back = torch.func.vjp(lambda x: model(x, EDGES), X)
    return out, back(out.cos()), torch.func.jvp(lambda x: model(x, EDGES), (X,), (X.cos(),))


@situation
def an_ensemble(model: nn.Module) -> Any:
    state = torch.func.stack_module_state([model.eval(), copy.deepcopy(model)])
    return torch.func.vmap(lambda *of_one: functional_call(model, of_one, (X, EDGES)))(*state)


@situation
def an_attention_vector_that_is_pruned(model: nn.Module) -> Any:
    for block in model.blocks:
        if isinstance(getattr(block.layer, "att", None), nn.Parameter):
            prune.random_unstructured(block.layer, "att", amount=0.5)
    return [trained(model) for _ in range(2)]


@situation
def weights_that_a_step_has_made(model: nn.Module) -> Any:
    """Meta-learning: a loss after a step, differentiated through the step."""
    weights = dict(model.named_parameters())
    found = torch.autograd.grad(loss_of(model), list(weights.values()), create_graph=True)
    stepped = {name: weight - 0.01 * g for (name, weight), g in zip(weights.items(), found, strict=True)}
    functional_call(model, stepped, (X, EDGES)).square().sum().backward()
    return gradients(model)


@situation
def features_changed_between_the_passes(model: nn.Module) -> Any:
    """In place: torch's error, or the unchanged gradient."""
    x = X.clone()
    loss = loss_of(model.eval(), x)
    x.add_(1)
    try:
        loss.backward()
    except RuntimeError:
        return "raises"
    return gradients(model)


def with_other_attributes(model: nn.Module) -> None:
    for block in model.blocks:
        block.layer.negative_slope, block.layer.dropout, block.layer.fuse = 0.9, 0.0, False


SITUATIONS["attributes changed between the passes"] = between(with_other_attributes)


def later(change: Situation) -> Situation:
    """A situation that changes each layer after its first step."""

    def run(model: nn.Module) -> Any:
        before = trained(model.eval())
        torch.manual_seed(5)
        for block in model.blocks:
            change(block.layer)
        return before, trained(model.train())

    return run


class Centre(nn.Module):
    """Subtracts the mean over all edges in training mode."""

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(dim=0) if self.training else x


def another_network(layer: nn.Module) -> None:
    if hasattr(layer, "nn"):
        layer.nn[1] = Centre()


def another_message(layer: nn.Module) -> None:
    if "x_j" in layer.inspector.get_param_names("message"):
        message = layer.message
        layer.message = lambda x_j, **named: message(x_j=x_j - x_j.mean(dim=0), **named)


SITUATIONS |= {
    "another network after a step": later(another_network),
    "another aggregation after a step": later(lambda layer: setattr(layer, "aggr_module", aggregation_resolver("max"))),
    "another message after a step": later(another_message),
    "another direction after a step": later(lambda layer: setattr(layer, "flow", "target_to_source")),
}
