"""`layers+edge_blocks`: a block's edges are worked on three times, and only layer inputs and one block are held."""

import pytest
import torch
from small_models import CONVOLUTIONS, NODE_MAP, NODES, adjacency, built, bytes_of, loss_of, stepped

from gnn_checkpointing.checkpointing.edge_blocks import tables_of
from gnn_checkpointing.measurement.sameness import compared

BLOCK = 100
"""Edges a block; the graph's 480 edges (GCN: 540, loops included) then make five or six blocks."""


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
@pytest.mark.parametrize("options", [{}, {"norm": "batch", "dropout": 0.3}], ids=str)
def test_loss_gradients_and_buffers_are_those_of_none(convolution: str, options: dict[str, object]) -> None:
    """Dropout between layers draws outside the edges' work, from the random state that recomputation restores."""
    graph = adjacency(convolution)
    reference = stepped(built(convolution, "none", **options), graph, steps=2)
    found = stepped(built(convolution, f"layers+edge_blocks({BLOCK})", **options), graph, steps=2)
    same = compared(found, reference, 1e-5)
    assert same.same_loss and same.same_gradients and same.same_buffers


def test_the_work_of_a_block_is_done_three_times() -> None:
    """Forward, recomputation of its layer, and inside it the block's own; a first step also tries each layer once.

    The first layer reads features that want no gradient: one block of the third kind finds that out.
    """
    model, graph = built("SAGE", f"layers+edge_blocks({BLOCK})"), adjacency("SAGE")
    loss_of(model, graph).backward()
    calls = [0] * 4
    for position, block in enumerate(model.blocks):
        message = block.conv.message

        def counting(*arguments, position=position, message=message, **named):
            calls[position] += 1
            return message(*arguments, **named)

        block.conv.message = counting
    loss_of(model, graph).backward()
    (tables,) = tables_of(model)
    (edges,) = tables.all_sorted()
    blocks = len(edges.blocks(BLOCK))
    assert blocks >= 5
    assert calls == [2 * blocks + 1, *[3 * blocks] * 3]


def test_what_is_held_is_what_layers_holds() -> None:
    """Inputs of layers 2 to 4 and of the head, the scores N x 3 and the loss: no edge; of draws the state alone."""
    policy, graph = f"layers+edge_blocks({BLOCK})", adjacency("GATv2")
    held = 4 * NODE_MAP + NODES * 3 * 4 + 4
    assert bytes_of(built("GATv2", policy), graph).saved == held
    state = torch.get_rng_state().numel()
    assert bytes_of(built("GATv2", policy, dropout=0.5), graph).saved == held + 4 * state
