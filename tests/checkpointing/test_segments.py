"""`segments(k)`: each block runs twice, k inputs are held, and what is computed is what `none` computes."""

import pytest
import torch
from small_models import CONVOLUTIONS, NODE_MAP, NODES, adjacency, built, bytes_of, loss_of, stepped
from torch import nn

from gnn_checkpointing.checkpointing import apply
from gnn_checkpointing.checkpointing.segments import segments_of
from gnn_checkpointing.measurement.sameness import compared
from gnn_checkpointing.refusal import Refusal

OPTIONS = [{}, {"norm": "batch"}, {"dropout": 0.5}, {"norm": "batch", "dropout": 0.3, "residual": True}]


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_loss_gradients_and_buffers_are_those_of_none(convolution: str, options: dict[str, object]) -> None:
    """Bit for bit: the same operators on the same values, dropout's masks from the same random state."""
    graph = adjacency(convolution)
    reference = stepped(built(convolution, "none", **options), graph, steps=2)
    same = compared(stepped(built(convolution, "segments(2)", **options), graph, steps=2), reference, 1e-5)
    assert (same.loss_error, same.gradient_error, same.buffer_error) == (0, 0, 0)


@pytest.mark.parametrize("segments", [1, 2, 4])
def test_every_block_runs_twice(segments: int) -> None:
    """Entered twice: PyTorch leaves the last block of a recomputed segment once it has what backward needs."""
    model, graph = built("SAGE", f"segments({segments})"), adjacency("SAGE")
    calls: list[int] = []
    for position, block in enumerate(model.blocks):
        inside = block.conv if hasattr(block, "conv") else block
        forward = inside.forward
        inside.forward = lambda *args, p=position, f=forward, **named: (calls.append(p), f(*args, **named))[1]
    loss_of(model, graph).backward()
    assert sorted(calls) == sorted([0, 1, 2, 3] * 2)


@pytest.mark.parametrize("segments", [1, 2, 3, 4])
def test_only_segment_inputs_are_held_for_backward(segments: int) -> None:
    """What is held: the inputs of segments 2 to k and of the head, one node map each.

    The first segment's input is the features, resident. `square` keeps the scores, N x 3; the loss is 4 bytes. A
    segment that draws also keeps the random state it began with, once for all its layers.
    """
    policy, graph = f"segments({segments})", adjacency("GATv2")
    expected = segments * NODE_MAP + NODES * 3 * 4 + 4
    assert bytes_of(built("GATv2", policy), graph).saved == expected
    state = torch.get_rng_state().numel()
    assert bytes_of(built("GATv2", policy, dropout=0.5), graph).saved == expected + segments * state


@pytest.mark.parametrize(
    ("blocks", "segments", "lengths"), [(9, 3, [3, 3, 3]), (9, 4, [3, 2, 2, 2]), (5, 5, [1] * 5), (5, 3, [2, 2, 1])]
)
def test_segments_are_consecutive_and_near_equal(blocks: int, segments: int, lengths: list[int]) -> None:
    layers = [nn.Identity() for _ in range(blocks)]
    found = segments_of(layers, segments)
    assert [len(segment) for segment in found] == lengths
    assert [layer for segment in found for layer in segment] == layers


def test_names_stay_and_what_has_no_segments_is_refused() -> None:
    assert list(built("SAGE", "segments(2)").state_dict()) == list(built("SAGE", "none").state_dict())
    with pytest.raises(Refusal, match="has only 4 blocks"):
        built("SAGE", "segments(5)")
    with pytest.raises(Refusal, match="no list `blocks` with a method `through_blocks"):
        apply(nn.Sequential(nn.Linear(2, 2)), "segments(1)")
