"""Stacks with what people add: every policy computes what none computes, dropout's masks and all."""

import pytest
import torch

from checkpointing.small_models import CHANNELS, NODES, built, simple_graph, stepped
from gnn_checkpointing.measurement.sameness import compared
from gnn_checkpointing.models.adjacency import adjacency_for

ADDED = {"dropout": 0.5, "residual": True, "self_loops": True, "attention_dropout": 0.5}


@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize("convolution", ["GCN", "SAGE", "GAT", "GATv2"])
def test_policies_draw_nones_masks_and_update_buffers_once(convolution: str, norm: str) -> None:
    """Two steps: the second sees the buffers that the first left."""
    graph = adjacency_for(convolution, simple_graph(), NODES, self_loops=True)
    reference = stepped(built(convolution, "none", norm=norm, **ADDED), graph, steps=2)
    assert len(reference.buffers) == (3 * 4 if norm == "batch" else 0)
    for policy in ("layers", "segments(2)", "selective", "edge_blocks(100)", "layers+edge_blocks(100)"):
        same = compared(stepped(built(convolution, policy, norm=norm, **ADDED), graph, steps=2), reference, 1e-5)
        assert (same.same_loss, same.same_gradients, same.same_buffers) == (True, True, True), policy


@pytest.mark.parametrize("key", ["dropout", "attention_dropout"])
def test_each_dropout_drops(key: str) -> None:
    graph = adjacency_for("GATv2", simple_graph(), NODES)
    losses = [stepped(built("GATv2", "none", **options), graph).loss for options in ({}, {key: 0.5})]
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)


@pytest.mark.parametrize("convolution", ["GCN", "SAGE", "GATv2"])
def test_attention_gets_one_loop_for_each_node_sorted_by_destination(convolution: str) -> None:
    edges = torch.tensor([[1, 2, 0, 2], [0, 0, 2, 2]])  # one loop is there already
    plain, looped = (adjacency_for(convolution, edges, 3, self_loops=loops).edge_index for loops in (False, True))
    if convolution == "GATv2":
        assert looped.tolist() == [[1, 2, 0, 1, 0, 2], [0, 0, 0, 1, 2, 2]]
    else:
        assert torch.equal(plain, looped)


def test_a_residual_joins_equal_widths_alone() -> None:
    first, *others = (block.residual for block in built("GCN", "none", residual=True).blocks)
    assert CHANNELS == 8 and first and all(others)
