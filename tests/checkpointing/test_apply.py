"""`apply` and `remove`: how a model gets a policy, and how it loses it."""

import copy
import warnings
from collections.abc import Callable

import pytest
import small_inputs as s
import torch
from small_inputs import EDGES, PAIR, PAIR_EDGES, WEIGHT, C, O, X, different_edges, drawn
from small_layers import CALLS, Centered, Counted, Doubling, Mixed, Own, assert_same, built, perceptron
from steps_compared import outcome, seed_all, step, under
from torch import nn
from torch_geometric import nn as pyg

import gnn_checkpointing
import gnn_checkpointing.checkpointing as library
from gnn_checkpointing import apply, explain, remove
from gnn_checkpointing.checkpointing import edge_blocks, largest_block_edges, policy_tensors
from gnn_checkpointing.refusal import Refusal

EVERY_POLICY = ("none", "layers", "selective", "edge_blocks", "edge_blocks(8)", "layers+edge_blocks(8)", "auto")
each_policy = pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers", "auto"])
DENSE = drawn(150, C, seed=96), different_edges(150, 150, 150 * 100, seed=95)


def calls_in_a_step(layer: nn.Module) -> int:
    """Calls of `message` in the second of two steps: 1 plain, more under a policy that recomputes."""
    step(layer, (X, EDGES))
    CALLS.reset_mock()
    step(layer, (X, EDGES))
    return CALLS.call_count


def test_the_package_and_its_library_offer_the_same_functions() -> None:
    for name in ("apply", "explain", "remove"):
        assert getattr(gnn_checkpointing, name) is getattr(library, name)


def test_without_a_policy_each_layer_gets_an_exact_one() -> None:
    """`apply(model)` refuses nothing, not even a layer that depends on all edges, or a model without messages.

    A first small graph does not decide the policy for a dense one.
    """
    plain = built()
    assert_same(plain, apply(copy.deepcopy(plain)), (X, EDGES), DENSE, (X, EDGES))
    for model in (nn.Linear(C, O), nn.Sequential(nn.Linear(C, C), nn.ReLU()), nn.Identity()):
        assert apply(model) is model
        model(X)


@pytest.mark.parametrize("kind", ["GCNConv", "SAGEConv", "GATConv", "GATv2Conv", "TransformerConv", "Centered"])
def test_a_dense_graph_is_exact_without_a_named_policy(kind: str) -> None:
    """150 nodes with about 100 edges each: `auto` may leave small graphs alone, but not this one."""
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
    """The message runs once in each pass; under blocks, once for each of several blocks."""
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


def test_policies_of_a_model_and_of_its_parts_come_off_in_any_order() -> None:
    model = built()
    before = {name: dict(vars(module)) for name, module in model.named_modules()}
    apply(apply(model, "edge_blocks(8)", on_refusal="fall_back").first, "layers")
    assert_same(built(), model)
    remove(model)
    assert {name: dict(vars(module)) for name, module in model.named_modules()} == before
    remove(apply(model, "layers").last)
    assert [row.policy for row in explain(model).layers] == ["layers", "layers", "none"]
    remove(model)
    assert {name: dict(vars(module)) for name, module in model.named_modules()} == before


@pytest.mark.parametrize("call", [apply, remove, explain, edge_blocks, policy_tensors, largest_block_edges])
def test_what_is_no_model_is_refused(call: Callable) -> None:
    for other in ("GAT", None, 3):
        with pytest.raises(Refusal, match=r"the model is a \w+; give a torch\.nn\.Module"):
            call(other)
    with pytest.raises(Refusal, match="policy is a int; give the name of a policy"):
        apply(nn.Linear(2, 2), 5)


@pytest.mark.parametrize("policy", ["", "edge_block", "edge_blocks(0)", "edge_blocks(-1)", "segments", "AUTO"])
def test_an_unknown_policy_is_refused_and_changes_nothing(policy: str) -> None:
    layer = built(Counted)
    with pytest.raises(Refusal, match="policy"):
        apply(layer, policy)
    with pytest.raises((Refusal, ValueError), match=r"on_refusal|fall_back"):
        apply(layer, "layers", on_refusal="ignore")
    assert calls_in_a_step(layer) == 1


def test_a_named_policy_refuses_when_it_is_applied_and_leaves_the_model_alone() -> None:
    """The norm in the second layer's message is visible before the first step; an earlier policy stays."""
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
    """A user's message cannot be analysed, so it is tried on the first graph; the refusal says what differed."""
    for mode in (torch.enable_grad, torch.inference_mode):
        layer = apply(built(Centered), "edge_blocks(8)")
        with mode(), pytest.raises(Refusal, match="Centered: its messages depend on each other"):
            layer(X, EDGES)


def test_features_that_are_all_the_same_hide_nothing() -> None:
    spread = Own(lambda x_j, _: x_j * (1 + x_j.amax(0) - x_j.amin(0)))
    with pytest.raises(Refusal, match="Own: its messages depend on each other"):
        step(apply(spread, "edge_blocks(8)"), (X**0, EDGES))


def test_a_graph_of_one_destination_says_nothing_and_the_next_is_tried() -> None:
    plain = built(Centered)
    layer, one = apply(copy.deepcopy(plain), "edge_blocks(8)"), (X, EDGES[:, EDGES[1] == EDGES[1, 0]])
    assert_same(plain, layer, one)
    with pytest.raises(Refusal, match=r"Centered: its messages depend on each other"):
        layer(X, EDGES)


LAZY: dict[str, tuple[Callable[[], nn.Module], tuple]] = {
    "SAGEConv": (lambda: pyg.SAGEConv(-1, O), (X, EDGES)),
    "SAGEConv, pair": (lambda: pyg.SAGEConv((-1, -1), O), (PAIR, PAIR_EDGES)),
    "GCNConv": (lambda: pyg.GCNConv(-1, O), (X, EDGES)),
    "GATConv": (lambda: pyg.GATConv(-1, O, heads=2), (X, EDGES)),
    "GATv2Conv": (lambda: pyg.GATv2Conv((-1, -1), O, add_self_loops=False), (PAIR, PAIR_EDGES)),
    "GraphConv": (lambda: pyg.GraphConv(-1, O), (X, EDGES, WEIGHT)),
    "TransformerConv": (lambda: pyg.TransformerConv(-1, O, edge_dim=s.D), (X, EDGES, s.ATTRIBUTES)),
    "a lazy BatchNorm": (
        lambda: pyg.GINConv(nn.Sequential(nn.LazyLinear(O), nn.LazyBatchNorm1d(), nn.Linear(O, O))),
        (X, EDGES),
    ),
}


@each_policy
@pytest.mark.parametrize("name", LAZY)
def test_lazy_weights_get_their_sizes_and_gradients_in_the_first_step(name: str, policy: str) -> None:
    build, args = LAZY[name]
    wrapped, plain = apply(build(), policy), build()
    first = step(wrapped, args)
    assert all(first[f"gradient of {weight}"] is not None for weight, _ in wrapped.named_parameters())
    seed_all(0)
    plain(*args)
    plain.load_state_dict(wrapped.state_dict())
    assert_same(plain, wrapped, args)


@each_policy
def test_what_only_some_calls_give_is_exact(policy: str) -> None:
    """Edge weights in one call and none in the next; also another way to compute."""
    plain = built(lambda: pyg.GCNConv(C, O))
    wrapped = under(policy, plain)
    assert_same(plain, wrapped, (X, EDGES), (X, EDGES, WEIGHT), (X, EDGES))
    plain.decomposed_layers = wrapped.decomposed_layers = 3
    assert_same(plain, wrapped)
