"""On a CUDA device each policy computes what `none` does, and no policy is needed for `none` to differ from itself."""

from __future__ import annotations

import pytest
import torch
from small_models import CONVOLUTIONS, FEATURES, adjacency, built
from torch import nn

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.checkpointing.compilation import forget_compiled
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.sameness import StepResult, compared, step_result
from gnn_checkpointing.models.adjacency import Adjacency
from gnn_checkpointing.refusal import Unavailable
from gnn_checkpointing.study.convolutions import Convolution

TOLERANCE = 1e-5
COPIES = 100
"""Of the small graph, side by side: 6,000 nodes and 48,000 edges, enough for atomic additions to come in any order."""


def large(convolution: Convolution, device: torch.device) -> tuple[torch.Tensor, Adjacency]:
    graph = adjacency(convolution)
    shift = 60 * torch.arange(COPIES).repeat_interleave(graph.edge_index.size(1))
    weight = None if graph.edge_weight is None else graph.edge_weight.repeat(COPIES).to(device)
    edge_index = (graph.edge_index.repeat(1, COPIES) + shift).to(device)
    return FEATURES.repeat(COPIES, 1).to(device), Adjacency(edge_index, weight)


def stepped(convolution: Convolution, policy: str, device: torch.device, **options: object) -> StepResult:
    model = apply(built(convolution, "none", **options).to(device), policy)
    features, graph = large(convolution, device)
    torch.manual_seed(11)
    loss = model(features, graph.edge_index, graph.edge_weight).square().mean()
    loss.backward()
    return step_result(model, loss)


def assert_same(one: StepResult, other: StepResult) -> None:
    found = compared(one, other, TOLERANCE)
    assert found.same_loss and found.same_gradients and found.same_buffers, found


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


@pytest.mark.parametrize("policy", ["compiled", "memory_budget(0.5)", "fused_edge_blocks(500)"])
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

        def loss(model: nn.Module = model) -> torch.Tensor:
            return model(features, graph.edge_index).square().mean()

        loss().backward()
        model.zero_grad(set_to_none=True)
        found[name] = getattr(step_bytes(loss, cuda), reading)
    assert found[policy] * factor < found["none"]


def test_a_model_on_the_cpu_has_nowhere_to_offload_to() -> None:
    with pytest.raises(Unavailable, match="needs a CUDA device: on CPU there is nowhere to offload to"):
        built("SAGE", "offloaded")
