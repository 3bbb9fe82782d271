"""Uses that a policy may not expect: contexts around a step, late changes, other ways to differentiate."""

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from situations import SITUATIONS, between, loss_of, situation, trained
from small_inputs import EDGES, X
from small_layers import gradients
from torch import Tensor, nn
from torch.nn.utils import prune
from torch_geometric.nn.resolver import aggregation_resolver


@situation
def saved_tensors_packed_as_numpy(model: nn.Module) -> Any:
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().numpy().copy(), torch.from_numpy):
        return trained(model)


@situation
def saved_tensors_on_the_cpu_and_anomalies_detected(model: nn.Module) -> Any:
    with torch.autograd.set_detect_anomaly(True), torch.autograd.graph.save_on_cpu():
        return trained(model)


@situation
def deterministic_algorithms(model: nn.Module) -> Any:
    torch.use_deterministic_algorithms(True)
    try:
        return trained(model)
    finally:
        torch.use_deterministic_algorithms(False)


@situation
def tensors_are_made_elsewhere_by_default(model: nn.Module) -> Any:
    with torch.device("meta"):
        return trained(model)


@situation
def sparse_features(model: nn.Module) -> Any:
    loss_of(model.eval(), X.relu().to_sparse()).backward()
    return gradients(model)


@situation
def nobody_may_pack_what_is_saved(model: nn.Module) -> Any:
    with torch.autograd.graph.disable_saved_tensors_hooks("not here"):
        return trained(model)


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
    loss = loss_of(model)

    def run() -> None:
        with torch.no_grad():
            loss.backward()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(run).result()
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


@situation
def products_with_hessians(model: nn.Module) -> Any:
    model.eval()
    return torch.autograd.functional.hvp(lambda x: loss_of(model, x), X, X.cos())


@situation
def products_with_jacobians(model: nn.Module) -> Any:
    model.eval()
    out, back = torch.func.vjp(lambda x: model(x, EDGES), X)
    return out, back(out.cos()), torch.func.jvp(lambda x: model(x, EDGES), (X,), (X.cos(),))


@situation
def an_ensemble(model: nn.Module) -> Any:
    models = [model.eval(), copy.deepcopy(model)]
    weights, buffers = torch.func.stack_module_state(models)

    def run(weights: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
        return torch.func.functional_call(model, (weights, buffers), (X, EDGES))

    return torch.func.vmap(run)(weights, buffers)


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
    torch.func.functional_call(model, stepped, (X, EDGES)).square().sum().backward()
    return gradients(model)


def changed_between(change: Callable[[Tensor], Any]) -> Callable[[nn.Module], Any]:
    """A situation that changes the features in place between the passes: torch's error, or the unchanged gradient."""

    def run(model: nn.Module) -> Any:
        x = X.clone()
        loss = loss_of(model.eval(), x)
        with torch.no_grad():
            change(x)
        try:
            loss.backward()
        except RuntimeError:
            return "raises"
        return gradients(model)

    return run


SITUATIONS["features changed between the passes"] = changed_between(lambda x: x.add_(1))


def with_other_attributes(model: nn.Module) -> None:
    for block in model.blocks:
        block.layer.negative_slope, block.layer.dropout, block.layer.fuse = 0.9, 0.0, False


SITUATIONS["attributes changed between the passes"] = between(with_other_attributes)


def later(change: Callable[[nn.Module], Any]) -> Callable[[nn.Module], Any]:
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


def another_aggregation(layer: nn.Module) -> None:
    layer.aggr_module = aggregation_resolver("max")


def another_message(layer: nn.Module) -> None:
    if "x_j" in layer.inspector.get_param_names("message"):
        message = layer.message
        layer.message = lambda x_j, **named: message(x_j=x_j - x_j.mean(dim=0), **named)


def another_direction(layer: nn.Module) -> None:
    layer.flow = "target_to_source"


for _change in (another_network, another_aggregation, another_message, another_direction):
    SITUATIONS[f"{_change.__name__} after a step".replace("_", " ")] = later(_change)
