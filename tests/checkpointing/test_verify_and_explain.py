"""`apply(verify=batch)` compares one step with and without; `explain` says what each layer has, and why."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
import small_inputs as s
import torch
from small_inputs import CHANNELS, EDGES, NODES, OUT, WEIGHT, X, different_edges, drawn
from small_layers import Centered, Own
from steps_compared import difference, step, without_zeros
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.data import Data, HeteroData

from gnn_checkpointing import apply, explain, remove
from gnn_checkpointing.refusal import Refusal

C, O = CHANNELS, OUT  # noqa: E741 - as PyG's own shapes are written
POLICIES = ("edge_blocks(8)", "layers", "auto")


class Weighted(nn.Module):
    """A model that is called with features, edges and, perhaps, weights of edges."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = pyg.GCNConv(C, C), pyg.GATConv(C, O, dropout=0.5)
        self.norm = nn.BatchNorm1d(C)

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        return self.second(self.norm(self.first(x, edge_index, edge_weight)).relu(), edge_index)


class FromData(nn.Module):
    """A model that takes a whole `Data` object."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = pyg.SAGEConv(C, O)

    def forward(self, data: Data) -> Tensor:
        return self.layer(data.x, data.edge_index)


def built(kind: type = Weighted) -> nn.Module:
    torch.manual_seed(0)
    return without_zeros(kind())


BATCHES: dict[str, Any] = {
    "a tuple": (X, EDGES),
    "a longer tuple": (X, EDGES, WEIGHT),
    "a dict": {"x": X, "edge_index": EDGES, "edge_weight": WEIGHT},
    "a Data": Data(x=X, edge_index=EDGES),
    "a Data with weights": Data(x=X, edge_index=EDGES, edge_weight=WEIGHT),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("batch", BATCHES)
def test_a_policy_that_is_exact_passes_its_verification(batch: str, policy: str) -> None:
    """The model draws; loss, gradients and buffers are compared where both drew the same, or nothing."""
    model = built()
    assert apply(model, policy, verify=BATCHES[batch]) is model


@pytest.mark.parametrize("policy", POLICIES)
def test_verification_leaves_no_trace(policy: str) -> None:
    """Weights, gradients, running statistics, the mode, and the generator are as before."""
    plain = built()
    plain.train()
    wrapped = copy.deepcopy(plain)
    wrapped.norm.eval()
    plain.norm.eval()
    state = torch.random.get_rng_state()
    apply(wrapped, policy, verify=(X, EDGES))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(weight.grad is None for weight in wrapped.parameters())
    for name, value in plain.state_dict().items():
        assert torch.equal(wrapped.state_dict()[name], value), name
    assert [module.training for module in wrapped.modules()] == [module.training for module in plain.modules()]
    for weight in wrapped.parameters():
        weight.grad = torch.ones_like(weight)
    apply(wrapped, policy, verify=(X, EDGES))
    assert all(torch.equal(weight.grad, torch.ones_like(weight)) for weight in wrapped.parameters())


def test_a_model_of_a_data_object_is_verified() -> None:
    apply(built(FromData), "edge_blocks(8)", verify=(Data(x=X, edge_index=EDGES),))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_model_of_several_kinds_of_nodes_is_verified(policy: str) -> None:
    data = HeteroData()
    for kind, x in s.FEATURES_BY_TYPE.items():
        data[kind].x = x
    for kinds, edges in s.EDGES_BY_TYPE.items():
        data[kinds].edge_index = edges
    torch.manual_seed(0)
    model = pyg.HANConv(C, O, s.METADATA)
    apply(model, policy, verify=data)
    apply(model, policy, verify=(s.FEATURES_BY_TYPE, s.EDGES_BY_TYPE))
    assert len(model(s.FEATURES_BY_TYPE, s.EDGES_BY_TYPE)["author"]) == s.DESTINATIONS


class Impure(Own):
    """A layer that computes something else each time it runs, by a counter that no policy knows of."""

    count = 0

    def __init__(self) -> None:
        super().__init__(lambda x_j, _: x_j, C)

    def message(self, x_j: Tensor) -> Tensor:
        Impure.count += 1
        return (x_j * Impure.count).tanh()


@pytest.mark.parametrize(
    ("kind", "policy"), [(Centered, "edge_blocks(8)"), (Impure, "edge_blocks(8)"), (Impure, "layers")]
)
def test_a_difference_is_refused_and_the_policy_taken_away(kind: type, policy: str) -> None:
    Impure.count = 0
    model = built(kind)
    with pytest.raises(Refusal):
        apply(model, policy, verify=(X, EDGES))
    Impure.count = 0
    found = step(model, (X, EDGES))
    Impure.count = 0
    assert difference(step(built(kind), (X, EDGES)), found) == ""


def test_a_difference_falls_back_where_that_is_asked_for() -> None:
    model = apply(built(Centered), "edge_blocks(8)", verify=(X, EDGES), on_refusal="fall_back")
    assert difference(step(built(Centered), (X, EDGES)), step(model, (X, EDGES))) == ""


def test_a_batch_that_the_model_does_not_take_is_refused() -> None:
    for batch in ((X,), {"colour": X}, Data(edge_index=EDGES), 7):
        with pytest.raises((Refusal, TypeError)):
            apply(built(), "edge_blocks(8)", verify=batch)


def test_the_explanation_has_a_line_for_each_layer() -> None:
    table = str(explain(apply(built(), "edge_blocks(8)")))
    for word in ("first", "second", "GCNConv", "GATConv", "edge_blocks"):
        assert word in table
    assert "BatchNorm" not in table


def test_a_model_without_a_policy_is_explained() -> None:
    assert "none" in str(explain(built()))
    assert "none" in str(explain(remove(apply(built(), "layers"))))
    str(explain(nn.Linear(2, 2)))


def test_an_explanation_gives_the_reason_why_a_layer_was_left_alone() -> None:
    model = apply(nn.ModuleList([pyg.EdgeConv(nn.Sequential(nn.Linear(2 * C, C), pyg.GraphNorm(C))), Centered()]))
    table = str(explain(model))
    assert "GraphNorm" in table
    with contextlib.suppress(Refusal):
        apply(model, "edge_blocks(8)", on_refusal="fall_back")
    assert "GraphNorm" in str(explain(model))


def test_the_explanation_of_a_first_step_counts_bytes() -> None:
    """What is expected depends on the graph, so it is known once there was one; a dense one needs more."""
    model = apply(built(), "edge_blocks(8)")
    before = str(explain(model))
    step(model, (X, EDGES))
    small = str(explain(model))
    step(model, (drawn(60, C, seed=97), different_edges(60, 60, 3000, seed=98)))
    dense = str(explain(model))
    assert len({before, small, dense}) == 3
    assert "B" in small


@pytest.mark.parametrize("policy", POLICIES)
def test_explaining_changes_nothing(policy: str) -> None:
    torch.manual_seed(0)
    plain = pyg.GCNConv(C, O)
    model = apply(copy.deepcopy(plain), policy)
    explain(model)
    step(model, (X, EDGES))
    explain(model)
    assert difference(step(plain, (X, EDGES)), step(model, (X, EDGES))) == ""
    assert model(X, EDGES).shape == (NODES, O)
