"""Precision, evaluation, copies, files and compilation: as without a policy."""

from __future__ import annotations

import copy
import io
import pickle
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from every_convolution import perceptron
from small_inputs import CHANNELS, EDGES, OUT, X, different_edges, drawn
from small_layers import TwoLayers
from steps_compared import difference, is_exact_or_refused, outcome, step, under, without_zeros
from torch import nn
from torch.nn.utils import parametrizations
from torch_geometric import nn as pyg

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.checkpointing.edge_blocks import cut_layers
from gnn_checkpointing.refusal import Refusal

C, O = CHANNELS, OUT  # noqa: E741 - as PyG's own shapes are written
POLICIES = ("edge_blocks(8)", "layers", "layers+edge_blocks(8)", "selective", "auto")
each_policy = pytest.mark.parametrize("policy", POLICIES)


def shared() -> nn.Module:
    layer = pyg.GATv2Conv(C, C)
    return TwoLayers(layer, layer)


MODELS: dict[str, Callable[[], nn.Module]] = {
    "SAGE": lambda: TwoLayers(pyg.SAGEConv(C, C), pyg.SAGEConv(C, O)),
    "GCN": lambda: TwoLayers(pyg.GCNConv(C, C), pyg.GCNConv(C, O)),
    "GAT": lambda: TwoLayers(pyg.GATConv(C, C), pyg.GATConv(C, O, heads=2)),
    "GIN with BatchNorm": lambda: TwoLayers(
        pyg.GINConv(nn.Sequential(nn.Linear(C, C), nn.BatchNorm1d(C))), pyg.EdgeConv(perceptron(2 * C))
    ),
    "one layer used twice": shared,
}
each_model = pytest.mark.parametrize("name", MODELS)


def built(name: str) -> nn.Module:
    torch.manual_seed(0)
    return without_zeros(MODELS[name]())


@each_policy
@each_model
def test_a_model_is_exact(name: str, policy: str) -> None:
    assert outcome(built(name), policy, (X, EDGES)) == "exact"


@each_policy
@each_model
def test_half_precision_on_a_cpu_rounds_as_without_a_policy(name: str, policy: str) -> None:
    """A sum of n bfloat16 numbers in another order differs by some of their 2^-8."""
    found = []
    for model in (built(name), under(policy, built(name))):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = model(X, EDGES)
        out.float().square().mean().backward()
        found.append((out, [weight.grad for weight in model.parameters()]))
    assert found[0][0].dtype == found[1][0].dtype
    torch.testing.assert_close(found[1][0], found[0][0], rtol=0.05, atol=0.05)
    scale = max(gradient.norm() for gradient in found[0][1])
    for value, expected in zip(found[1][1], found[0][1], strict=True):
        assert value.dtype == expected.dtype
        assert (value - expected).norm() <= 0.05 * scale


@each_policy
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_weights_of_another_precision_keep_it(dtype: torch.dtype, policy: str) -> None:
    plain = built("SAGE").to(dtype)
    out = under(policy, plain)(X.to(dtype), EDGES)
    assert out.dtype == dtype
    torch.testing.assert_close(out, plain(X.to(dtype), EDGES), rtol=0.05, atol=0.05)


@each_policy
def test_a_gradient_scaler_scales_and_steps(policy: str) -> None:
    found = []
    for model in (built("GAT"), under(policy, built("GAT"))):
        optimizer, scaler = torch.optim.SGD(model.parameters(), lr=0.1), torch.amp.GradScaler("cpu", init_scale=64.0)
        for _ in range(2):
            optimizer.zero_grad()
            scaler.scale(model(X, EDGES).square().mean()).backward()
            scaler.step(optimizer)
            scaler.update()
        found.append([weight.detach() for weight in model.parameters()])
    for value, expected in zip(found[1], found[0], strict=True):
        torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-5)


@each_policy
@each_model
@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_a_model_trains_after_a_look_without_gradients(mode: Callable, name: str, policy: str) -> None:
    """The same graph is validated first; a table of inference tensors must not reach the training step."""
    plain = built(name)
    wrapped = under(policy, plain)
    for model in (plain, wrapped):
        model.eval()
        with mode():
            assert not model(X, EDGES).requires_grad
        model.train()
    assert difference(step(plain, (X, EDGES)), step(wrapped, (X, EDGES))) == ""


@each_policy
def test_edges_made_in_inference_mode_are_allowed(policy: str) -> None:
    plain = built("SAGE")
    wrapped = under(policy, plain)
    with torch.inference_mode():
        edges, x = EDGES.clone(), X.clone()
        torch.testing.assert_close(wrapped(x, edges), plain(x, edges))


@each_policy
@each_model
def test_frozen_weights_get_no_gradient(name: str, policy: str) -> None:
    model = built(name)
    for i, weight in enumerate(model.parameters()):
        weight.requires_grad_(i % 2 == 0)
    assert outcome(model, policy, (X, EDGES)) == "exact"
    for weight in model.parameters():
        weight.requires_grad_(False)
    assert outcome(model, policy, (X, EDGES)) == "exact"


@each_policy
@each_model
def test_raw_features_need_no_gradient(name: str, policy: str) -> None:
    assert outcome(built(name), policy, (X, EDGES), raw=True) == "exact"


@each_policy
@each_model
def test_a_copy_computes_the_same_with_weights_of_its_own(name: str, policy: str) -> None:
    plain = built(name)
    wrapped = under(policy, plain)
    step(wrapped, (X, EDGES))
    twin = copy.deepcopy(wrapped)
    with torch.no_grad():
        for weight in wrapped.parameters():
            weight.zero_()
    step(plain, (X, EDGES))
    assert difference(step(plain, (X, EDGES)), step(twin, (X, EDGES))) == ""


@each_policy
@each_model
def test_a_pickled_model_computes_the_same_and_carries_no_graph(name: str, policy: str) -> None:
    """A graph of 20,000 edges would add 320,000 bytes; the model has some hundred weights."""
    plain = built(name)
    wrapped = under(policy, plain)
    small = len(pickle.dumps(wrapped))
    edges = different_edges(200, 200, 20_000, seed=80)
    step(wrapped, (drawn(200, C, seed=81), edges))
    file = io.BytesIO()
    wrapped.zero_grad()
    torch.save(wrapped, file)
    assert len(pickle.dumps(wrapped)) < small + 2_000
    assert len(file.getvalue()) < 100_000
    file.seek(0)
    for twin in (pickle.loads(pickle.dumps(wrapped)), torch.load(file, weights_only=False)):
        twin.load_state_dict(plain.state_dict())
        assert difference(step(copy.deepcopy(plain), (X, EDGES)), step(twin, (X, EDGES))) == ""


@each_policy
@each_model
def test_names_of_weights_stay_and_load_both_ways(name: str, policy: str) -> None:
    plain = built(name)
    wrapped = under(policy, plain)
    step(wrapped, (X, EDGES))
    assert list(wrapped.state_dict()) == list(plain.state_dict())
    assert [key for key, _ in wrapped.named_modules()] == [key for key, _ in plain.named_modules()]
    assert all(isinstance(a, type(b)) for a, b in zip(wrapped.modules(), plain.modules(), strict=True))
    other = MODELS[name]()
    other.load_state_dict(wrapped.state_dict())
    wrapped.load_state_dict(plain.state_dict())
    assert difference(step(plain, (X, EDGES)), step(wrapped, (X, EDGES))) == ""


@each_policy
def test_reset_parameters_and_moves_to_another_precision_work(policy: str) -> None:
    wrapped = under(policy, built("SAGE"))
    step(wrapped, (X, EDGES))
    for layer in (wrapped.first, wrapped.second):
        layer.reset_parameters()
    assert wrapped.double()(X.double(), EDGES).dtype == torch.float64
    assert "SAGEConv(8, 8" in repr(wrapped)


@pytest.mark.parametrize("when", ["before apply", "after apply"])
@pytest.mark.parametrize("policy", ["edge_blocks(8)", "layers", "layers+edge_blocks(8)", "auto"])
@pytest.mark.parametrize("name", ["SAGE", "GCN"])
def test_a_compiled_model_is_exact_or_refused(name: str, policy: str, when: str) -> None:
    plain = built(name)
    try:
        if when == "before apply":
            compiled = apply(torch.compile(copy.deepcopy(plain), backend="aot_eager"), policy)
        else:
            compiled = torch.compile(under(policy, plain), backend="aot_eager")
        found = step(compiled, (X, EDGES))
    except Refusal:
        assert policy != "auto"
        return
    finally:
        torch._dynamo.reset()
    found = {key.replace("_orig_mod.", ""): value for key, value in found.items()}
    assert difference(step(plain, (X, EDGES)), found) == ""


@each_policy
@pytest.mark.parametrize("wrap", [parametrizations.weight_norm, parametrizations.spectral_norm])
def test_a_parametrised_weight_is_exact(wrap: Callable, policy: str) -> None:
    """Spectral norm updates a vector in each training pass: once, not once per recomputation."""
    model = built("SAGE")
    wrap(model.first.lin_l)
    assert outcome(model, policy, (X, EDGES), steps=3) == "exact"


@each_policy
@pytest.mark.parametrize("wrap", [parametrizations.weight_norm, parametrizations.spectral_norm])
def test_a_parametrised_weight_inside_a_message_is_exact_or_refused(wrap: Callable, policy: str) -> None:
    torch.manual_seed(0)
    layer = pyg.EdgeConv(nn.Sequential(wrap(nn.Linear(2 * C, C)), nn.Tanh()))
    found = outcome(layer, policy, (X, EDGES), steps=3)
    assert found == "exact" or (policy != "auto" and is_exact_or_refused(found))


def test_the_plain_models_run() -> None:
    assert all(outcome(built(name), "none", (X, EDGES)) == "exact" for name in MODELS)


OTHER = (drawn(20, C, seed=82), different_edges(20, 20, 50, seed=83))
"""Another graph, of another size: what a trace holds must not be the first graph's."""


def traced(model: nn.Module) -> Any:
    return torch.jit.trace(model, (X, EDGES))(*OTHER)


def exported(model: nn.Module) -> Any:
    return torch.export.export(model, (X, EDGES)).module()(X, EDGES)


def exported_by_dynamo(model: nn.Module) -> Any:
    return torch.export.export(model, (X, EDGES), strict=True).module()(X, EDGES)


def symbolically_traced(model: nn.Module) -> Any:
    return torch.fx.symbolic_trace(model)(*OTHER)


def on_meta(model: nn.Module) -> Any:
    out = model.to("meta")(X.to("meta"), EDGES.to("meta"))
    out.sum().backward()
    return torch.zeros(out.shape), [weight.grad.shape for weight in model.parameters()]


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("record", [traced, exported, exported_by_dynamo, symbolically_traced, on_meta])
@pytest.mark.parametrize("policy", [*POLICIES, "fused_edge_blocks"])
@pytest.mark.parametrize("name", ["SAGE", "GCN", "GAT"])
def test_what_is_recorded_or_has_no_values_is_as_without_a_policy(
    name: str, policy: str, record: Callable, compiler: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the plain model cannot be recorded, neither can this one, for the same reason."""
    monkeypatch.setattr(sys.modules[cut_layers.__module__], "worth", lambda *_: True)
    plain = built(name).eval()
    wrapped = under(policy, plain)
    try:
        expected = record(plain)
    except Exception as error:
        with pytest.raises(type(error)):
            record(wrapped)
        return
    torch.testing.assert_close(record(wrapped), expected)


@each_policy
def test_torch_script_is_refused(policy: str) -> None:
    model = under(policy, built("SAGE"))
    with pytest.raises(Refusal, match=rf"{re.escape(policy)}: torch\.jit\.script cannot compile .*remove the policy"):
        torch.jit.script(model)
    with pytest.raises(Refusal, match=r"torch\.jit\.script cannot compile"):
        torch.jit.script(nn.Sequential(nn.ReLU(), model))
