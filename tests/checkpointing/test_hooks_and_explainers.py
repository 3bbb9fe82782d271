"""Hooks registered late, and explainers, work under a policy as they do without one."""

import copy
from typing import Any

import pytest
import torch
from cases_of_calls import HOOKED, HOOKS
from other_convolutions import CONVOLUTIONS
from small_inputs import EDGES, NODES, O, X
from small_layers import CALLS, Counted
from small_pyg_models import MODELS
from steps_compared import difference, step, under
from torch import Tensor, nn
from torch_geometric.explain import AttentionExplainer, Explainer, GNNExplainer

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.refusal import Refusal

each_policy = pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers", "auto"])


@each_policy
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", HOOKED)
def test_a_hook_that_comes_after_the_first_step_acts(name: str, hook: str, policy: str) -> None:
    layer, args, named = CONVOLUTIONS[name].built(), CONVOLUTIONS[name].args, CONVOLUTIONS[name].kwargs
    wrapped = under(policy, layer)
    step(wrapped, args, named)
    for each in (layer, wrapped):
        HOOKS[hook](each)
    try:
        found = step(wrapped, args, named)
    except Refusal:
        assert hook == "a message without its mean"
        return
    assert difference(step(layer, args, named), found) == ""


@each_policy
def test_hooks_see_every_edge_once_and_the_whole_graph(policy: str) -> None:
    wrapped, seen, whole = under(policy, CONVOLUTIONS["SAGEConv"].built()), [], []
    wrapped.register_message_forward_hook(lambda m, inputs, out: seen.append(out.detach()))
    wrapped.register_propagate_forward_hook(lambda m, inputs, out: whole.append((inputs[0].shape, len(out))))
    with torch.no_grad():
        wrapped(X, EDGES)
    rows, expected = torch.cat(seen), X[EDGES[0]]
    assert whole == [(EDGES.shape, NODES)]
    torch.testing.assert_close(rows[rows[:, 0].argsort()], expected[expected[:, 0].argsort()])


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


@each_policy
@pytest.mark.parametrize("name", ["GCN", "GraphSAGE", "GAT"])
def test_explainers_find_the_same_edges_and_the_model_trains_as_before(name: str, policy: str) -> None:
    """The second explainer reads the attention of all edges from one call of `message`."""
    model = MODELS[name].built()
    wrapped = under(policy, model)
    for make in [lambda: GNNExplainer(epochs=5), AttentionExplainer][: 2 if name == "GAT" else 1]:
        expected = explanation(copy.deepcopy(model), make())
        assert expected.std() > 0
        torch.testing.assert_close(explanation(wrapped, make()), expected)
    assert difference(step(model.train(), (X, EDGES)), step(wrapped.train(), (X, EDGES))) == ""


def test_an_explainer_leaves_the_policy_in_place() -> None:
    """PyG restores its own `propagate` when an explanation ends; the blocks must be restored, too."""
    torch.manual_seed(0)
    layer = apply(Counted(O), "edge_blocks(8)")
    layer(X, EDGES)
    calls = []
    for _ in range(2):
        CALLS.reset_mock()
        layer(X, EDGES)
        calls.append(CALLS.call_count)
        explanation(layer, GNNExplainer(epochs=2))
    assert calls[0] == calls[1] > 1
