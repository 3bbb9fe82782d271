"""`apply`, `explain` and `remove`: what a policy is given, what is said of it, and how it is taken away."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from small_inputs import CHANNELS, EDGES, OUT, WEIGHT, X, different_edges, drawn
from small_layers import Centered, Counted, calls_in_a_step
from steps_compared import difference, outcome, step, without_zeros
from torch import Tensor, nn
from torch_geometric import nn as pyg

import gnn_checkpointing
import gnn_checkpointing.checkpointing as library
from gnn_checkpointing import apply, explain, remove
from gnn_checkpointing.refusal import Refusal

C, O = CHANNELS, OUT  # noqa: E741 - as PyG's own shapes are written
EVERY_POLICY = ("none", "layers", "selective", "edge_blocks", "edge_blocks(8)", "layers+edge_blocks(8)", "auto")
DENSE_NODES = 150
DENSE = different_edges(DENSE_NODES, DENSE_NODES, DENSE_NODES * 100, seed=95)
DENSE_X = drawn(DENSE_NODES, C, seed=96)


class Mixed(nn.Module):
    """Layers of several kinds, one of which looks at all edges, and one that is no message passing layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = pyg.GATv2Conv(C, C), pyg.EdgeConv(nn.Sequential(nn.Linear(2 * C, C), pyg.GraphNorm(C)))
        self.plain, self.last = nn.Linear(C, C), pyg.SAGEConv(C, O)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.norm(self.first(x, edge_index).tanh(), edge_index)
        return self.last(self.plain(x).tanh(), edge_index)


def built(kind: type = Mixed) -> nn.Module:
    torch.manual_seed(0)
    return without_zeros(kind())


def test_the_package_and_its_library_offer_the_same_functions() -> None:
    assert gnn_checkpointing.apply is library.apply
    assert gnn_checkpointing.explain is library.explain
    assert gnn_checkpointing.remove is library.remove


@pytest.mark.parametrize("policy", EVERY_POLICY)
def test_apply_changes_the_model_in_place_and_returns_it(policy: str) -> None:
    model = nn.ModuleList([pyg.GCNConv(C, C)])
    assert apply(model, policy) is model


def test_without_a_policy_each_layer_gets_an_exact_one() -> None:
    """`apply(model)` refuses nothing, not even a layer that looks at all edges, or a model without messages."""
    assert outcome(built(), "auto", (X, EDGES)) == "exact"
    plain = built()
    assert difference(step(plain, (X, EDGES)), step(apply(copy.deepcopy(plain)), (X, EDGES))) == ""
    for model in (nn.Linear(C, O), nn.Sequential(nn.Linear(C, C), nn.ReLU()), nn.Identity()):
        assert apply(model) is model
        model(X)


@pytest.mark.parametrize(
    "kind", ["GCNConv", "SAGEConv", "GATConv", "GATv2Conv", "TransformerConv", "Mixed", "Centered"]
)
def test_a_dense_graph_is_exact_without_a_named_policy(kind: str) -> None:
    """150 nodes with about 100 edges each; small graphs may be left alone, this one need not be."""
    torch.manual_seed(0)
    own = {"Mixed": Mixed, "Centered": Centered}
    model = without_zeros(own[kind]() if kind in own else getattr(pyg, kind)(C, O))
    assert outcome(model, "auto", (DENSE_X, DENSE)) == "exact"


def test_a_first_small_graph_does_not_decide_for_a_dense_one() -> None:
    plain = built()
    wrapped = apply(copy.deepcopy(plain))
    for args in ((X, EDGES), (DENSE_X, DENSE), (X, EDGES)):
        assert difference(step(plain, args), step(wrapped, args)) == ""


@pytest.mark.parametrize("policy", EVERY_POLICY)
def test_a_policy_that_is_removed_leaves_the_model_as_it_was(policy: str) -> None:
    layer = built(Counted)
    before = {name: set(vars(module)) for name, module in layer.named_modules()}
    assert remove(apply(layer, policy)) is layer
    assert calls_in_a_step(layer) == 1
    assert {name: set(vars(module)) for name, module in layer.named_modules()} == before
    assert type(layer) is Counted
    assert difference(step(built(Counted), (X, EDGES)), step(layer, (X, EDGES))) == ""


def test_none_removes_a_policy() -> None:
    layer = apply(built(Counted), "edge_blocks(8)")
    assert calls_in_a_step(layer) > 2
    assert calls_in_a_step(apply(layer, "none")) == 1


def test_removing_what_is_not_there_changes_nothing() -> None:
    layer = built(Counted)
    assert calls_in_a_step(remove(layer)) == 1
    assert calls_in_a_step(remove(remove(apply(layer, "layers")))) == 1


@pytest.mark.parametrize("second", ["layers", "edge_blocks(4)", "edge_blocks(64)", "auto"])
@pytest.mark.parametrize("first", ["layers", "edge_blocks(8)", "layers+edge_blocks(8)", "selective", "auto"])
def test_a_second_policy_replaces_the_first(first: str, second: str) -> None:
    once, twice = apply(built(Counted), second), apply(apply(built(Counted), first), second)
    assert calls_in_a_step(twice) == calls_in_a_step(once)
    assert difference(step(built(Counted), (X, EDGES)), step(twice, (X, EDGES))) == ""


def test_a_layer_recomputed_whole_runs_its_message_twice() -> None:
    """Once in each pass; blocks run it once each, and there are several."""
    assert calls_in_a_step(apply(built(Counted), "layers")) == 2
    assert calls_in_a_step(apply(built(Counted), "edge_blocks(8)")) > 4


def test_a_layer_inside_a_model_can_have_a_policy_of_its_own() -> None:
    plain = built()
    wrapped = copy.deepcopy(plain)
    apply(wrapped.first, "edge_blocks(8)")
    apply(wrapped.last, "layers")
    assert difference(step(plain, (X, EDGES)), step(wrapped, (X, EDGES))) == ""
    assert difference(step(plain, (X, EDGES)), step(remove(wrapped), (X, EDGES))) == ""


@pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers", "auto"])
def test_a_single_layer_can_have_a_policy(policy: str) -> None:
    torch.manual_seed(0)
    assert outcome(pyg.GCNConv(C, O), policy, (X, EDGES, WEIGHT)) == "exact"


@pytest.mark.parametrize("policy", ["", "edge_block", "edge_blocks(0)", "edge_blocks(-1)", "segments", "AUTO"])
def test_an_unknown_policy_is_refused_and_changes_nothing(policy: str) -> None:
    layer = built(Counted)
    with pytest.raises(Refusal, match="policy"):
        apply(layer, policy)
    assert calls_in_a_step(layer) == 1


def test_a_named_policy_refuses_when_it_is_applied_and_leaves_all_layers_alone() -> None:
    """The norm inside the second layer's message can be seen before the first step."""
    model = built()
    with pytest.raises(Refusal, match=r"GraphNorm|EdgeConv"):
        apply(model, "edge_blocks(8)")
    assert difference(step(built(), (X, EDGES)), step(model, (X, EDGES))) == ""
    assert "edge_blocks" not in str(explain(model))


def test_a_refused_second_policy_leaves_the_first() -> None:
    model = apply(built(), "layers")
    table = str(explain(model))
    with pytest.raises(Refusal):
        apply(model, "edge_blocks(8)")
    assert str(explain(model)) == table


@pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers+edge_blocks(8)", "reversible", "segments(2)"])
def test_fall_back_gives_each_layer_what_is_exact_for_it(policy: str) -> None:
    plain = built()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped = apply(copy.deepcopy(plain), policy, on_refusal="fall_back")
    assert difference(step(plain, (X, EDGES)), step(wrapped, (X, EDGES))) == ""


def test_a_message_that_blocks_change_is_refused_by_name_in_the_first_step_or_falls_back() -> None:
    """A user's message cannot be read; it is tried on the first graph, and a sentence says what differed."""
    with pytest.raises(Refusal, match="Centered"):
        step(apply(built(Centered), "edge_blocks(8)"), (X, EDGES))
    wrapped = apply(built(Centered), "edge_blocks(8)", on_refusal="fall_back")
    for _ in range(2):
        assert difference(step(built(Centered), (X, EDGES)), step(wrapped, (X, EDGES))) == ""


def test_an_unknown_way_to_refuse_is_refused() -> None:
    with pytest.raises((Refusal, ValueError), match=r"on_refusal|fall_back"):
        apply(built(Counted), "layers", on_refusal="ignore")


def test_a_layer_with_a_propagate_of_its_own_is_refused_or_recomputed_whole() -> None:
    """Blocks would pass by what a user does in it."""

    class Doubling(pyg.SAGEConv):
        def propagate(self, edge_index: Tensor, size: tuple | None = None, **named: object) -> Tensor:
            return 2 * super().propagate(edge_index, size=size, **named)

    torch.manual_seed(0)
    layer = Doubling(C, O)
    with pytest.raises(Refusal, match="edge_blocks cannot wrap Doubling: it has a propagate method of its own"):
        apply(copy.deepcopy(layer), "edge_blocks(8)")
    assert outcome(layer, "auto", (X, EDGES)) == "exact"
