"""PyG's models, hooks and explainers under a policy: the same step, training, observations and explanations."""

import copy
from functools import cache
from typing import Any

import pytest
import torch
from cases_of_calls import HOOKED, HOOKS, SEES_OTHERS
from other_convolutions import CONVOLUTIONS
from small_inputs import EDGES, NODES, POSITION, O, X
from small_layers import CALLS, Counted, gradients
from small_pyg_models import MODELS, WITHOUT_MESSAGES, schnet
from steps_compared import alike, difference, seed_all, step, tensors_in, under
from torch import Tensor, nn
from torch_geometric.explain import AttentionExplainer, Explainer, GNNExplainer

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.refusal import Refusal

POLICIES = ("none", "auto", "edge_blocks(8)", "layers", "layers+edge_blocks(8)", "selective", "offloaded")
ALWAYS_EXACT = ("auto", "edge_blocks(8)", "layers")
always_exact = pytest.mark.parametrize("policy", ALWAYS_EXACT)
REFUSED = {("EdgeCNN", "edge_blocks(8)")}
"""It has a BatchNorm over the messages of all edges, which blocks would change."""

SELECTIVE_REFUSES = "refused late: policy selective"
"""PyTorch raises in the first backward pass, since a layer changes a kept result in place."""


def losses(model: nn.Module, name: str, steps: int = 6) -> list[float]:
    """Losses of a few steps of Adam towards outputs of one."""
    configuration = MODELS[name]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    seed_all(3)
    found = []
    for _ in range(steps):
        optimizer.zero_grad()
        outputs = list(tensors_in(model(*configuration.args, **configuration.kwargs)))
        loss = sum((out - 1).square().mean() for out in outputs if out.is_floating_point())
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


@cache
def losses_under(policy: str, name: str) -> list[float]:
    return losses(under(policy, MODELS[name].built()), name)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", MODELS)
def test_a_step_is_exact_or_refused_when_the_policy_is_applied(name: str, policy: str) -> None:
    """A model is exact unless a policy has a reason to refuse it."""
    found = MODELS[name].outcome(policy)
    if (name, policy) in REFUSED:
        assert found.startswith("refused: ")
    elif policy in {"none", "auto"} or (policy in ALWAYS_EXACT and name not in WITHOUT_MESSAGES):
        assert found == "exact"
    else:
        assert found == "exact" or found.startswith(("refused: ", SELECTIVE_REFUSES))


@always_exact
@pytest.mark.parametrize("name", [name for name in MODELS if name not in WITHOUT_MESSAGES])
def test_a_model_learns_as_it_does_without_a_policy(name: str, policy: str) -> None:
    """A model that draws may get other masks, and so other losses, than without a policy; a seed fixes them."""
    if (name, policy) in REFUSED:
        return
    expected = losses_under(policy if MODELS[name].draws else "none", name)
    assert losses(under(policy, MODELS[name].built()), name) == pytest.approx(expected, rel=1e-3)
    assert torch.tensor(expected).isfinite().all()
    assert expected[-1] < expected[0] or MODELS[name].draws


@pytest.mark.parametrize("policy", POLICIES[1:-1])
def test_schnet_learns_forces_or_refuses_to(policy: str) -> None:
    """Energy and forces of a molecule, as in PyG's example on MD17."""
    torch.manual_seed(0)
    plain = schnet()
    found = []
    try:
        for model in (plain, under(policy, plain)):
            position = POSITION.clone().requires_grad_()
            energy = model(torch.arange(NODES) % 5 + 1, position)
            (force,) = torch.autograd.grad(energy.sum(), position, create_graph=True)
            force.square().sum().backward()
            found.append([position.grad, *gradients(model)])
    except Refusal:
        assert policy == "selective"
        return
    alike(found[1], found[0], max(gradient.abs().max().item() for gradient in found[0] if gradient is not None))


# --- hooks and explainers


@always_exact
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
        assert hook == SEES_OTHERS
        return
    assert difference(step(layer, args, named), found) == ""


@always_exact
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


@always_exact
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
