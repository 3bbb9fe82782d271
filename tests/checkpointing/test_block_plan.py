"""Blocks cover every edge once, hold whole destinations, and keep to their size unless a single node exceeds it."""

import gc

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnn_checkpointing.checkpointing import graph_tables
from gnn_checkpointing.checkpointing.block_plan import SortedEdges, block_size, kernel_edges, sorted_edges


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 200), st.integers(1, 60), st.integers(0, 10**6))
def test_blocks_partition_edges_by_destination(sources: int, nodes: int, edges: int, size: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    source = torch.randint(0, sources, (edges,), generator=generator)
    destination = torch.randint(0, nodes, (edges,), generator=generator)
    plan = sorted_edges(source, destination, sources, nodes)
    assert plan.largest_block == 0
    blocks = plan.blocks(size)
    assert plan.largest_block == max(block.num_edges for block in blocks)
    assert [block.first for block in blocks] == [0, *(block.last for block in blocks[:-1])]
    assert blocks[-1].last == nodes
    degrees = torch.bincount(destination, minlength=nodes)
    found = []
    for block in blocks:
        inside = degrees[block.first : block.last]
        # A block exceeds the size only if one node has all its edges; a block begins with a node that has edges.
        assert block.num_edges <= size or inside.count_nonzero() == 1
        assert inside[0] > 0 or block is blocks[0]
        # A block is full: the next node would have exceeded the size.
        assert block is blocks[-1] or block.num_edges + degrees[block.last] > size
        ends = plan.ends(block)
        assert [end.dtype for end in ends] == [torch.int64, torch.int64]
        found += list(zip(ends[0].tolist(), (ends[1] + block.first).tolist(), strict=True))
    assert sorted(found) == sorted(zip(source.tolist(), destination.tolist(), strict=True))


def places_of_all(plan: SortedEdges) -> list[int]:
    (block,) = plan.blocks(100)
    return torch.arange(plan.num_edges)[plan.places(block)].tolist()


def test_a_block_knows_the_given_places_of_its_edges() -> None:
    plan = sorted_edges(torch.tensor([0, 1, 2, 0]), torch.tensor([2, 0, 1, 1]), 3, 3)
    assert places_of_all(plan) == [1, 2, 3, 0]
    assert plan.order is not None
    ordered = sorted_edges(torch.tensor([1, 2, 0, 0]), torch.tensor([0, 1, 1, 2]), 3, 3)
    assert places_of_all(ordered) == [0, 1, 2, 3]
    assert ordered.order is None


def test_tables_are_narrow_copies() -> None:
    """Sources and order take 4 bytes each; later writes of the caller into its own tensor do not change them."""
    source = torch.tensor([0, 1, 2], dtype=torch.int32)
    for destination in (torch.tensor([0, 1, 2]), torch.tensor([2, 1, 0])):
        plan = sorted_edges(source, destination, 3, 3)
        assert {tensor.dtype for tensor in (plan.source, plan.order) if tensor is not None} == {torch.int32}
        assert plan.pointer.dtype == torch.int64
        before = plan.source.tolist()
        source.add_(1)
        assert plan.source.tolist() == before
        source.sub_(1)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_kernels_read_the_same_edges_by_destination_and_by_source(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(80)
    edge_index = torch.stack([torch.randint(high, (80,), generator=generator) for high in (9, 5)]).to(dtype)
    edges = kernel_edges(edge_index, 9, 6)
    assert edges.source.dtype == edges.pointer.dtype == edges.order.dtype == torch.int32
    assert (edges.num_sources, edges.num_nodes, edges.num_edges) == (9, 6, 80)
    destination = torch.repeat_interleave(torch.arange(6), edges.pointer.diff())
    assert torch.equal(edge_index[:, edges.order].long(), torch.stack([edges.source, destination]).long())
    keys = (destination * 9 + edges.source).tolist()
    assert keys == sorted(keys), "by destination, then by source"
    pointer, destinations, order = edges.by_source
    source = torch.repeat_interleave(torch.arange(9), pointer.diff())
    assert torch.equal(edge_index[:, order].long(), torch.stack([source, destinations]).long())
    assert edges.by_source is edges.by_source
    assert sum(tensor.numel() for tensor in edges.tensors()) == 4 * 80 + 7 + 10


@pytest.mark.parametrize(
    ("source", "destination", "said"),
    [
        (5, 0, "source node 5 of 5 source nodes; indices must be between 0 and 4"),
        (-1, 0, "source node -1 of 5"),
        (0, 3, "destination node 3 of 3 destination nodes"),
    ],
)
def test_an_edge_of_a_node_that_does_not_exist_is_an_error(source: int, destination: int, said: str) -> None:
    ends = torch.tensor([[0, source], [0, destination]])
    with pytest.raises(IndexError, match=said):
        sorted_edges(*ends, 5, 3)
    with pytest.raises(IndexError, match=said):
        kernel_edges(ends, 5, 3)


def test_what_is_no_edge_index_is_refused() -> None:
    for wrong in (torch.zeros(3, 4, dtype=torch.long), torch.zeros(2, 4), torch.zeros(4, dtype=torch.long)):
        with pytest.raises(ValueError, match="whole numbers"):
            kernel_edges(wrong, 5)


def test_a_block_grows_with_the_nodes_between_two_bounds_on_its_bytes() -> None:
    """1 MiB of messages of 256 bytes, as of 64 float32 channels, are 4,096: the least; in between, 8 edges a node."""
    cpu = torch.device("cpu")
    assert block_size(10, 256, 8, cpu) == 4096
    assert block_size(2000, 256, 8, cpu) == 16_000
    assert block_size(1000, 128, 8, cpu) == 8192
    largest = block_size(10**9, 256, 8, cpu)
    assert 8 * 2**20 // 256 <= largest < 10**9
    assert block_size(10**9, 512, 8, cpu) == largest // 2


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 40])
def test_a_graph_on_a_gpu_is_known_by_every_value_and_its_place(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(graph_tables, "_PART", 8)
    monkeypatch.setattr(graph_tables, "_ROW", 2)
    flat = torch.arange(100, 100 + count)
    first = graph_tables._in_parts(flat)
    assert graph_tables._in_parts(flat.to(torch.int32)) == first
    changed = [flat.clone() for _ in range(count)]
    for place, other in enumerate(changed):
        other[place] += 1
    moved = [flat.roll(shift) for shift in range(1, count)]
    assert len({first, *map(graph_tables._in_parts, [*changed, *moved])}) == 1 + len(changed) + len(moved)


def test_reading_a_graph_on_a_gpu_keeps_none_of_its_memory() -> None:
    """On the CPU, where the numbers that every graph is multiplied by are kept, 8 KiB a round."""

    def kept() -> int:
        return sum(found.nbytes for found in gc.get_objects() if isinstance(found, torch.Tensor))

    flat = torch.arange(3 * 2**20)
    before = kept()
    graph_tables._in_parts(flat)
    assert kept() - before <= 3 * 2**13


def test_reading_a_graph_leaves_a_gpu_as_it_was(cuda: torch.device) -> None:
    edges = torch.arange(3 * 2**20, device=cuda).view(2, -1)
    before = torch.cuda.memory_allocated(cuda)
    first = graph_tables.content_digest(edges)
    assert torch.cuda.memory_allocated(cuda) == before
    edges[1, 5] += 1
    assert graph_tables.content_digest(edges) != first


class _First(torch.Tensor):
    device = torch.device("cuda", 0)


class _Second(torch.Tensor):
    device = torch.device("cuda", 1)


def test_equal_graphs_share_tables_on_one_device_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tensors are on the CPU and only say that they are elsewhere, because no test machine has two GPUs."""
    monkeypatch.setattr(graph_tables, "_in_parts", lambda flat: int(flat.sum()))
    tables = graph_tables.GraphTables()
    edges = torch.tensor([[0, 1], [1, 0]])
    graphs = [edges.clone().as_subclass(kind) for kind in (_First, _First, _Second)]
    first, same, second = (tables.remembered(graph, "made", object) for graph in graphs)
    assert first is same
    assert first is not second
