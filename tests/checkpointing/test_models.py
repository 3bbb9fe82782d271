"""Models of PyG's examples under a policy: the same numbers, and the same training."""

from __future__ import annotations

import copy

import pytest
import torch
from small_pyg_models import MODELS, WITHOUT_MESSAGES, built
from steps_compared import outcome, scalar_of, seed_all, slope_error, tensors_in, under
from torch import nn

POLICIES = ("auto", "edge_blocks(8)", "layers", "layers+edge_blocks(8)", "selective", "offloaded")
ALWAYS_EXACT = ("auto", "edge_blocks(8)", "layers")
REFUSED = {("EdgeCNN", "edge_blocks(8)")}
"""A BatchNorm over the messages of all edges, which blocks would change."""

SELECTIVE_REFUSES = "refused late: policy selective"
"""PyTorch says in the first backward pass that a layer changes a kept result in place."""

DRAWING = [name for name, configuration in MODELS.items() if configuration.draws]

DRAWING_EXACT = [(name, policy) for name in DRAWING for policy in ALWAYS_EXACT if (name, policy) not in REFUSED]


def losses(model: nn.Module, name: str, steps: int = 6) -> list[float]:
    """The losses of a few steps of Adam towards outputs of one."""
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


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", MODELS)
def test_a_step_is_exact_or_refused_when_the_policy_is_applied(name: str, policy: str) -> None:
    """A model that draws is compared as it evaluates; what no policy has a reason to refuse is exact."""
    model, configuration = built(name), MODELS[name]
    model.train(not configuration.draws)
    found = outcome(model, policy, configuration.args, configuration.kwargs)
    if (name, policy) in REFUSED:
        assert found.startswith("refused: ")
    elif policy == "auto" or (policy in ALWAYS_EXACT and name not in WITHOUT_MESSAGES):
        assert found == "exact"
    else:
        assert found == "exact" or found.startswith(("refused: ", SELECTIVE_REFUSES))


@pytest.mark.parametrize("policy", ALWAYS_EXACT)
@pytest.mark.parametrize("name", [name for name in MODELS if name not in DRAWING and name not in WITHOUT_MESSAGES])
def test_a_model_learns_as_it_does_without_a_policy(name: str, policy: str) -> None:
    model = built(name)
    expected = losses(copy.deepcopy(model), name)
    assert losses(under(policy, model), name) == pytest.approx(expected, rel=1e-3)
    assert expected[-1] < expected[0]


@pytest.mark.parametrize(("name", "policy"), DRAWING_EXACT)
def test_a_model_with_dropout_learns(name: str, policy: str) -> None:
    """The masks may be others than without a policy, so the losses are; they are finite, and a seed fixes them."""
    model = under(policy, built(name))
    first, again = losses(copy.deepcopy(model), name), losses(model, name)
    assert first == pytest.approx(again, rel=1e-4)
    assert torch.tensor(first).isfinite().all()
    assert len(set(first)) == len(first)


@pytest.mark.parametrize(("name", "policy"), DRAWING_EXACT)
def test_the_gradient_under_dropout_is_the_slope_of_the_function(name: str, policy: str) -> None:
    configuration = MODELS[name]
    assert slope_error(under(policy, built(name)), configuration.args, configuration.kwargs) < 1e-5


def test_a_plain_model_gives_what_these_tests_expect() -> None:
    """Else a difference under a policy would mean nothing."""
    for name, configuration in MODELS.items():
        assert outcome(built(name), "none", configuration.args, configuration.kwargs) == "exact", name
        out = list(tensors_in(built(name)(*configuration.args, **configuration.kwargs)))
        assert scalar_of(out).isfinite(), name
    for name in DRAWING:
        assert slope_error(built(name), MODELS[name].args, MODELS[name].kwargs) < 1e-6, name
