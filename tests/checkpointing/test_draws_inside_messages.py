"""Whatever a message draws, the backward pass sees the same draws: the gradient belongs to a function."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Callable

import numpy
import pytest
import torch
from small_inputs import ATTRIBUTES, CHANNELS, EDGE_CHANNELS, EDGES, NODES, OUT, X, drawn
from small_layers import Own
from steps_compared import difference, outcome, seed_all, slope_error, step, under, without_zeros
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric import nn as pyg

from gnn_checkpointing.refusal import Refusal

C, O, D = CHANNELS, OUT, EDGE_CHANNELS  # noqa: E741 - as PyG's own shapes are written
POLICIES = ("edge_blocks(8)", "layers", "layers+edge_blocks(8)", "selective", "auto")


def edge_conv(module: nn.Module) -> nn.Module:
    return pyg.EdgeConv(nn.Sequential(nn.Linear(2 * C, O), module, nn.Linear(O, O)), aggr="sum")


class Doubled(nn.Module):
    """A user's own dropout, which is no subclass of PyTorch's."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.bernoulli(torch.full_like(x, 0.5)) * 2 if self.training else x


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "nn.Dropout": lambda: edge_conv(nn.Dropout(0.5)),
    "nn.AlphaDropout": lambda: edge_conv(nn.AlphaDropout(0.5)),
    "nn.FeatureAlphaDropout": lambda: edge_conv(nn.FeatureAlphaDropout(0.5)),
    "nn.Dropout1d": lambda: edge_conv(nn.Dropout1d(0.5)),
    "nn.RReLU": lambda: edge_conv(nn.RReLU()),
    "a user's dropout": lambda: edge_conv(Doubled()),
    "PyG's MLP": lambda: pyg.EdgeConv(pyg.MLP([2 * C, O, O], dropout=0.5, norm=None), aggr="sum"),
    "F.dropout": lambda: Own(lambda x_j, training: F.dropout(x_j, 0.5, training)),
    "torch.rand": lambda: Own(lambda x_j, training: x_j * torch.rand_like(x_j) if training else x_j),
    "torch.randn": lambda: Own(lambda x_j, training: x_j + x_j * torch.randn(x_j.shape) if training else x_j),
    "random.random": lambda: Own(lambda x_j, training: (x_j * random.random()).tanh() if training else x_j),
    "numpy.random": lambda: Own(lambda x_j, training: (x_j * numpy.random.rand()).tanh() if training else x_j),
    "two draws": lambda: Own(lambda x_j, training: F.dropout(F.dropout(x_j, 0.3, training), 0.3, training)),
    "attention dropout": lambda: pyg.GATConv(C, O, heads=2, dropout=0.6),
    "attention dropout with edge features": lambda: pyg.GATv2Conv(C, O, dropout=0.6, edge_dim=D),
    "attention dropout of a transformer": lambda: pyg.TransformerConv(C, O, heads=2, dropout=0.5, beta=True),
    "dropout around and inside": lambda: pyg.GPSConv(C, pyg.GATConv(C, C, dropout=0.5), dropout=0.3),
}


def built(name: str) -> nn.Module:
    torch.manual_seed(0)
    return without_zeros(LAYERS[name]())


def arguments(name: str) -> tuple:
    return (X, EDGES, ATTRIBUTES) if "edge features" in name else (X, EDGES)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", LAYERS)
def test_the_gradient_is_the_slope_of_the_function_that_was_drawn(name: str, policy: str) -> None:
    assert slope_error(under(policy, built(name)), arguments(name)) < 1e-5


@pytest.mark.parametrize("name", LAYERS)
def test_a_plain_gradient_is_the_slope_too(name: str) -> None:
    assert slope_error(built(name), arguments(name)) < 1e-6


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_that_draws_is_exact_when_it_evaluates(name: str, policy: str) -> None:
    layer = built(name).eval()
    assert outcome(layer, policy, arguments(name)) == "exact"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", LAYERS)
def test_the_backward_pass_leaves_the_generators_alone(name: str, policy: str) -> None:
    """Else what is drawn next would depend on how often something was recomputed."""
    model = under(policy, built(name))
    x = X.clone().requires_grad_()
    seed_all(1)
    out = model(x, *arguments(name)[1:])
    states = [torch.random.get_rng_state(), random.getstate(), numpy.random.get_state()]
    out.sum().backward()
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert numpy.array_equal(numpy.random.get_state()[1], states[2][1])
    assert numpy.random.get_state()[2] == states[2][2]


@pytest.mark.parametrize("name", LAYERS)
def test_a_seed_decides_and_another_seed_decides_otherwise(name: str) -> None:
    model = under("edge_blocks(8)", built(name))
    first, again, other = (step(copy.deepcopy(model), arguments(name), seed=seed) for seed in (1, 1, 2))
    assert difference(first, again) == ""
    assert difference(first, other) != ""


def test_each_step_and_each_block_draws_anew() -> None:
    """Every node receives the same twelve messages, each kept or dropped: equal masks would give equal sums.

    A block of 12 edges is one node, so a mask repeated from block to block would make all nodes equal.
    """
    everyone = torch.cartesian_prod(torch.arange(NODES), torch.arange(NODES)).t().contiguous()
    model = under("edge_blocks(12)", Own(lambda x_j, training: F.dropout(x_j, 0.5, training)))
    x = torch.ones(NODES, C)
    seed_all(1)
    first, second = (model(x, everyone).detach() for _ in range(2))
    assert len(first[:, 0].unique()) > 2
    assert not torch.equal(first, second)


@pytest.mark.parametrize("policy", ["edge_blocks(64)", "layers", "auto"])
def test_half_of_the_messages_are_dropped(policy: str) -> None:
    """Of 10,000 draws between 4,800 and 5,200 are kept: four standard deviations of 50."""
    edges = torch.stack([torch.arange(1000), torch.arange(1000) // 4])
    layer = Own(lambda x_j, training: F.dropout(torch.ones(len(x_j), 10) + 0 * x_j[:, :1], 0.5, training))
    model = under(policy, layer)
    seed_all(1)
    kept = model(torch.zeros(1000, C), edges).sum().item() / 2
    assert 4800 <= kept <= 5200


@pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers", "auto"])
def test_two_passes_in_flight_keep_their_own_draws(policy: str) -> None:
    """The slope of f(x) + f(y), both drawn before either backward pass."""

    class Twice(nn.Module):
        def __init__(self, layer: nn.Module) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor, y: Tensor, edge_index: Tensor) -> Tensor:
            return self.layer(x, edge_index) * self.layer(y, edge_index.flip(0)).tanh()

    model = under(policy, Twice(built("attention dropout")))
    assert slope_error(model, (X, drawn(NODES, C, seed=63), EDGES)) < 1e-5


def test_a_generator_of_its_own_is_replayed_or_refused() -> None:
    """A layer that draws from its own `torch.Generator` is rare; the gradient must be right or absent."""
    generator = torch.Generator()

    class Private(Own):
        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            generator.manual_seed(4)
            return super().forward(x, edge_index)

    torch.manual_seed(0)
    layer = Private(lambda x_j, _: x_j * torch.rand(x_j.shape, generator=generator, dtype=x_j.dtype))
    with contextlib.suppress(Refusal):
        assert slope_error(under("edge_blocks(8)", layer), (X, EDGES)) < 1e-5
