"""More than one plain backward pass: repeated, doubled, accumulated, and with weights from outside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from every_convolution import perceptron
from small_inputs import CHANNELS, EDGES, NODES, POSITION, X, drawn
from small_layers import TwoBlocks, close, gradients
from steps_compared import outcome, seed_all, under, without_zeros
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch_geometric import nn as pyg
from torch_geometric.nn import models as pyg_models

from gnn_checkpointing.refusal import Refusal

C = CHANNELS
POLICIES = ("edge_blocks(8)", "layers", "layers+edge_blocks(8)", "selective", "auto")
NEVER_REFUSED = ("edge_blocks(8)", "layers", "auto")
each_policy = pytest.mark.parametrize("policy", POLICIES)

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "SAGEConv": lambda: pyg.SAGEConv(C, C),
    "SAGEConv, softmax": lambda: pyg.SAGEConv(C, C, aggr="softmax"),
    "GCNConv": lambda: pyg.GCNConv(C, C),
    "GATConv": lambda: pyg.GATConv(C, C),
    "GATv2Conv": lambda: pyg.GATv2Conv(C, C // 2, heads=2),
    "TransformerConv": lambda: pyg.TransformerConv(C, C),
    "EdgeConv": lambda: pyg.EdgeConv(nn.Sequential(nn.Linear(2 * C, C), nn.SiLU()), aggr="mean"),
    "GINConv": lambda: pyg.GINConv(perceptron(C, C)),
}


def kept_graph(model: nn.Module) -> list[Tensor | None]:
    """A kept graph gives its gradient twice."""
    out = model(X, EDGES)
    out.square().sum().backward(retain_graph=True)
    out.square().sum().backward()
    return gradients(model)


def graph_not_kept(model: nn.Module) -> list[Tensor | None]:
    """A second backward pass raises."""
    out = model(X, EDGES).square().sum()
    out.backward()
    with pytest.raises(RuntimeError):
        out.backward()
    return gradients(model)


def gradient_of_a_gradient(model: nn.Module) -> list[Tensor | None]:
    """Forces are gradients of an energy, and a loss of forces needs their gradients."""
    x = X.clone().requires_grad_()
    (force,) = torch.autograd.grad(model(x, EDGES).square().sum(), x, create_graph=True)
    (force.square().sum() + model(x, EDGES).sum()).backward()
    return [x.grad, *gradients(model)]


def two_batches(model: nn.Module) -> list[Tensor | None]:
    """Their gradients add up."""
    for seed in (1, 2):
        model(drawn(NODES, C, seed=seed), EDGES).square().mean().backward()
    return gradients(model)


def weights_from_outside(model: nn.Module) -> list[Tensor | None]:
    """`functional_call`, as meta-learning and per-sample gradients use it."""
    weights = {key: (weight.detach() * 1.5 + 0.1).requires_grad_() for key, weight in model.named_parameters()}
    out = torch.func.functional_call(model, weights, (X, EDGES))
    found = torch.autograd.grad(out.square().sum(), list(weights.values()), allow_unused=True)
    assert all(weight.grad is None for weight in model.parameters())
    return list(found)


def functional_gradient(model: nn.Module) -> list[Tensor | None]:
    """`torch.func.grad`."""
    weights = {key: weight.detach() for key, weight in model.named_parameters()}

    def loss(given: dict[str, Tensor]) -> Tensor:
        return torch.func.functional_call(model, given, (X, EDGES)).square().sum()

    return list(torch.func.grad(loss)(weights).values())


def mapped(model: nn.Module) -> list[Tensor | None]:
    """`torch.func.vmap` over features of one graph."""
    return list(torch.func.vmap(lambda x: model(x, EDGES))(drawn(3, NODES, C, seed=71)))


def two_steps_from_a_seed(model: nn.Module) -> list[Tensor | None]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seed_all(2)
    for _ in range(2):
        optimizer.zero_grad()
        model(X, EDGES).square().mean().backward()
        optimizer.step()
    return [weight.detach() for weight in model.parameters()]


RUNS: dict[Callable[[nn.Module], list[Tensor | None]], tuple[str, ...]] = {
    kept_graph: tuple(LAYERS),
    graph_not_kept: ("GCNConv",),
    gradient_of_a_gradient: tuple(LAYERS),
    two_batches: ("GATConv",),
    weights_from_outside: tuple(LAYERS),
    functional_gradient: ("SAGEConv", "GCNConv", "GATv2Conv"),
    mapped: ("SAGEConv", "GINConv"),
    two_steps_from_a_seed: ("SAGEConv", "GATConv"),
}
MAY_REFUSE = (gradient_of_a_gradient, weights_from_outside, functional_gradient, mapped)


@each_policy
@pytest.mark.parametrize(("run", "name"), [(run, name) for run, names in RUNS.items() for name in names])
def test_is_exact_or_refused(run: Callable, name: str, policy: str) -> None:
    torch.manual_seed(0)
    plain = without_zeros(TwoBlocks(LAYERS[name]))
    try:
        wrapped = under(policy, plain)
    except Refusal:
        assert policy not in NEVER_REFUSED
        return
    expected = run(plain)
    try:
        found = run(wrapped)
    except Refusal:
        assert run in MAY_REFUSE
        return
    close(found, expected)


@each_policy
def test_schnet_learns_forces_or_refuses_to(policy: str) -> None:
    """Energy and forces of a molecule, as in PyG's example on MD17."""

    def distances(position: Tensor, batch: Tensor) -> tuple[Tensor, Tensor]:
        edges = EDGES[:, EDGES[0] != EDGES[1]]
        return edges, (position[edges[0]] - position[edges[1]]).norm(dim=1)

    torch.manual_seed(0)
    plain = pyg_models.SchNet(8, 8, 2, 6, interaction_graph=distances)
    found = []
    try:
        for model in (plain, under(policy, plain)):
            position = POSITION.clone().requires_grad_()
            energy = model(torch.arange(NODES) % 5 + 1, position)
            (force,) = torch.autograd.grad(energy.sum(), position, create_graph=True)
            force.square().sum().backward()
            found.append([position.grad, *gradients(model)])
    except Refusal:
        return
    close(found[1], found[0])


class Checkpointed(nn.Module):
    """A model that PyTorch recomputes as a whole."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return checkpoint(self.inner, x, edge_index, use_reentrant=False)  # type: ignore[no-any-return]


@pytest.mark.parametrize("policy", ["none", "edge_blocks(8)", "fused_edge_blocks", "layers"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_checkpoint_around_both_layers_is_exact(name: str, policy: str) -> None:
    """The second layer's input is computed again for its backward pass: another tensor than in its forward pass."""
    torch.manual_seed(0)
    assert outcome(Checkpointed(without_zeros(TwoBlocks(LAYERS[name]))), policy, (X, EDGES)) == "exact"
