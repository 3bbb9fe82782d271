"""Models of PyG's examples under a policy: the same step, and the same training."""

from functools import cache

import pytest
import torch
from small_inputs import NODES, POSITION
from small_layers import gradients
from small_pyg_models import MODELS, WITHOUT_MESSAGES, schnet
from steps_compared import alike, seed_all, tensors_in, under
from torch import nn

from gnn_checkpointing.refusal import Refusal

POLICIES = ("none", "auto", "edge_blocks(8)", "layers", "layers+edge_blocks(8)", "selective", "offloaded")
ALWAYS_EXACT = ("auto", "edge_blocks(8)", "layers")
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


@pytest.mark.parametrize("policy", ALWAYS_EXACT)
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
