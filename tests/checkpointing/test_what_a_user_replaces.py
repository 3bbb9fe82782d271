"""Methods, functions and copies that a user makes beside a policy: none is lost, none silently computes otherwise."""

import copy
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
