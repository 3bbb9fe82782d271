"""Blocks cover every edge once, hold whole destinations, and stay within their size where a node allows it."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from gnn_checkpointing.checkpointing.block_plan import plan_blocks


@given(st.integers(1, 40), st.integers(0, 200), st.integers(1, 60), st.integers(0, 10**6))
def test_blocks_partition_edges_by_destination(nodes: int, edges: int, size: int, seed: int) -> None:
    edge_index = torch.randint(0, nodes, (2, edges), generator=torch.Generator().manual_seed(seed))
    plan = plan_blocks(edge_index, nodes, size)
    assert [block.first for block in plan.blocks] == [0, *(block.last for block in plan.blocks[:-1])]
    assert plan.blocks[-1].last == nodes
    found = []
    for block in plan.blocks:
        assert block.stop - block.start <= size or block.num_nodes == 1
        destination = plan.destination(block) + block.first
        found += list(zip(plan.source[block.start : block.stop].tolist(), destination.tolist(), strict=True))
    assert sorted(found) == sorted(zip(*edge_index.tolist(), strict=True))


def test_values_of_edges_follow_them_into_the_order() -> None:
    edge_index = torch.tensor([[0, 1, 2, 0], [2, 0, 1, 1]])
    plan = plan_blocks(edge_index, 3)
    assert plan.in_order(torch.tensor([20.0, 0.0, 10.0, 11.0])).tolist() == [0.0, 10.0, 11.0, 20.0]
