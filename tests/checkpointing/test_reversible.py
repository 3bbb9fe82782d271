"""`reversible`: no input of a block is held, each block runs three times, and results equal those of the twin."""

import pytest
import torch
from small_models import CONVOLUTIONS, NODES, adjacency, assert_same, built, bytes_of, calls_of, loss_of, stepped, twin
from torch import nn
from torch_geometric.nn import GroupAddRev

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.models.stack import build_reversible_stack
from gnn_checkpointing.refusal import Refusal
from gnn_checkpointing.study.architecture import Architecture


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
@pytest.mark.parametrize("options", [{}, {"norm": "batch"}, {"norm": "layer"}], ids=str)
def test_loss_gradients_and_buffers_are_those_of_the_twin(convolution: str, options: dict[str, object]) -> None:
    """Inputs are recovered by subtraction, up to rounding; only the first of three passes updates BatchNorm."""
    graph = adjacency(convolution)
    model = built(convolution, "reversible", **options)
    assert not any(block.disable for block in model.blocks)
    assert_same(stepped(model, graph, steps=2), stepped(twin(convolution, **options), graph, steps=2))


def test_each_half_of_a_block_runs_three_times() -> None:
    """Once forward, once to recover the input, and once for the gradients."""
    model, graph = built("SAGE", "reversible"), adjacency("SAGE")
    halves = [half for block in model.blocks for half in block.convs]
    assert calls_of(model, graph, halves, "forward") == [3] * 6


def test_a_deeper_model_holds_no_more() -> None:
    """Memory held for the backward pass is independent of the number of blocks, except for an empty marker each."""
    graph = adjacency("GATv2")
    few, many = (bytes_of(built("GATv2", "reversible", num_layers=layers), graph).saved for layers in (3, 9))
    plain = bytes_of(twin("GATv2", num_layers=9), graph).saved
    assert many == few
    assert plain > 3 * many


def test_features_and_their_gradients_survive() -> None:
    """A reversible block frees its input's storage, but not that of the first block's output or of the features."""
    model, graph = built("GCN", "reversible"), adjacency("GCN")
    first = stepped(model, graph)
    second = stepped(model, graph)
    assert all(torch.equal(before, after) for before, after in zip(first.gradients, second.gradients, strict=True))
    with torch.no_grad():
        model.eval()
        assert torch.isfinite(loss_of(model, graph))


def test_dropout_inside_a_reversible_block_is_refused_and_eval_needs_none() -> None:
    with pytest.raises(Refusal, match="computing its input back draws other masks"):
        built("SAGE", "reversible", dropout=0.5)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"hidden_channels": 7}, "hidden_channels 7 is not a multiple of 2 groups x 1 heads"),
        ({"hidden_channels": 12, "heads": 4}, "hidden_channels 12 is not a multiple of 2 groups x 4 heads"),
        ({"hidden_channels": 8, "num_layers": 1}, "leaves no block"),
    ],
)
def test_a_model_that_cannot_be_built_is_refused(values: dict[str, int], reason: str) -> None:
    architecture = Architecture(convolutions=["GAT"], **{"num_layers": 3, **values})
    with pytest.raises(Refusal, match=reason):
        build_reversible_stack("GAT", architecture, 8, 3, seed=1)


def test_any_model_of_pygs_reversible_blocks_can_be_wrapped() -> None:
    class Grouped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([GroupAddRev(built("SAGE", "none").blocks[0], num_groups=2, disable=True)])

        def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
            return self.blocks[0](x, edge_index)

    model, edge_index = Grouped(), adjacency("SAGE").edge_index
    x = torch.randn(NODES, 16)
    expected = model(x, edge_index)
    torch.testing.assert_close(apply(model, "reversible")(x.clone(), edge_index), expected)
