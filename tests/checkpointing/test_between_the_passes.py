"""What is done to a model between its passes, who looks on and who transforms it: as without a policy, or refused."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from small_inputs import CHANNELS, EDGES, NODES, X, drawn
from small_layers import TwoBlocks, gradients
from steps_compared import seed_all, tensors_in, without_zeros
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.utils import prune, spectral_norm
from torch_geometric import nn as pyg

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.checkpointing.edge_blocks import cut_layers
from gnn_checkpointing.refusal import Refusal

C = CHANNELS
POLICIES = ("edge_blocks(8)", "fused_edge_blocks", "layers", "layers+edge_blocks(8)", "selective", "auto")
BLOCKS = ("edge_blocks(8)", "layers+edge_blocks(8)")


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "SAGE": lambda: pyg.SAGEConv(C, C),
    "GAT": lambda: pyg.GATConv(C, C),
    "GATv2": lambda: pyg.GATv2Conv(C, C // 2, heads=2),
    "EdgeConv": lambda: pyg.EdgeConv(nn.Sequential(nn.Linear(2 * C, C), nn.SiLU(), nn.Linear(C, C)), aggr="mean"),
    "GIN": lambda: pyg.GINConv(nn.Sequential(nn.Linear(C, C), nn.BatchNorm1d(C), nn.ReLU(), nn.Linear(C, C))),
    "softmax": lambda: pyg.SAGEConv(C, C, aggr="softmax", aggr_kwargs={"learn": True}),
}
SCENES: dict[str, Callable[[nn.Module], Any]] = {}


def scene(run: Callable[[nn.Module], Any]) -> Callable[[nn.Module], Any]:
    SCENES[run.__name__] = run
    return run


def loss_of(model: nn.Module) -> Tensor:
    return model(X, EDGES).square().sum()


@scene
def evaluation_mode_before_the_backward_pass(model: nn.Module) -> Any:
    loss = loss_of(model)
    model.eval()
    loss.backward()
    return gradients(model), list(model.buffers())


@scene
def training_mode_before_the_backward_pass(model: nn.Module) -> Any:
    loss = loss_of(model.eval())
    model.train()
    loss.backward()
    return gradients(model), list(model.buffers())


@scene
def weights_frozen_before_the_backward_pass(model: nn.Module) -> Any:
    loss = loss_of(model)
    model.requires_grad_(False)
    loss.backward()
    return gradients(model)


@scene
def other_weights_loaded_before_the_backward_pass(model: nn.Module) -> Any:
    loss = loss_of(model)
    old = list(model.parameters())
    model.load_state_dict({name: value * 2 for name, value in model.state_dict().items()}, assign=True)
    loss.backward()
    return [weight.grad for weight in old], gradients(model)


@scene
def hooks_that_act_and_are_removed_before_the_backward_pass(model: nn.Module) -> Any:
    inner = [part for part in model.modules() if "Linear" in type(part).__name__]
    handles = [part.register_forward_hook(lambda m, i, out: out * 2) for part in inner]
    loss = loss_of(model)
    for handle in handles:
        handle.remove()
    loss.backward()
    return gradients(model)


@scene
def hooks_that_come_before_the_backward_pass(model: nn.Module) -> Any:
    loss = loss_of(model)
    for part in model.modules():
        if "Linear" in type(part).__name__:
            part.register_forward_hook(lambda m, i, out: out * 2)
    loss.backward()
    return gradients(model)


@scene
def hooks_with_keywords_that_act(model: nn.Module) -> Any:
    for part in model.modules():
        if "Linear" in type(part).__name__:
            part.register_forward_pre_hook(lambda m, args, named: ((args[0] * 2,), named), with_kwargs=True)
            part.register_forward_hook(lambda m, args, named, out: out.mul(0.5) + 1, with_kwargs=True)
    loss_of(model).backward()
    return gradients(model)


@scene
def weights_made_by_hooks(model: nn.Module) -> Any:
    for part in list(model.modules()):
        if type(part) is nn.Linear:
            spectral_norm(part)
        elif "Linear" in type(part).__name__:
            prune.l1_unstructured(part, "weight", amount=0.3)
    for _ in range(2):
        loss_of(model).backward()
    return gradients(model), list(model.buffers())


def observed(register: Callable[[nn.Module, str, list], Any]) -> Callable[[nn.Module], Any]:
    """A scene in which every module of a model has hooks that note what they see, and for which module."""

    def run(model: nn.Module) -> Any:
        seen: list[tuple[str, Any]] = []
        for name, part in model.named_modules():
            register(part, name, seen)
        x = X.clone().requires_grad_()
        model(x, EDGES).square().sum().backward()
        seen.sort(key=lambda entry: entry[0])
        return [name for name, _ in seen], [list(map(copy_of, tensors_in(values))) for _, values in seen], x.grad

    return run


def copy_of(value: Tensor) -> Tensor:
    return value.detach().clone()


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
SCENES |= {f"hooks that look on: {when}": observed(register) for when, register in OBSERVED.items()}


@scene
def hooks_of_all_modules_that_look_on(model: nn.Module) -> Any:
    seen: list[str] = []
    handle = nn.modules.module.register_module_forward_hook(lambda m, i, out: seen.append(type(m).__name__))
    try:
        loss_of(model).backward()
    finally:
        handle.remove()
    return seen, gradients(model)


@scene
def hooks_on_the_gradients_of_weights(model: nn.Module) -> Any:
    calls: list[str] = []
    for name, weight in model.named_parameters():
        weight.register_hook(lambda gradient: gradient * gradient.norm())
        weight.register_post_accumulate_grad_hook(lambda weight, name=name: calls.append(name))
    loss_of(model).backward()
    return sorted(calls), gradients(model)


@scene
def forward_mode(model: nn.Module) -> Any:
    with forward_ad.dual_level():
        return list(forward_ad.unpack_dual(model.eval()(forward_ad.make_dual(X, X.cos()), EDGES)))


@scene
def mapped_by_vmap(model: nn.Module) -> Any:
    return torch.func.vmap(lambda x: model.eval()(x, EDGES))(drawn(3, NODES, C, seed=71))


@scene
def gradients_for_each_sample(model: nn.Module) -> Any:
    weights, buffers = ({k: v.detach() for k, v in part} for part in (model.named_parameters(), model.named_buffers()))

    def loss(weights: dict[str, Tensor], x: Tensor) -> Tensor:
        return torch.func.functional_call(model.eval(), (weights, buffers), (x, EDGES)).square().sum()

    found = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(weights, drawn(3, NODES, C, seed=71))
    loss_of(model).backward()
    return list(found.values()), gradients(model)


@scene
def forward_and_reverse_jacobians(model: nn.Module) -> Any:
    def sums(x: Tensor) -> Tensor:
        return model.eval()(x, EDGES).sum(1)

    reverse = torch.autograd.functional.jacobian(sums, X)
    return torch.func.jacrev(sums)(X), torch.func.jacfwd(sums)(X), reverse


@scene
def two_models_in_two_threads(model: nn.Module) -> Any:
    models = [model.eval(), copy.deepcopy(model).eval()]

    def trained(at: int) -> list[Tensor | None]:
        for _ in range(5):
            models[at].zero_grad()
            (models[at](X * (at + 1), EDGES)).square().sum().backward()
        return gradients(models[at])

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(trained, range(2)))


@scene
def infinite_features(model: nn.Module) -> Any:
    x = X.clone()
    x[2] = float("inf")
    model.eval()(x, EDGES).sum().backward()
    return gradients(model)


def alike(found: Any, expected: Any, scale: float) -> None:
    """Nested results are the same; a gradient that is zero but for rounding is held against the largest number."""
    if isinstance(expected, Tensor):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-6 * max(scale, 1.0), equal_nan=True)
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            alike(one, other, scale)
    else:
        assert found == expected


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("what", SCENES)
def test_is_exact(what: str, name: str, policy: str, compiler: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[cut_layers.__module__], "worth", lambda *_: True)
    torch.manual_seed(0)
    plain = without_zeros(TwoBlocks(LAYERS[name], 0.5))
    seed_all(3)
    try:
        expected = SCENES[what](copy.deepcopy(plain))
    except RuntimeError as error:
        pytest.skip(f"plain PyTorch cannot: {error}")
    largest = max((t.nan_to_num(0, 0, 0).abs().max().item() for t in tensors_in(expected) if t.numel()), default=1.0)
    wrapped = apply(plain, policy)
    seed_all(3)
    alike(SCENES[what](wrapped), expected, largest)


@pytest.mark.parametrize("policy", POLICIES)
def test_weights_of_another_precision_are_named(policy: str, compiler: None) -> None:
    """The backward pass of a recomputed layer needs the weights as they were."""
    model = apply(TwoBlocks(LAYERS["GATv2"], 0.5), policy)
    loss = loss_of(model)
    model.double()
    if policy == "auto":  # nothing is recomputed on a graph as small as this
        return loss.backward()
    with pytest.raises(RuntimeError, match=r"the weight '.*' of \w+ was changed in place between its forward and its"):
        loss.backward()
    return None


@pytest.mark.parametrize("policy", BLOCKS)
def test_gradients_in_a_batch_are_refused_in_the_backward_pass(policy: str) -> None:
    x = X.clone().requires_grad_()
    out = apply(TwoBlocks(LAYERS["SAGE"], 0.5).eval(), policy)(x, EDGES).sum(0)
    with pytest.raises(Refusal, match=r"edge blocks of SAGEConv give no gradients in a batch .*; ask for one"):
        torch.autograd.grad(out, x, torch.eye(C), is_grads_batched=True)


@pytest.mark.parametrize("policy", POLICIES)
def test_replicas_of_data_parallel_are_refused(policy: str, compiler: None) -> None:
    """A replica has weights of its own; a policy's methods would read those of the first."""
    model = apply(TwoBlocks(LAYERS["SAGE"], 0.5), policy)
    with pytest.raises(Refusal, match=r"replicas of torch.nn.DataParallel would compute with the first one's weights"):
        model._replicate_for_data_parallel()


@pytest.mark.parametrize("policy", BLOCKS)
def test_edges_of_four_bytes_have_the_gradients_of_edges_of_eight(policy: str) -> None:
    """PyG itself has other ones: its own scatter of int32 indices is off."""
    torch.manual_seed(0)
    model = apply(without_zeros(TwoBlocks(LAYERS["SAGE"], 0.5)).eval(), policy)
    found = []
    for edges in (EDGES, EDGES.int()):
        model.zero_grad()
        model(X, edges).square().sum().backward()
        found.append([weight.grad.clone() for weight in model.parameters()])
    alike(found[1], found[0], 1.0)
