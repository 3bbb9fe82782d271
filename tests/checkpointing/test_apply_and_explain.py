"""`apply`, `verify`, `explain` and `remove`: what a model is given, what is said of it, how it is taken away."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import small_inputs as s
import torch
from small_inputs import CHANNELS, EDGES, OUT, PAIR, PAIR_EDGES, WEIGHT, X, different_edges, drawn
from small_layers import Centered, Counted, Doubling, Own, calls_in_a_step, perceptron
from steps_compared import difference, outcome, seed_all, step, under, without_zeros
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.data import Data, HeteroData

import gnn_checkpointing
import gnn_checkpointing.checkpointing as library
from gnn_checkpointing import apply, explain, remove
from gnn_checkpointing.refusal import Refusal

C, O = CHANNELS, OUT  # noqa: E741 - as PyG's own shapes are written
EVERY_POLICY = ("none", "layers", "selective", "edge_blocks", "edge_blocks(8)", "layers+edge_blocks(8)", "auto")
each_policy = pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers", "auto"])
DENSE = drawn(150, C, seed=96), different_edges(150, 150, 150 * 100, seed=95)


class Mixed(nn.Module):
    """Layers of several kinds, one of which looks at all edges, and one that is no message passing layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = pyg.GATv2Conv(C, C), pyg.EdgeConv(nn.Sequential(nn.Linear(2 * C, C), pyg.GraphNorm(C)))
        self.plain, self.last = nn.Linear(C, C), pyg.SAGEConv(C, O)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.norm(self.first(x, edge_index).tanh(), edge_index)
        return self.last(self.plain(x).tanh(), edge_index)


class Weighted(nn.Module):
    """A model that draws, and is called with features, edges and, perhaps, weights of edges."""

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


class Impure(Own):
    """A layer that computes something else each time it runs, by a counter that no policy knows of."""

    count = 0

    def __init__(self) -> None:
        super().__init__(lambda x_j, _: x_j, C)

    def message(self, x_j: Tensor) -> Tensor:
        Impure.count += 1
        return (x_j * Impure.count).tanh()


def built(kind: Callable[[], nn.Module] = Mixed) -> nn.Module:
    torch.manual_seed(0)
    Impure.count = 0
    return without_zeros(kind())


def assert_same(plain: nn.Module, model: nn.Module, *graphs: tuple) -> None:
    for args in graphs or ((X, EDGES),):
        Impure.count = 0
        expected = step(plain, args)
        Impure.count = 0
        assert difference(expected, step(model, args)) == ""


def test_the_package_and_its_library_offer_the_same_functions() -> None:
    for name in ("apply", "explain", "remove"):
        assert getattr(gnn_checkpointing, name) is getattr(library, name)


def test_without_a_policy_each_layer_gets_an_exact_one() -> None:
    """`apply(model)` refuses nothing, not even a layer that looks at all edges, or a model without messages.

    A first small graph does not decide for a dense one.
    """
    plain = built()
    assert_same(plain, apply(copy.deepcopy(plain)), (X, EDGES), DENSE, (X, EDGES))
    for model in (nn.Linear(C, O), nn.Sequential(nn.Linear(C, C), nn.ReLU()), nn.Identity()):
        assert apply(model) is model
        model(X)


@pytest.mark.parametrize("kind", ["GCNConv", "SAGEConv", "GATConv", "GATv2Conv", "TransformerConv", "Centered"])
def test_a_dense_graph_is_exact_without_a_named_policy(kind: str) -> None:
    """150 nodes with about 100 edges each; small graphs may be left alone, this one need not be."""
    model = built(Centered if kind == "Centered" else lambda: getattr(pyg, kind)(C, O))
    assert outcome(model, "auto", DENSE) == "exact"


@pytest.mark.parametrize("policy", EVERY_POLICY)
def test_a_policy_that_is_removed_leaves_the_model_as_it_was(policy: str) -> None:
    layer = built(Counted)
    before = {name: set(vars(module)) for name, module in layer.named_modules()}
    assert apply(layer, policy) is layer
    assert remove(remove(layer)) is layer
    assert calls_in_a_step(layer) == 1
    assert {name: set(vars(module)) for name, module in layer.named_modules()} == before
    assert type(layer) is Counted
    assert_same(built(Counted), layer)


def test_a_layer_recomputed_whole_runs_its_message_twice_and_none_removes_that() -> None:
    """Once in each pass; blocks run it once each, and there are several."""
    assert calls_in_a_step(apply(built(Counted), "layers")) == 2
    layer = apply(built(Counted), "edge_blocks(8)")
    assert calls_in_a_step(layer) > 4
    assert calls_in_a_step(apply(layer, "none")) == 1


@pytest.mark.parametrize("second", ["layers", "edge_blocks(4)", "edge_blocks(64)", "auto"])
@pytest.mark.parametrize("first", ["layers", "edge_blocks(8)", "layers+edge_blocks(8)", "selective", "auto"])
def test_a_second_policy_replaces_the_first(first: str, second: str) -> None:
    twice = apply(apply(built(Counted), first), second)
    assert calls_in_a_step(twice) == calls_in_a_step(apply(built(Counted), second))
    assert_same(built(Counted), twice)


def test_a_layer_inside_a_model_can_have_a_policy_of_its_own() -> None:
    plain = built()
    wrapped = copy.deepcopy(plain)
    apply(wrapped.first, "edge_blocks(8)")
    apply(wrapped.last, "layers")
    assert_same(plain, wrapped)
    assert_same(plain, remove(wrapped))


@pytest.mark.parametrize("policy", ["", "edge_block", "edge_blocks(0)", "edge_blocks(-1)", "segments", "AUTO"])
def test_an_unknown_policy_is_refused_and_changes_nothing(policy: str) -> None:
    layer = built(Counted)
    with pytest.raises(Refusal, match="policy"):
        apply(layer, policy)
    with pytest.raises((Refusal, ValueError), match=r"on_refusal|fall_back"):
        apply(layer, "layers", on_refusal="ignore")
    assert calls_in_a_step(layer) == 1


def test_a_named_policy_refuses_when_it_is_applied_and_leaves_the_model_alone() -> None:
    """The norm inside the second layer's message can be seen before the first step; an earlier policy stays."""
    for earlier in ("none", "layers"):
        model = apply(built(), earlier)
        table = str(explain(model))
        with pytest.raises(Refusal, match=r"GraphNorm|EdgeConv"):
            apply(model, "edge_blocks(8)")
        assert str(explain(model)) == table
        assert_same(built(), model)
    with pytest.raises(Refusal, match="edge_blocks cannot wrap Doubling: it has a propagate method of its own"):
        apply(Doubling(C, O), "edge_blocks(8)")
    with pytest.raises(Refusal, match="Linear has no PyG message passing layer"):
        library.edge_blocks(nn.Linear(4, 4))
    reason = r"edge_blocks cannot wrap EdgeConv: nn\.1 \(BatchNorm1d\) inside its messages normalises over all edges"
    with pytest.raises(Refusal, match=reason):
        apply(pyg.EdgeConv(perceptron(2 * C, O, nn.BatchNorm1d(O))), "edge_blocks")
    with pytest.raises(Refusal, match="compiled_edge_blocks is no longer available: fused_edge_blocks and edge_blocks"):
        apply(pyg.SAGEConv(4, 4), "compiled_edge_blocks")


@pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers+edge_blocks(8)", "reversible", "segments(2)"])
@pytest.mark.parametrize("kind", [Mixed, Centered])
def test_fall_back_gives_each_layer_what_is_exact_for_it(kind: type, policy: str) -> None:
    plain = built(kind)
    for verify in (None, (X, EDGES)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrapped = apply(copy.deepcopy(plain), policy, on_refusal="fall_back", verify=verify)
        assert_same(plain, wrapped)


def test_a_message_that_blocks_change_is_refused_by_name_in_the_first_step() -> None:
    """A user's message cannot be read; it is tried on the first graph, and a sentence says what differed."""
    with pytest.raises(Refusal, match="Centered"):
        step(apply(built(Centered), "edge_blocks(8)"), (X, EDGES))


LAZY: dict[str, tuple[Callable[[], nn.Module], tuple]] = {
    "SAGEConv": (lambda: pyg.SAGEConv(-1, O), (X, EDGES)),
    "SAGEConv, pair": (lambda: pyg.SAGEConv((-1, -1), O), (PAIR, PAIR_EDGES)),
    "GCNConv": (lambda: pyg.GCNConv(-1, O), (X, EDGES)),
    "GATConv": (lambda: pyg.GATConv(-1, O, heads=2), (X, EDGES)),
    "GATv2Conv": (lambda: pyg.GATv2Conv((-1, -1), O, add_self_loops=False), (PAIR, PAIR_EDGES)),
    "GraphConv": (lambda: pyg.GraphConv(-1, O), (X, EDGES, WEIGHT)),
    "TransformerConv": (lambda: pyg.TransformerConv(-1, O, edge_dim=s.EDGE_CHANNELS), (X, EDGES, s.ATTRIBUTES)),
}


@each_policy
@pytest.mark.parametrize("name", LAZY)
def test_lazy_weights_get_their_sizes_and_gradients_in_the_first_step(name: str, policy: str) -> None:
    build, args = LAZY[name]
    wrapped, plain = under(policy, build()), build()
    first = step(wrapped, args)
    assert all(first[f"gradient of {weight}"] is not None for weight, _ in wrapped.named_parameters())
    seed_all(0)
    plain(*args)
    plain.load_state_dict(wrapped.state_dict())
    assert_same(plain, wrapped, args)


@each_policy
def test_what_only_some_calls_give_is_exact(policy: str) -> None:
    """Edge weights in one call, none in the next; another way to compute, too."""
    plain = built(lambda: pyg.GCNConv(C, O))
    wrapped = under(policy, plain)
    assert_same(plain, wrapped, (X, EDGES), (X, EDGES, WEIGHT), (X, EDGES))
    plain.decomposed_layers = wrapped.decomposed_layers = 3
    assert_same(plain, wrapped)


# --- verify


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
    "a HeteroData": (lambda: pyg.HANConv(C, O, s.METADATA), HETERO),
    "dicts": (lambda: pyg.HANConv(C, O, s.METADATA), (s.FEATURES_BY_TYPE, s.EDGES_BY_TYPE)),
}


@each_policy
@pytest.mark.parametrize("batch", BATCHES)
def test_a_policy_that_is_exact_passes_its_verification(batch: str, policy: str) -> None:
    """Loss, gradients and buffers are compared where both drew the same, or nothing."""
    kind, given = BATCHES[batch]
    model = built(kind)
    assert apply(model, policy, verify=given) is model


@each_policy
def test_verification_leaves_no_trace(policy: str) -> None:
    """Weights, gradients, running statistics, the mode, and the generator are as before."""
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


# --- explain


def test_the_explanation_has_a_line_for_each_layer_and_counts_bytes_of_the_last_step() -> None:
    """What is expected depends on the graph, so it is known once there was one; a dense one needs more."""
    model = apply(built(Weighted), "edge_blocks(8)")
    tables = [str(explain(model))]
    for args in ((X, EDGES), (drawn(60, C, seed=97), different_edges(60, 60, 3000, seed=98))):
        step(model, args)
        tables.append(str(explain(model)))
    assert len(set(tables)) == 3
    assert all(word in tables[0] for word in ("first", "second", "GCNConv", "GATConv", "edge_blocks"))
    assert "BatchNorm" not in tables[0]
    assert "MiB" in tables[1]
    assert_same(built(Weighted).eval(), model.eval())


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
