"""Methods, functions and copies that a user makes beside a policy: none is lost, none silently computes otherwise."""

import copy
import inspect
import pickle
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from small_inputs import EDGES, C, O, X
from small_layers import Sending, built, perceptron
from steps_compared import difference, step, under
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.nn.conv import gat_conv, transformer_conv

from gnn_checkpointing.checkpointing import apply, edge_blocks, remove
from gnn_checkpointing.refusal import Refusal

POLICIES = ("edge_blocks(8)", "fused_edge_blocks", "layers", "layers+edge_blocks(8)", "selective", "auto")
each_policy = pytest.mark.parametrize("policy", POLICIES)
pytestmark = pytest.mark.usefixtures("compiler", "always_worth_it")


@pytest.mark.parametrize(("module", "layer"), [(gat_conv, pyg.GATConv), (transformer_conv, pyg.TransformerConv)])
def test_a_kernel_computes_as_the_functions_that_a_layer_calls(
    module: Any, layer: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as another softmax, put into the layer's module."""
    plain, softmax = built(lambda: layer(C, O)), module.softmax
    monkeypatch.setattr(module, "softmax", lambda *args: softmax(*args).square())
    assert difference(step(plain, (X, EDGES)), step(under("fused_edge_blocks", plain), (X, EDGES))) == ""


@each_policy
def test_an_aggregation_replaced_after_a_step_counts(policy: str) -> None:
    steps = []
    for layer in (built(lambda: pyg.SAGEConv(C, O)), under(policy, built(lambda: pyg.SAGEConv(C, O)))):
        step(layer, (X, EDGES))
        mean = layer.aggr_module.forward
        layer.aggr_module.forward = lambda *args, mean=mean, **named: mean(*args, **named).tanh()
        steps.append(step(layer, (X, EDGES)))
    assert difference(*steps) == ""


@each_policy
def test_a_method_that_a_user_puts_over_a_policy_stays(policy: str) -> None:
    """Also when the policy is removed or replaced, whether or not it calls the method before."""
    steps = []
    for put, off in ((lambda layer: layer, lambda layer: layer), (lambda layer: apply(layer, policy), remove)):
        layer = put(built(Sending))
        before = layer.forward
        layer.forward = lambda x, edge_index, before=before: before(2 * x, edge_index)
        steps.append([step(change(layer), (X, EDGES)) for change in (lambda layer: layer, off, put)])
        assert not hasattr(off(layer), "_cut_layer")
    assert [difference(*pair) for pair in zip(*steps, strict=True)] == ["", "", ""]


def shared_copy(module: nn.Module) -> nn.Module:
    """A copy with weights of its own, made as libraries of meta-learning do."""
    twin = module.__new__(type(module))
    twin.__dict__ = module.__dict__.copy()
    twin._parameters = {name: w if w is None else nn.Parameter(2 * w) for name, w in module._parameters.items()}
    twin._modules = {name: shared_copy(part) for name, part in module._modules.items() if part is not None}
    return twin


@each_policy
def test_a_copy_that_shares_a_policy_is_refused(policy: str) -> None:
    model = pyg.GCN(C, C, 2)
    with pytest.raises(Refusal, match=r"a copy of GCNConv shares its policy.* copy\.deepcopy, or apply a policy after"):
        shared_copy(apply(model, policy))(X, EDGES)
    copied, plain = shared_copy(remove(model)), copy.deepcopy(model)
    plain.load_state_dict(copied.state_dict())
    assert difference(step(plain, (X, EDGES)), step(apply(copied, policy), (X, EDGES))) == ""


def test_an_error_of_any_kind_leaves_the_earlier_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    model = apply(pyg.GCN(C, C, 2), "layers")
    before = [dict(vars(part)) for part in model.modules()]

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(apply.__globals__["_WRAPPERS"], "edge_blocks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        edge_blocks(model)
    assert [vars(part) for part in model.modules()] == before


@each_policy
def test_hooks_that_several_threads_watch_are_as_they_were(policy: str) -> None:
    layer, calls = apply(built(lambda: pyg.GINConv(perceptron())), policy), []

    def hook(*_: Any) -> None:
        calls.append(1)

    layer(X, EDGES)  # the trial of its messages, which is not repeated
    layer.nn.register_forward_hook(hook)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: [layer(X, EDGES) for _ in range(5)], range(4)))
    assert list(layer.nn._forward_hooks.values()) == [hook]
    assert len(calls) == 20


CHANGES: dict[str, Callable[[nn.Module, Tensor], Any]] = {
    "weights": lambda layer, _: [weight.add_(1) for weight in layer.parameters()],
    "features": lambda _, x: x.add_(1),
}


@each_policy
@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("edges", [EDGES, EDGES[:, :0]])
def test_what_a_layer_saves_before_it_sends_no_messages_must_not_change(edges: Tensor, what: str, policy: str) -> None:
    """With K=1, a ChebConv has no messages, and its linear map saves features and weights: torch raises an error."""
    for layer in (pyg.ChebConv(C, C, 1), pyg.GATConv(C, C, add_self_loops=False), Sending()):
        for one in (layer, under(policy, layer)):
            x = X.clone().requires_grad_() * 1
            loss = one(x, edges).square().sum()
            with torch.no_grad():
                CHANGES[what](one, x)
            with pytest.raises(RuntimeError, match=r"in place|inplace"):
                loss.backward()


@pytest.mark.parametrize("policy", POLICIES[:2])
def test_messages_sent_outside_of_a_forward_pass_need_their_weights_as_they_were(policy: str) -> None:
    """A model may call `propagate` itself; without gradients of features, PyG does not need the weights again."""
    layer = apply(built(lambda: pyg.EdgeConv(perceptron(2 * C))), policy)
    loss = layer.propagate(EDGES, x=(X, X)).square().sum()
    with torch.no_grad():
        layer.nn[0].weight.mul_(-1)
    with pytest.raises(RuntimeError, match=r"the weight 'nn\.0\.weight' of EdgeConv was changed in place"):
        loss.backward()


@pytest.mark.parametrize("policy", POLICIES[:2])
def test_features_changed_in_place_are_named_with_a_remedy(policy: str) -> None:
    """Where a view of them is alive, which must see the change."""
    layer, x = apply(built(lambda: pyg.EdgeConv(perceptron(2 * C, C))), policy), X.clone().requires_grad_() * 1
    view = x[1:]
    x += layer(x, EDGES)
    with pytest.raises(RuntimeError, match=r"an argument of EdgeConv was changed in place .* write x = x \+ conv\(x\)"):
        x.sum().backward()
    assert torch.equal(view, x[1:])


@each_policy
def test_threads_that_begin_at_once_leave_a_layer_as_it_was(policy: str) -> None:
    """The first step tries messages in evaluation mode and without hooks, which other threads must not see."""
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(5):
            layer, seen = apply(built(lambda: pyg.GINConv(perceptron())), policy), []
            layer.nn.register_forward_hook(lambda module, *_, seen=seen: seen.append(module.training))
            with ThreadPoolExecutor(4) as threads:
                list(threads.map(lambda _, layer=layer: [step(layer, (X, EDGES)) for _ in range(2)], range(4)))
            assert seen == [True] * 8
            assert layer.training and layer.nn.training
            assert type(next(iter(layer.nn._forward_hooks.values()))).__name__ == "function"
    finally:
        sys.setswitchinterval(0.005)


@each_policy
def test_a_forward_method_shows_its_arguments(policy: str) -> None:
    """Models that pass a layer what it takes, such as edge features, ask for them."""
    layer = pyg.GATConv(C, O)
    expected = list(inspect.signature(layer.forward).parameters)
    for one in (apply(layer, policy), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), remove(layer)):
        assert list(inspect.signature(one.forward).parameters) == expected


def sending_twice_as_much(layer: nn.Module) -> nn.Module:
    """A user's `propagate`, put on one layer."""
    before = layer.propagate
    layer.propagate = lambda edge_index, **named: 2 * before(edge_index, **named)
    return layer


@each_policy
def test_a_propagate_of_a_user_counts_or_is_refused(policy: str) -> None:
    plain, late = sending_twice_as_much(built(Sending)), apply(built(Sending), policy)
    step(late, (X, EDGES))
    expected = step(plain, (X, EDGES))
    assert difference(expected, step(sending_twice_as_much(late), (X, EDGES))) == ""
    try:
        assert difference(expected, step(apply(plain, policy), (X, EDGES))) == ""
    except Refusal:
        assert "blocks" in policy


@each_policy
def test_an_update_of_a_user_counts(policy: str) -> None:
    """Whether it is put on the layer before the policy, or after a step."""
    plain, late = built(Sending), apply(built(Sending), policy)
    step(late, (X, EDGES))
    for layer in (plain, late):
        layer.update = torch.tanh
    expected = step(copy.deepcopy(plain), (X, EDGES))
    assert difference(expected, step(late, (X, EDGES))) == ""
    assert difference(expected, step(apply(plain, policy), (X, EDGES))) == ""


def scaling(layer: nn.Module) -> nn.Module:
    """A user's message, put on one layer, that reads a weight of it."""
    layer.scale = nn.Parameter(torch.full((C,), 0.7))
    layer.message = lambda x_j: x_j.mul(layer.scale)
    return layer


@each_policy
def test_a_message_of_a_user_that_reads_a_weight_counts(policy: str) -> None:
    """Whether it is put on the layer before the policy, or after a step."""
    late = apply(built(Sending), policy)
    step(late, (X, EDGES))
    expected = step(scaling(built(Sending)), (X, EDGES))
    assert difference(expected, step(scaling(late), (X, EDGES))) == ""
    assert difference(expected, step(apply(scaling(built(Sending)), policy), (X, EDGES))) == ""


@each_policy
def test_a_weight_with_two_names_stays_what_it_is(policy: str) -> None:
    """The backward pass reads it as it was, and must not leave that in its place."""
    layer = apply(built(lambda: pyg.GATv2Conv(C, O, share_weights=True)), policy)
    weight = layer.lin_l.weight
    loss = layer(X, EDGES).square().sum()
    weight.data = 2 * weight.data
    loss.backward()
    assert layer.lin_l.weight is weight
