"""More than one plain backward pass: repeated, doubled, accumulated, and with weights from outside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from every_convolution import perceptron
from small_inputs import CHANNELS, EDGES, NODES, POSITION, X, drawn
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


class TwoLayers(nn.Module):
    """Two layers with a smooth function between them."""

    def __init__(self, layer: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(layer()) for _ in range(2))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, edge_index)
        return x


class Block(nn.Module):
    """A layer and what follows it."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.layer(x, edge_index).tanh()


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
each_layer = pytest.mark.parametrize("name", LAYERS)


def pair_of_models(name: str, policy: str) -> tuple[nn.Module, nn.Module]:
    """The plain model and one under the policy; the test is skipped where `apply` refuses it by name."""
    torch.manual_seed(0)
    plain = without_zeros(TwoLayers(LAYERS[name]))
    try:
        return plain, under(policy, plain)
    except Refusal as reason:
        if policy in NEVER_REFUSED:
            raise
        pytest.skip(f"refused: {reason}")


def close(found: list[Tensor | None], expected: list[Tensor | None]) -> None:
    """Gradients of one model are alike, measured on the largest of them."""
    largest = max(value.abs().max().item() for value in expected if value is not None)
    for value, wanted in zip(found, expected, strict=True):
        assert (value is None) == (wanted is None)
        if value is not None:
            torch.testing.assert_close(value, wanted, rtol=1e-4, atol=1e-5 * largest)


def gradients(model: nn.Module) -> list[Tensor | None]:
    return [weight.grad for weight in model.parameters()]


@each_policy
@each_layer
def test_a_kept_graph_gives_its_gradient_twice(name: str, policy: str) -> None:
    models = pair_of_models(name, policy)
    for model in models:
        out = model(X, EDGES)
        out.square().sum().backward(retain_graph=True)
        out.square().sum().backward()
    close(gradients(models[1]), gradients(models[0]))


@each_policy
def test_a_graph_that_was_not_kept_raises(policy: str) -> None:
    plain, wrapped = pair_of_models("GCNConv", policy)
    for model in (plain, wrapped):
        out = model(X, EDGES).square().sum()
        out.backward()
        with pytest.raises(RuntimeError):
            out.backward()


@each_policy
@each_layer
def test_gradients_of_gradients_are_exact_or_refused(name: str, policy: str) -> None:
    """Forces are gradients of an energy, and a loss of forces needs their gradients."""
    found = []
    for model in pair_of_models(name, policy):
        x = X.clone().requires_grad_()
        try:
            (force,) = torch.autograd.grad(model(x, EDGES).square().sum(), x, create_graph=True)
            (force.square().sum() + model(x, EDGES).sum()).backward()
        except Refusal:
            assert found, "the plain model refuses nothing"
            return
        found.append([x.grad, *gradients(model)])
    close(found[1], found[0])


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


@each_policy
def test_gradients_of_two_batches_add_up(policy: str) -> None:
    models = pair_of_models("GATConv", policy)
    for model in models:
        for seed in (1, 2):
            model(drawn(NODES, C, seed=seed), EDGES).square().mean().backward()
    close(gradients(models[1]), gradients(models[0]))


@each_policy
@each_layer
def test_weights_given_from_outside_get_the_gradient(name: str, policy: str) -> None:
    """`functional_call`, as meta-learning and per-sample gradients use it."""
    found = []
    for model in pair_of_models(name, policy):
        weights = {key: (weight.detach() * 1.5 + 0.1).requires_grad_() for key, weight in model.named_parameters()}
        try:
            out = torch.func.functional_call(model, weights, (X, EDGES))
            found.append(list(torch.autograd.grad(out.square().sum(), list(weights.values()), allow_unused=True)))
        except Refusal:
            assert found, "the plain model refuses nothing"
            return
        assert all(weight.grad is None for weight in model.parameters())
    close(found[1], found[0])


@each_policy
@pytest.mark.parametrize("name", ["SAGEConv", "GCNConv", "GATv2Conv"])
def test_a_functional_gradient_is_exact_or_refused(name: str, policy: str) -> None:
    """`torch.func.grad` and `jacrev`; where the plain model runs, this one does, or says why not."""

    def loss(model: nn.Module, weights: dict[str, Tensor]) -> Tensor:
        return torch.func.functional_call(model, weights, (X, EDGES)).square().sum()

    plain, wrapped = pair_of_models(name, policy)
    weights = {key: weight.detach() for key, weight in plain.named_parameters()}
    expected = torch.func.grad(lambda given: loss(plain, given))(weights)
    try:
        found = torch.func.grad(lambda given: loss(wrapped, given))(weights)
    except Refusal:
        return
    close(list(found.values()), list(expected.values()))


@each_policy
@pytest.mark.parametrize("name", ["SAGEConv", "GINConv"])
def test_a_mapped_model_is_exact_or_refused(name: str, policy: str) -> None:
    """`torch.func.vmap` over features of one graph."""
    plain, wrapped = pair_of_models(name, policy)
    many = drawn(3, NODES, C, seed=71)
    expected = torch.func.vmap(lambda x: plain(x, EDGES))(many)
    try:
        found = torch.func.vmap(lambda x: wrapped(x, EDGES))(many)
    except Refusal:
        return
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@each_policy
@pytest.mark.parametrize("name", ["SAGEConv", "GATConv"])
def test_a_seed_before_two_steps_gives_the_same_two_steps(name: str, policy: str) -> None:
    plain, wrapped = pair_of_models(name, policy)
    found = []
    for model in (plain, wrapped):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        seed_all(2)
        for _ in range(2):
            optimizer.zero_grad()
            model(X, EDGES).square().mean().backward()
            optimizer.step()
        found.append([weight.detach() for weight in model.parameters()])
    close(found[1], found[0])


def test_the_plain_models_run() -> None:
    for name, layer in LAYERS.items():
        torch.manual_seed(0)
        assert outcome(TwoLayers(layer), "none", (X, EDGES)) == "exact", name


@pytest.mark.parametrize("policy", ["edge_blocks(8)", "fused_edge_blocks", "layers"])
@each_layer
def test_a_checkpoint_around_both_layers_is_exact(name: str, policy: str) -> None:
    """The second layer's input is computed again for its backward pass: another tensor than in its forward pass."""
    torch.manual_seed(0)
    inner = without_zeros(TwoLayers(LAYERS[name]))
    assert outcome(Checkpointed(inner), policy, (X, EDGES)) == "exact"


class Checkpointed(nn.Module):
    """A model that PyTorch recomputes as a whole."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return checkpoint(self.inner, x, edge_index, use_reentrant=False)  # type: ignore[no-any-return]
