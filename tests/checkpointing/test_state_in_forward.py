"""State that a forward pass changes is changed once a step, however often a layer is recomputed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from every_convolution import perceptron
from small_inputs import CHANNELS, EDGES, NODES, OUT, X
from steps_compared import difference, is_exact_or_refused, outcome, step, under, without_zeros
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch_geometric import nn as pyg

from gnn_checkpointing.refusal import Refusal

C, O = CHANNELS, OUT  # noqa: E741 - as PyG's own shapes are written
POLICIES = ("edge_blocks(8)", "layers", "layers+edge_blocks(8)", "selective", "auto")
each_policy = pytest.mark.parametrize("policy", POLICIES)

NORMS: dict[str, Callable[[], nn.Module]] = {
    "nn.BatchNorm1d": lambda: nn.BatchNorm1d(O),
    "nn.BatchNorm1d, cumulative": lambda: nn.BatchNorm1d(O, momentum=None),
    "PyG's BatchNorm": lambda: pyg.BatchNorm(O),
    "InstanceNorm": lambda: pyg.InstanceNorm(O, affine=True, track_running_stats=True),
    "DiffGroupNorm": lambda: pyg.DiffGroupNorm(O, groups=2),
    "spectral norm": lambda: parametrizations.spectral_norm(nn.Linear(O, O)),
    "old spectral norm": lambda: nn.utils.spectral_norm(nn.Linear(O, O)),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@each_policy
@pytest.mark.parametrize("name", NORMS)
def test_statistics_outside_the_message_are_updated_once(name: str, policy: str) -> None:
    """GIN's network runs on the nodes, after the messages; three steps, so a second update would show."""
    torch.manual_seed(0)
    layer = pyg.GINConv(nn.Sequential(nn.Linear(C, O), NORMS[name](), nn.Linear(O, O)))
    assert outcome(without_zeros(layer), policy, (X, EDGES), steps=3) == "exact"


@pytest.mark.filterwarnings("ignore::FutureWarning")
@each_policy
@pytest.mark.parametrize("name", NORMS)
def test_statistics_inside_the_message_are_exact_or_refused(name: str, policy: str) -> None:
    torch.manual_seed(0)
    layer = pyg.EdgeConv(nn.Sequential(nn.Linear(2 * C, O), NORMS[name](), nn.Linear(O, O)), aggr="sum")
    found = outcome(without_zeros(layer), policy, (X, EDGES), steps=3)
    assert found == "exact" or (policy != "auto" and is_exact_or_refused(found))


class Counting(pyg.MessagePassing):
    """A user's layer that counts its calls in a buffer, keeps its last output, and a list of what it did."""

    def __init__(self) -> None:
        super().__init__(aggr="mean")
        self.lin = nn.Linear(C, O)
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(O))
        self.number, self.norms, self.last = 0, [], None

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        out = self.propagate(edge_index, x=self.lin(x))
        self.calls += 1
        self.mean.lerp_(out.detach().mean(dim=0), 0.1)
        self.number += 1
        self.norms.append(out.norm().item())
        self.last = out
        return out.sigmoid()

    def message(self, x_j: Tensor) -> Tensor:
        return x_j.tanh()


@each_policy
def test_a_users_buffers_and_attributes_are_written_once(policy: str) -> None:
    torch.manual_seed(0)
    plain = Counting()
    try:
        wrapped = under(policy, plain)
        found = [step(wrapped, (X, EDGES)) for _ in range(3)]
    except Refusal:
        assert policy not in {"edge_blocks(8)", "auto"}
        return
    expected = [step(plain, (X, EDGES)) for _ in range(3)]
    assert [difference(a, b) for a, b in zip(expected, found, strict=True)] == ["", "", ""]
    assert wrapped.number == plain.number == 3
    assert wrapped.norms == pytest.approx(plain.norms)


@each_policy
def test_an_output_that_a_layer_keeps_has_its_gradient(policy: str) -> None:
    """A loss may be taken of what a layer wrote to an attribute, as with SuperGAT's attention loss."""
    torch.manual_seed(0)
    plain = Counting()

    def kept(model: nn.Module) -> Tensor:
        return model.last.square().sum()

    assert is_exact_or_refused(outcome(plain, policy, (X, EDGES), loss_of=kept))
    if policy in {"edge_blocks(8)", "auto"}:
        assert outcome(plain, policy, (X, EDGES), loss_of=kept) == "exact"


@each_policy
@pytest.mark.parametrize("attention", ["MX", "SD"])
def test_the_attention_loss_of_supergat_counts_once(attention: str, policy: str) -> None:
    """Negative edges are given, so that nothing is drawn; the loss is part of the step."""
    torch.manual_seed(0)
    layer = without_zeros(pyg.SuperGATConv(C, O, heads=2, attention_type=attention))
    found = outcome(
        layer,
        policy,
        (X, EDGES),
        {"neg_edge_index": EDGES.flip(0)[:, :9]},
        loss_of=lambda model: 4.0 * model.get_attention_loss(),
        steps=1,
    )
    assert found == "exact" or (policy in {"layers+edge_blocks(8)", "selective"} and is_exact_or_refused(found))


@each_policy
@pytest.mark.parametrize("layer", [pyg.GCNConv, pyg.SGConv])
def test_a_cached_normalisation_is_made_once_and_kept(layer: type, policy: str) -> None:
    """`cached=True`: later steps use the graph of the first, whatever they are given."""
    torch.manual_seed(0)
    plain = layer(C, O, cached=True)
    wrapped = under(policy, plain)
    for edges in (EDGES, EDGES.flip(0)):
        expected, found = step(plain, (X, edges), raw=True), step(wrapped, (X, edges), raw=True)
        assert difference(expected, found) == ""
    plain.reset_parameters()
    wrapped.reset_parameters()
    wrapped.load_state_dict(plain.state_dict())
    args = (X, EDGES.flip(0))
    assert difference(step(plain, args, raw=True), step(wrapped, args, raw=True)) == ""


@each_policy
def test_a_message_that_counts_its_edges_is_exact_or_refused(policy: str) -> None:
    """A buffer changed inside a message would be changed once a block, and again in the backward pass."""

    class Edges(pyg.MessagePassing):
        def __init__(self) -> None:
            super().__init__(aggr="sum")
            self.lin = nn.Linear(C, O)
            self.register_buffer("calls", torch.zeros(()))
            self.register_buffer("edges", torch.zeros(()))

        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            return self.propagate(edge_index, x=self.lin(x))

        def message(self, x_j: Tensor) -> Tensor:
            self.calls += 1
            self.edges += len(x_j)
            return x_j.tanh()

    torch.manual_seed(0)
    assert is_exact_or_refused(outcome(Edges(), policy, (X, EDGES)))


@each_policy
def test_inputs_are_not_changed(policy: str) -> None:
    torch.manual_seed(0)
    model = under(policy, pyg.GATConv(C, O))
    x, edges = X.clone().requires_grad_(), EDGES.clone()
    model(x, edges).sum().backward()
    assert torch.equal(x, X)
    assert torch.equal(edges, EDGES)
    assert x.grad.shape == (NODES, C)


@each_policy
def test_an_output_may_be_changed_in_place(policy: str) -> None:
    """`out += 1` or `out.mul_(2)` right after a layer, where it is allowed without a policy."""

    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = pyg.SAGEConv(C, C), pyg.GINConv(perceptron(C, O))

        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            x = self.first(x, edge_index)
            x += 1
            return self.second(x.relu_(), edge_index).mul_(2)

    torch.manual_seed(0)
    assert outcome(InPlace(), policy, (X, EDGES)) == "exact"
