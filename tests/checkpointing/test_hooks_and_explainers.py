"""Hooks and explainers act under a policy as they do without one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_inputs import ATTRIBUTES, CHANNELS, EDGE_CHANNELS, EDGES, NODES, OUT, WEIGHT, X
from small_layers import CALLS, Counted
from steps_compared import difference, is_exact_or_refused, outcome, step, under, without_zeros
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.explain import AttentionExplainer, Explainer, GNNExplainer

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.refusal import Refusal

C, O, D = CHANNELS, OUT, EDGE_CHANNELS  # noqa: E741 - as PyG's own shapes are written
POLICIES = ("edge_blocks(8)", "layers", "auto")

LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple]] = {
    "SAGEConv": (lambda: pyg.SAGEConv(C, O), (X, EDGES)),
    "GCNConv": (lambda: pyg.GCNConv(C, O), (X, EDGES, WEIGHT)),
    "GATConv": (lambda: pyg.GATConv(C, O, heads=2), (X, EDGES)),
    "GATv2Conv": (lambda: pyg.GATv2Conv(C, O, edge_dim=D), (X, EDGES, ATTRIBUTES)),
}


def doubled(value: Any) -> Any:
    return value * 2 if isinstance(value, Tensor) and value.is_floating_point() else value


def doubled_arguments(module: nn.Module, inputs: tuple) -> tuple:
    """The last of a hook's inputs is the dictionary of arguments."""
    return (*inputs[:-1], {name: doubled(value) for name, value in inputs[-1].items()})


HOOKS: dict[str, Callable[[nn.Module], Any]] = {
    "before message": lambda c: c.register_message_forward_pre_hook(doubled_arguments),
    "after message": lambda c: c.register_message_forward_hook(lambda m, i, out: out * 3),
    "before propagate": lambda c: c.register_propagate_forward_pre_hook(doubled_arguments),
    "after propagate": lambda c: c.register_propagate_forward_hook(lambda m, i, out: out.sigmoid()),
    "before aggregate": lambda c: c.register_aggregate_forward_pre_hook(
        lambda m, i: ({**i[0], "dim_size": i[0]["dim_size"]},)
    ),
    "after aggregate": lambda c: c.register_aggregate_forward_hook(lambda m, i, out: out.tanh()),
    "before edge_update": lambda c: c.register_edge_update_forward_pre_hook(doubled_arguments),
    "after edge_update": lambda c: c.register_edge_update_forward_hook(lambda m, i, out: out * 0.5),
    "a message without its mean": lambda c: c.register_message_forward_hook(lambda m, i, out: out - out.mean(0)),
    "before the layer": lambda c: c.register_forward_pre_hook(lambda m, args: (args[0] * 2, *args[1:])),
    "after the layer": lambda c: c.register_forward_hook(lambda m, args, out: out * 2),
    "in the backward pass": lambda c: c.register_full_backward_hook(
        lambda m, inputs, outputs: tuple(None if g is None else g * 2 for g in inputs)
    ),
}


def prepared(name: str) -> tuple[nn.Module, tuple]:
    build, args = LAYERS[name]
    torch.manual_seed(0)
    return without_zeros(build()), args


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_hook_that_was_there_before_the_policy_acts(name: str, hook: str, policy: str) -> None:
    layer, args = prepared(name)
    HOOKS[hook](layer)
    found = outcome(layer, policy, args)
    assert found == "exact" or (
        hook == "a message without its mean" and policy != "auto" and is_exact_or_refused(found)
    )


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_hook_that_comes_after_the_first_step_acts(name: str, hook: str, policy: str) -> None:
    layer, args = prepared(name)
    wrapped = under(policy, layer)
    step(wrapped, args)
    for each in (layer, wrapped):
        HOOKS[hook](each)
    try:
        found = step(wrapped, args)
    except Refusal:
        assert hook == "a message without its mean"
        return
    assert difference(step(layer, args), found) == ""


@pytest.mark.parametrize("policy", POLICIES)
def test_a_removed_hook_acts_no_more(policy: str) -> None:
    layer, args = prepared("GATConv")
    wrapped = under(policy, layer)
    handle = HOOKS["after message"](wrapped)
    step(wrapped, args)
    handle.remove()
    assert difference(step(layer, args), step(wrapped, args)) == ""


@pytest.mark.parametrize("policy", POLICIES)
def test_a_message_hook_sees_every_edge_once_in_a_forward_pass(policy: str) -> None:
    layer, args = prepared("SAGEConv")
    wrapped, seen = under(policy, layer), []
    wrapped.register_message_forward_hook(lambda m, inputs, out: seen.append(out.detach()))
    with torch.no_grad():
        wrapped(*args)
    rows = torch.cat(seen)
    assert len(rows) == EDGES.shape[1]
    order = torch.argsort(rows[:, 0])
    expected = X[EDGES[0]]
    torch.testing.assert_close(rows[order], expected[torch.argsort(expected[:, 0])])


@pytest.mark.parametrize("policy", POLICIES)
def test_a_propagate_hook_sees_the_whole_graph(policy: str) -> None:
    layer, args = prepared("GCNConv")
    wrapped, seen = under(policy, layer), []
    wrapped.register_propagate_forward_hook(lambda m, inputs, out: seen.append((inputs[0].shape, len(out))))
    wrapped(*args)
    loops = int((EDGES[0] == EDGES[1]).sum())
    assert seen == [(torch.Size([2, EDGES.shape[1] + NODES - loops]), NODES)]


MODELS: dict[str, Callable[[], nn.Module]] = {
    "GCN": lambda: pyg.GCN(C, 8, num_layers=2, out_channels=2),
    "GraphSAGE": lambda: pyg.GraphSAGE(C, 8, num_layers=2, out_channels=2),
    "GAT": lambda: pyg.GAT(C, 8, num_layers=2, out_channels=2, heads=2),
}


def explanation(model: nn.Module, algorithm: Any) -> Tensor:
    explainer = Explainer(
        model,
        algorithm,
        explanation_type="model",
        edge_mask_type="object",
        node_mask_type=None if isinstance(algorithm, AttentionExplainer) else "attributes",
        model_config={"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"},
    )
    torch.manual_seed(4)
    return explainer(X, EDGES, index=3).edge_mask


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", MODELS)
def test_the_gnn_explainer_finds_the_same_edges(name: str, policy: str) -> None:
    torch.manual_seed(0)
    model = without_zeros(MODELS[name]())
    expected = explanation(copy.deepcopy(model), GNNExplainer(epochs=5))
    assert expected.std() > 0
    torch.testing.assert_close(explanation(under(policy, model), GNNExplainer(epochs=5)), expected)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_attention_explainer_finds_the_same_attention(policy: str) -> None:
    """It reads the attention of all edges from one call of `message`."""
    torch.manual_seed(0)
    model = without_zeros(MODELS["GAT"]())
    expected = explanation(copy.deepcopy(model), AttentionExplainer())
    torch.testing.assert_close(explanation(under(policy, model), AttentionExplainer()), expected)


def test_an_explainer_leaves_the_policy_in_place() -> None:
    """PyG puts its own `propagate` back when an explanation ends; the blocks are there again."""
    torch.manual_seed(0)
    layer = apply(Counted(OUT), "edge_blocks(8)")
    layer(X, EDGES)
    CALLS.clear()
    layer(X, EDGES)
    before = len(CALLS)
    explanation(layer, GNNExplainer(epochs=2))
    CALLS.clear()
    layer(X, EDGES)
    assert len(CALLS) == before > 1


@pytest.mark.parametrize("policy", POLICIES)
def test_a_model_trains_after_its_explanation_as_before(policy: str) -> None:
    torch.manual_seed(0)
    model = without_zeros(MODELS["GCN"]())
    wrapped = under(policy, model)
    explanation(wrapped, GNNExplainer(epochs=2))
    wrapped.train(model.training)
    assert difference(step(model, (X, EDGES)), step(wrapped, (X, EDGES))) == ""
