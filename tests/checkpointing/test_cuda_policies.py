"""On a CUDA device each policy computes what `none` does; runs of `none` differ by the order of atomic additions."""

import copy
from collections.abc import Callable

import pytest
import torch
from small_models import CONVOLUTIONS, FEATURES, adjacency, assert_same, built, bytes_of_second, result_of
from torch import nn
from torch_geometric import nn as pyg

from gnn_checkpointing.checkpointing import apply, explain
from gnn_checkpointing.checkpointing.compilation import forget_compiled
from gnn_checkpointing.measurement.probe import StepResult, compared
from gnn_checkpointing.models.convolutions import Adjacency
from gnn_checkpointing.refusal import Unavailable
from gnn_checkpointing.study.convolutions import Convolution

TOLERANCE = 1e-5
COPIES = 100
"""Copies of the small graph: 6,000 nodes and 48,000 edges, enough that the order of atomic additions varies."""


def large(convolution: Convolution, device: torch.device) -> tuple[torch.Tensor, Adjacency]:
    graph = adjacency(convolution)
    shift = 60 * torch.arange(COPIES).repeat_interleave(graph.edge_index.size(1))
    weight = None if graph.edge_weight is None else graph.edge_weight.repeat(COPIES).to(device)
    edge_index = (graph.edge_index.repeat(1, COPIES) + shift).to(device)
    return FEATURES.repeat(COPIES, 1).to(device), Adjacency(edge_index, weight)


def stepped(convolution: Convolution, policy: str, device: torch.device, **options: object) -> StepResult:
    return step_of(apply(built(convolution, "none", **options).to(device), policy), *large(convolution, device))


def step_of(model: nn.Module, features: torch.Tensor, graph: Adjacency) -> StepResult:
    return result_of(model, lambda: model(features, graph.edge_index, graph.edge_weight).square().mean())


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_atomic_additions_stay_far_within_the_tolerance(cuda: torch.device, convolution: Convolution) -> None:
    first = stepped(convolution, "none", cuda)
    for _ in range(5):
        found = compared(stepped(convolution, "none", cuda), first, TOLERANCE)
        assert max(found.loss_error, found.gradient_error) < TOLERANCE / 3


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
@pytest.mark.parametrize(
    "policy", ["layers", "edge_blocks(500)", "layers+edge_blocks(500)", "segments(2)", "offloaded"]
)
def test_eager_policies(cuda: torch.device, convolution: Convolution, policy: str) -> None:
    assert_same(stepped(convolution, policy, cuda), stepped(convolution, "none", cuda))


@pytest.mark.parametrize("policy", ["layers", "edge_blocks(500)", "offloaded"])
def test_dropout_draws_the_same_masks_and_running_statistics_are_kept(cuda: torch.device, policy: str) -> None:
    options = {"norm": "batch", "dropout": 0.3}
    assert_same(stepped("GATv2", policy, cuda, **options), stepped("GATv2", "none", cuda, **options))


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_kernels_of_our_own(cuda: torch.device, convolution: Convolution) -> None:
    """Our Triton kernels; there is none for EdgeConv's messages."""
    model = apply(built(convolution, "none").to(cuda), "fused_edge_blocks")
    assert_same(step_of(model, *large(convolution, cuda)), stepped(convolution, "none", cuda))
    kinds = {layer.policy for layer in explain(model).layers}
    assert kinds == {"edge_blocks" if convolution == "EdgeConv" else "fused_edge_blocks"}


EDGED = [
    lambda: pyg.GATv2Conv(8, 4, 2, edge_dim=3),
    lambda: pyg.GATConv(8, 4, 2, edge_dim=3),
    lambda: pyg.TransformerConv(8, 4, 2, edge_dim=3),
    lambda: pyg.GINEConv(nn.Linear(8, 8), edge_dim=3),
]


@pytest.mark.parametrize("layer", EDGED)
def test_kernels_take_features_of_edges(cuda: torch.device, layer: Callable[..., nn.Module]) -> None:
    torch.manual_seed(3)
    plain = layer().to(cuda)
    fused = apply(copy.deepcopy(plain), "fused_edge_blocks(500)")
    features, graph = large("SAGE", cuda)
    of_edges = torch.randn(graph.edge_index.size(1), 3, device=cuda)
    rows = torch.randn(len(features), 8, device=cuda)
    assert_same(*(step_of(model, rows, Adjacency(graph.edge_index, of_edges)) for model in (fused, plain)))


def test_masks_of_attention_are_drawn_again_in_the_backward_pass(cuda: torch.device) -> None:
    """A tiny step along the gradient changes the loss as the gradient predicts, under the same mask."""
    torch.manual_seed(5)
    model = apply(pyg.GATConv(8, 4, 2, dropout=0.5).to(cuda, torch.float64), "fused_edge_blocks")
    rows = torch.randn(60, 8, device=cuda, dtype=torch.float64)
    edge_index = adjacency("GAT").edge_index.to(cuda)

    def loss() -> torch.Tensor:
        torch.manual_seed(6)
        return model(rows, edge_index).square().mean()

    first = loss()
    first.backward()
    step = 1e-6
    weights = [p for p in model.parameters() if p.grad is not None]
    slope = sum(float(p.grad.square().sum()) for p in weights)
    with torch.no_grad():
        for p in weights:
            p.add_(step * p.grad)
        assert float(loss() - first) == pytest.approx(step * slope, rel=1e-3)


@pytest.mark.parametrize("policy", ["compiled", "memory_budget(0.5)"])
def test_generated_kernels(cuda: torch.device, policy: str) -> None:
    try:
        assert_same(stepped("GATv2", policy, cuda), stepped("GATv2", "none", cuda))
    finally:
        forget_compiled()


@pytest.mark.parametrize(
    ("policy", "reading", "factor"), [("edge_blocks(2000)", "peak", 2), ("offloaded", "saved", 10)]
)
def test_less_of_the_device_is_held(cuda: torch.device, policy: str, reading: str, factor: int) -> None:
    features, graph = large("GATv2", cuda)
    found = {}
    for name in ("none", policy):
        model = apply(built("GATv2", "none").to(cuda), name)
        held = bytes_of_second(model, lambda m=model: m(features, graph.edge_index).square().mean(), cuda)
        found[name] = getattr(held, reading)
    assert found[policy] * factor < found["none"]


def test_a_model_on_the_cpu_has_nowhere_to_offload_to() -> None:
    with pytest.raises(Unavailable, match="needs a CUDA device: on CPU there is nowhere to offload to"):
        built("SAGE", "offloaded")
