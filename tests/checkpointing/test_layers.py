"""`layers`: same loss, gradients, buffers and dropout masks; a layer's saved tensors are gone until backward."""

import pytest
import torch
from torch import nn
from torch_geometric.nn import GATv2Conv

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.measurement.peak_memory import step_bytes
from gnn_checkpointing.measurement.sameness import compared, step_result
from gnn_checkpointing.models.stack import build_stack
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture

N, E = 60, 500
EDGES = torch.randint(0, N, (2, E), generator=torch.Generator().manual_seed(0))
FEATURES = torch.randn(N, 8, generator=torch.Generator().manual_seed(1))


def built(policy: str, **options: object) -> nn.Module:
    architecture = Architecture(convolutions=["GATv2"], num_layers=4, hidden_channels=8, heads=2, **options)
    return apply(build_stack("GATv2", architecture, 8, 3, seed=5), policy)


@pytest.mark.parametrize("policy", ["layers", "edge_blocks", "edge_blocks(100)"])
@pytest.mark.parametrize(
    "options",
    [{}, {"norm": "batch"}, {"norm": "layer", "residual": True}, {"dropout": 0.5}, {"norm": "batch", "dropout": 0.3}],
    ids=str,
)
def test_loss_gradients_and_buffers_are_those_of_none(policy: str, options: dict[str, object]) -> None:
    results = []
    for name in ("none", policy):
        model = built(name, **options)
        for _ in range(2):  # a second step sees what the first left in the buffers
            model.zero_grad(set_to_none=True)
            torch.manual_seed(11)
            loss = model(FEATURES, EDGES).square().mean()
            loss.backward()
        results.append(step_result(model, loss))
    same = compared(results[1], results[0], 1e-5)
    assert same.same_loss
    assert same.same_gradients
    assert same.buffer_error == 0 if policy == "layers" else same.same_buffers


def test_batch_norm_counts_each_step_once() -> None:
    model = built("layers", norm="batch")
    model(FEATURES, EDGES).sum().backward()
    assert int(model.blocks[0].norm.num_batches_tracked) == 1
    assert model.blocks[0].norm.momentum == 0.1


def test_only_layer_inputs_are_held_for_backward() -> None:
    """What is held: the inputs of layers 2 to 4 and of the head, N x 8 float32 each, 7,680 bytes.

    The first layer's input is the features, resident. `square` keeps the scores, N x 3, 720 bytes; the loss is 4
    bytes: 8,404 in all. Nothing is drawn, so no random state is kept.
    """
    assert saved_bytes(built("layers")) == 4 * N * 8 * 4 + N * 3 * 4 + 4 == 8404


def test_a_layer_that_draws_keeps_its_random_state() -> None:
    """5,056 bytes a layer, from which dropout draws the same mask again; the masks themselves are not kept."""
    state = torch.get_rng_state().numel()
    assert saved_bytes(built("layers", dropout=0.5)) == 8404 + 4 * state == 8404 + 4 * 5056


def saved_bytes(model: nn.Module) -> int:
    """The bytes that a step which is not the model's first holds for its backward pass."""
    model(FEATURES, EDGES).square().mean().backward()
    model.zero_grad(set_to_none=True)
    return step_bytes(lambda: model(FEATURES, EDGES).square().mean(), torch.device("cpu")).saved


def test_any_model_with_message_passing_layers_can_be_wrapped() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = GATv2Conv(8, 8, add_self_loops=False)
            self.second = GATv2Conv(8, 8, add_self_loops=False)

        def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
            return self.second(self.first(x, edge_index).relu(), edge_index)

    torch.manual_seed(0)
    model = Own()
    expected = model(FEATURES, EDGES)
    torch.testing.assert_close(apply(model, "layers")(FEATURES, EDGES), expected)


def test_a_model_without_layers_and_an_unknown_policy_are_refused() -> None:
    with pytest.raises(Refusal, match="neither `blocks` nor"):
        apply(nn.Linear(2, 2), "layers")
    with pytest.raises(Refusal, match="unknown policy 'edge_blocks\\(0\\)'"):
        apply(built("none"), "edge_blocks(0)")
