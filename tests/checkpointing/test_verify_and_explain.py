"""`apply(verify=batch)` compares a step with and without the policy; `explain` gives each layer's policy and reason."""

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import pytest
import small_inputs as s
import torch
from small_inputs import EDGES, WEIGHT, C, O, X, different_edges, drawn
from small_layers import Centered, Impure, assert_same, built
from steps_compared import step
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.data import Data, HeteroData

from gnn_checkpointing import apply, explain, remove
from gnn_checkpointing.refusal import Refusal

each_policy = pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers", "auto"])


class Weighted(nn.Module):
    """A model that draws, and is called with features, edges and optional edge weights."""

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


class Kept(FromData):
    """A model that writes its output into its argument, and keeps it."""

    def forward(self, data: Data) -> Data:
        self.last = [super().forward(data)]
        data.x = self.last[0]
        return data


def kept_once() -> nn.Module:
    model = Kept()
    model(Data(x=X, edge_index=EDGES))
    return model


HETERO = HeteroData()
for _kind, _x in s.FEATURES_BY_TYPE.items():
    HETERO[_kind].x = _x
for _kinds, _edges in s.EDGES_BY_TYPE.items():
    HETERO[_kinds].edge_index = _edges
BATCHES: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "a tuple": (Weighted, (X, EDGES)),
    "a longer tuple": (Weighted, (X, EDGES, WEIGHT)),
    "a dict": (Weighted, {"x": X, "edge_index": EDGES, "edge_weight": WEIGHT}),
    "a Data": (Weighted, Data(x=X, edge_index=EDGES)),
    "a Data with weights": (Weighted, Data(x=X, edge_index=EDGES, edge_weight=WEIGHT)),
    "a Data as the argument": (FromData, (Data(x=X, edge_index=EDGES),)),
    "a model that keeps and returns a Data": (kept_once, (Data(x=X, edge_index=EDGES),)),
    "weights that learn nothing": (lambda: Weighted().requires_grad_(False), (X, EDGES)),
    "complex numbers": (lambda: pyg.SimpleConv("sum"), (torch.complex(X, X), EDGES)),
    "a HeteroData": (lambda: pyg.HANConv(C, O, s.METADATA), HETERO),
    "dicts": (lambda: pyg.HANConv(C, O, s.METADATA), (s.FEATURES_BY_TYPE, s.EDGES_BY_TYPE)),
}


@each_policy
@pytest.mark.parametrize("batch", BATCHES)
def test_a_policy_that_is_exact_passes_its_verification(batch: str, policy: str) -> None:
    """Loss, gradients and buffers are compared if both models drew the same numbers, or none."""
    kind, given = BATCHES[batch]
    model = built(kind)
    assert apply(model, policy, verify=given) is model


@pytest.mark.parametrize("policy", ["edge_blocks", "auto"])
def test_what_rounding_leaves_of_a_gradient_that_is_zero_is_no_difference(policy: str) -> None:
    """Without a leaky ReLU, a softmax does not depend on a term that the destination adds to all its scores."""
    torch.manual_seed(0)
    model = pyg.GAT(16, 32, num_layers=3, out_channels=4, heads=4, negative_slope=1.0)
    apply(model, policy, verify=(torch.randn(1000, 16), torch.randint(0, 1000, (2, 128_000))))
    assert "edge_blocks" in str(explain(model))


@each_policy
def test_verification_leaves_no_trace(policy: str) -> None:
    """Weights, gradients, running statistics, mode and generator are as before."""
    plain = built(Weighted)
    plain.norm.eval()
    wrapped, state = copy.deepcopy(plain), torch.random.get_rng_state()
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


@pytest.mark.parametrize(
    ("kind", "policy"), [(Centered, "edge_blocks(8)"), (Impure, "edge_blocks(8)"), (Impure, "layers")]
)
def test_a_difference_is_refused_and_the_policy_taken_away(kind: type, policy: str) -> None:
    model = built(kind)
    with pytest.raises(Refusal):
        apply(model, policy, verify=(X, EDGES))
    assert_same(built(kind), model)


@pytest.mark.parametrize("batch", [(X,), {"colour": X}, Data(edge_index=EDGES), 7], ids=["short", "dict", "Data", "7"])
def test_a_batch_that_the_model_does_not_take_is_refused(batch: Any) -> None:
    with pytest.raises((Refusal, TypeError)):
        apply(built(Weighted), "edge_blocks(8)", verify=batch)


def test_a_model_that_returns_nothing_to_compare_is_refused() -> None:
    """Predicted classes have no gradient, and would be equal whatever the policy did."""

    class Classes(Weighted):
        def forward(self, *args: Any) -> torch.Tensor:
            return super().forward(*args).argmax(dim=-1)

    with pytest.raises(Refusal, match="no floating-point tensor, so there is nothing to compare"):
        apply(built(Classes), "edge_blocks(8)", verify=(X, EDGES))


def test_the_explanation_has_a_line_for_each_layer_and_counts_bytes_of_the_last_step() -> None:
    """Expected bytes depend on the graph, so they are known only after a first step; a dense graph needs more."""
    model = apply(built(Weighted), "edge_blocks(8)")
    tables = [str(explain(model))]
    for args in ((X, EDGES), (drawn(60, C, seed=97), different_edges(60, 60, 3000, seed=98))):
        step(model, args)
        tables.append(str(explain(model)))
    assert len(set(tables)) == 3
    assert all(word in tables[0] for word in ("first", "second", "GCNConv", "GATConv", "edge_blocks"))
    assert "BatchNorm" not in tables[0]
    assert "MiB" in tables[1]


@pytest.mark.parametrize(("dtype", "size"), [(torch.float64, 8), (torch.float32, 4), (torch.bfloat16, 2)])
def test_an_explanation_counts_the_bytes_of_the_models_own_numbers(dtype: torch.dtype, size: int) -> None:
    """A block has a MiB of them on so small a graph, less what the next node would add."""
    layer = apply(pyg.SAGEConv(64, O).to(dtype), "edge_blocks")
    layer(torch.randn(100, 64, dtype=dtype), torch.randint(100, (2, 20_000)))
    (row,) = explain(layer).layers
    assert row.message_bytes == 20_000 * 64 * size
    assert 0.8 * 2**20 < row.block_bytes <= 2**20


@pytest.mark.parametrize(("dtype", "policy"), [(torch.float64, "edge_blocks"), (torch.float32, "none")])
def test_auto_weighs_the_bytes_of_the_models_own_numbers(dtype: torch.dtype, policy: str) -> None:
    """8,192 edges of 128 values are 8 MiB in float64, and half of that in float32."""
    layer = apply(pyg.EdgeConv(nn.Linear(256, O)).to(dtype))
    layer(torch.randn(100, 128, dtype=dtype), torch.randint(100, (2, 8192)))
    (row,) = explain(layer).layers
    assert row.policy == policy


def test_a_model_without_a_policy_is_explained() -> None:
    assert "none" in str(explain(built()))
    assert "none" in str(explain(remove(apply(built(), "layers"))))
    assert len(explain(nn.Linear(2, 2)).layers) == 0


def test_an_explanation_gives_the_reason_why_a_layer_was_left_alone() -> None:
    model = apply(nn.ModuleList([pyg.EdgeConv(nn.Sequential(nn.Linear(2 * C, C), pyg.GraphNorm(C))), Centered()]))
    assert "GraphNorm" in str(explain(model))
    with contextlib.suppress(Refusal):
        apply(model, "edge_blocks(8)", on_refusal="fall_back")
    assert "GraphNorm" in str(explain(model))
