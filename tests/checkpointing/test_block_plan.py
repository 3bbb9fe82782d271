"""Blocks cover every edge once, hold whole destinations, and stay within their size where a node allows it."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from gnn_checkpointing.checkpointing.block_plan import block_size, sorted_edges


@given(st.integers(1, 40), st.integers(0, 200), st.integers(1, 60), st.integers(0, 10**6))
def test_blocks_partition_edges_by_destination(nodes: int, edges: int, size: int, seed: int) -> None:
    edge_index = torch.randint(0, nodes, (2, edges), generator=torch.Generator().manual_seed(seed))
    plan = sorted_edges(edge_index, nodes)
    assert plan.largest_block == 0
    blocks = plan.blocks(size)
    assert plan.largest_block == max(block.num_edges for block in blocks)
    assert [block.first for block in blocks] == [0, *(block.last for block in blocks[:-1])]
    assert blocks[-1].last == nodes
    found = []
    for block in blocks:
        # Two nodes at the least, and a last node that would be left alone goes with the block before it.
        assert block.num_nodes >= min(2, nodes)
        assert block.num_edges <= size or block.num_nodes == 2 or block is blocks[-1]
        source, destination = plan.ends(block)
        found += list(zip(source.tolist(), (destination + block.first).tolist(), strict=True))
    assert sorted(found) == sorted(zip(*edge_index.tolist(), strict=True))


def test_values_of_edges_follow_them_into_the_order() -> None:
    edge_index = torch.tensor([[0, 1, 2, 0], [2, 0, 1, 1]])
    plan = sorted_edges(edge_index, 3)
    assert plan.in_order(torch.tensor([20.0, 0.0, 10.0, 11.0])).tolist() == [0.0, 10.0, 11.0, 20.0]


def test_a_block_grows_with_the_nodes_between_two_bounds_on_its_bytes() -> None:
    """64 float32 channels are 256 bytes a message: 1 MiB is 4,096 edges, the least; 8 edges a node in between."""
    cpu = torch.device("cpu")
    assert block_size(10, 64, 8, cpu) == 4096
    assert block_size(2000, 64, 8, cpu) == 16_000
    assert block_size(1000, 32, 8, cpu) == 8192
    largest = block_size(10**9, 64, 8, cpu)
    assert 8 * 2**20 // 256 <= largest < 10**9
    assert block_size(10**9, 128, 8, cpu) == largest // 2
