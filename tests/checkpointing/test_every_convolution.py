"""Every convolution of PyG under every policy for single layers: exact, or refused for a reason that is listed here.

CONVOLUTIONS_TABLE=FILE pytest tests/checkpointing/test_every_convolution.py also writes what was found as a page.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from convolutions_table import page
from every_convolution import NEEDS_A_PACKAGE
from other_convolutions import CONVOLUTIONS, built
from steps_compared import outcome, seed_all, slope_error, tensors_in, under
from torch_geometric.nn import conv

POLICIES = ("edge_blocks(8)", "fused_edge_blocks(8)", "layers", "auto")
PAGE = Path(__file__).resolve().parents[2] / "docs/convolutions.md"
FUSED = ("GATConv", "GATv2Conv")
"""Convolutions that have kernels of their own; each takes seconds to compile."""

EXPECTED_REFUSALS = {
    (name, policy): word
    for policies, refused in {
        ("edge_blocks(8)", "fused_edge_blocks(8)", "layers"): {"XConv": "message passing", "WLConv": "message passing"},
        ("edge_blocks(8)", "fused_edge_blocks(8)"): {
            "MeshCNNConv": "groups of four",
            "MeshCNNConv, neighbours as sources": "groups of four",
            "SAGEConv, LSTM": "largest number of edges",
        },
    }.items()
    for policy in policies
    for name, word in refused.items()
}
"""What a policy may refuse, and a word of the reason: no messages at all, or messages that look at other edges."""

DRAWING = [name for name, configuration in CONVOLUTIONS.items() if configuration.draws]


@cache
def found(name: str, policy: str) -> str:
    """What two steps under the policy did; a layer that draws is compared as it evaluates."""
    layer, configuration = built(name), CONVOLUTIONS[name]
    layer.train(not configuration.draws)
    loss_of = configuration.loss_of if layer.training else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyG's own advice on SplineConv and the like
        return outcome(layer, policy, configuration.args, configuration.kwargs, raw=configuration.raw, loss_of=loss_of)


def outcomes() -> dict[str, dict[str, str]]:
    """For each configuration what each policy did."""
    return {name: {policy: found(name, policy) for policy in POLICIES} for name in CONVOLUTIONS}


@pytest.fixture(scope="session", autouse=True)
def _written_table() -> Iterator[None]:
    yield
    if place := os.environ.get("CONVOLUTIONS_TABLE"):
        Path(place).write_text(page(outcomes(), NEEDS_A_PACKAGE), encoding="utf-8")


def test_the_table_has_every_convolution_that_pyg_exports() -> None:
    tried = {name.split(",")[0] for name in CONVOLUTIONS} | NEEDS_A_PACKAGE.keys()
    assert set(conv.__all__) - {"MessagePassing"} == tried
    assert len(CONVOLUTIONS) >= 74


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_the_plain_layer_gives_the_same_step_twice(name: str) -> None:
    """Else a difference under a policy would mean nothing."""
    assert found(name, "none") == "exact"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_is_exact_or_refused_when_the_policy_is_applied(name: str, policy: str) -> None:
    expected = EXPECTED_REFUSALS.get((name, policy))
    if expected is None:
        assert found(name, policy) == "exact"
    else:
        assert re.match(rf"refused: .*{expected}", found(name, policy))


def test_edge_blocks_are_exact_on_nine_tenths_of_the_table() -> None:
    """The bar is 66 of 74; nothing crashes, nothing is refused late, nothing is different."""
    kinds = [found(name, "edge_blocks(8)").split(":")[0] for name in CONVOLUTIONS]
    assert kinds.count("exact") >= len(kinds) * 66 / 74
    assert set(kinds) <= {"exact", "refused"}


def test_the_published_page_has_what_was_found(compiler: None) -> None:
    if not os.environ.get("CONVOLUTIONS_TABLE"):
        assert PAGE.read_text(encoding="utf-8") == page(outcomes(), NEEDS_A_PACKAGE)


@pytest.mark.parametrize("name", FUSED)
def test_fused_blocks_are_exact(name: str, compiler: None) -> None:
    assert found(name, "fused_edge_blocks(8)") == "exact"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", DRAWING)
def test_a_seed_gives_the_same_draws_with_and_without_gradients(name: str, policy: str) -> None:
    layer, configuration = under(policy, built(name)), CONVOLUTIONS[name]
    outputs = []
    for gradients in (True, False, True):
        seed_all(5)
        with torch.set_grad_enabled(gradients):
            outputs.append(list(tensors_in(layer(*configuration.args, **configuration.kwargs))))
    for again in outputs[1:]:
        for expected, out in zip(outputs[0], again, strict=True):
            torch.testing.assert_close(out, expected)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", DRAWING)
def test_the_gradient_under_random_draws_is_the_slope_of_the_function(name: str, policy: str) -> None:
    layer, configuration = under(policy, built(name)), CONVOLUTIONS[name]
    assert slope_error(layer, configuration.args, configuration.kwargs) < 1e-5
