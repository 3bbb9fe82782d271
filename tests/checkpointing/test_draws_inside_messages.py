"""Whatever a layer or model draws, the backward pass sees the same draws: the gradient is that of one function."""

import contextlib
import random
from collections.abc import Callable

import numpy
import pytest
import torch
from cases_of_messages import edge_conv
from every_convolution import EVERY, Configuration, called
from other_convolutions import CONVOLUTIONS
from small_inputs import ATTRIBUTES, EDGES, NODES, C, D, O, X, drawn
from small_layers import Own
from small_pyg_models import MODELS
from steps_compared import floating, outcome, seed_all, slope_error, tensors_in, under
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric import nn as pyg

from gnn_checkpointing.refusal import Refusal

each_policy = pytest.mark.parametrize("policy", EVERY)


class Doubled(nn.Module):
    """A user's own dropout, not a subclass of PyTorch's."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.bernoulli(torch.full_like(x, 0.5)) * 2 if self.training else x


OWN: dict[str, Callable[[], nn.Module]] = {
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
    "dropout around and inside": lambda: pyg.GPSConv(C, pyg.GATConv(C, C, dropout=0.5), dropout=0.3),
}
DRAWING: dict[str, Configuration] = {
    **{name: called(build, X, EDGES) for name, build in OWN.items()},
    **{name: configuration for name, configuration in CONVOLUTIONS.items() if configuration.draws},
    **{f"model: {name}": configuration for name, configuration in MODELS.items() if configuration.draws},
}
MAY_REFUSE = {("model: EdgeCNN", "edge_blocks(8)"), ("model: EdgeCNN", "layers+edge_blocks(8)")}
"""A BatchNorm over the messages of all edges."""


@pytest.mark.parametrize("policy", [*EVERY, "none"])
@pytest.mark.parametrize("name", DRAWING)
def test_the_gradient_is_the_slope_of_the_function_that_was_drawn(name: str, policy: str) -> None:
    """Also without a policy. The backward pass leaves generators alone, and draws are the same without gradients."""
    given = DRAWING[name]
    args, named = floating(lambda tensor: tensor.clone().requires_grad_(), (given.args, given.kwargs))
    try:
        model = under(policy, given.built())
    except Refusal:
        assert (name, policy) in MAY_REFUSE
        return
    outs = []
    for gradients in (False, True):
        seed_all(5)
        with torch.set_grad_enabled(gradients):
            outs.append(list(tensors_in(model(*args, **named))))
    for plain, out in zip(*outs, strict=True):
        torch.testing.assert_close(out, plain)
    states = [torch.random.get_rng_state(), random.getstate(), numpy.random.get_state()]
    try:
        sum(out.sum() for out in outs[1]).backward()
    except Refusal:
        assert policy == "selective"
        return
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert numpy.array_equal(numpy.random.get_state()[1], states[2][1])
    assert numpy.random.get_state()[2] == states[2][2]
    assert slope_error(model, given.args, given.kwargs) < 1e-5


@each_policy
@pytest.mark.parametrize("name", OWN)
def test_a_layer_that_draws_is_exact_when_it_evaluates(name: str, policy: str) -> None:
    assert outcome(DRAWING[name].built().eval(), policy, (X, EDGES)) == "exact"


@pytest.mark.parametrize("name", OWN)
def test_a_seed_decides_and_another_seed_decides_otherwise(name: str) -> None:
    model = under("edge_blocks(8)", DRAWING[name].built())
    outs = []
    for seed in (1, 1, 2):
        seed_all(seed)
        outs.append(model(X, EDGES))
    assert torch.equal(outs[0], outs[1])
    assert not torch.equal(outs[0], outs[2])


def test_each_step_and_each_block_draws_for_itself() -> None:
    """Every node receives the same twelve messages, each kept or dropped: equal masks would give equal sums.

    A block of 12 edges holds one node, so a mask repeated in each block would make all nodes equal.
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
    """Between 4,800 and 5,200 of 10,000 draws are kept: four standard deviations of 50 each way."""
    edges = torch.stack([torch.arange(1000), torch.arange(1000) // 4])
    layer = Own(lambda x_j, training: F.dropout(torch.ones(len(x_j), 10) + 0 * x_j[:, :1], 0.5, training))
    model = under(policy, layer)
    seed_all(1)
    kept = model(torch.zeros(1000, C), edges).sum().item() / 2
    assert 4800 <= kept <= 5200


@pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers", "auto"])
def test_two_passes_in_flight_keep_their_own_draws(policy: str) -> None:
    """Slope of f(x) + f(y), where both are drawn before either backward pass."""

    class Twice(nn.Module):
        def __init__(self, layer: nn.Module) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor, y: Tensor, edge_index: Tensor) -> Tensor:
            return self.layer(x, edge_index) * self.layer(y, edge_index.flip(0)).tanh()

    model = under(policy, Twice(DRAWING["GATConv, dropout"].built()))
    assert slope_error(model, (X, drawn(NODES, C, seed=63), EDGES)) < 1e-5


def test_a_generator_of_its_own_is_replayed_or_refused() -> None:
    """Layers that draw from their own `torch.Generator` are rare; the gradient must be right or refused."""
    generator = torch.Generator()

    class Private(Own):
        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            generator.manual_seed(4)
            return super().forward(x, edge_index)

    torch.manual_seed(0)
    layer = Private(lambda x_j, _: x_j * torch.rand(x_j.shape, generator=generator, dtype=x_j.dtype))
    with contextlib.suppress(Refusal):
        assert slope_error(under("edge_blocks(8)", layer), (X, EDGES)) < 1e-5


DROPPING = {
    "GATConv": lambda: pyg.GATConv(C, 2, heads=2, dropout=0.5),
    "GATv2Conv": lambda: pyg.GATv2Conv(C, 2, heads=2, dropout=0.5, edge_dim=D),
    "TransformerConv": lambda: pyg.TransformerConv(C, 2, heads=2, dropout=0.5),
}


@pytest.mark.parametrize("policy", ["fused_edge_blocks(8)", "edge_blocks(8)"])
@pytest.mark.parametrize("name", DROPPING)
def test_a_gradient_to_be_differentiated_has_the_masks_of_the_forward_pass(
    name: str, policy: str, compiler: None
) -> None:
    """It is the gradient without `create_graph`, and its own gradient is its slope."""
    model, x = under(policy, DROPPING[name]().double()), X.double().requires_grad_()
    args = (EDGES, ATTRIBUTES.double()) if name == "GATv2Conv" else (EDGES,)

    def gradient(at: Tensor, **options: bool) -> Tensor:
        seed_all(5)
        return torch.autograd.grad(model(at, *args).square().sum(), at, **options)[0]

    first, ahead = gradient(x, create_graph=True), X.cos().double()
    torch.testing.assert_close(first, gradient(x))
    sides = [gradient((x + shift * ahead).detach().requires_grad_()) for shift in (1e-6, -1e-6)]
    torch.testing.assert_close(torch.autograd.grad((first * ahead).sum(), x)[0], (sides[0] - sides[1]) / 2e-6)
