"""Tables say the same edges in both sortings, in small numbers where they fit, and refuse an index out of range."""

import pytest
import torch

from gnn_checkpointing.checkpointing.kernels import graph_tables

from . import plain


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_both_sortings_are_the_same_edges(dtype):
    edge_index = plain.edges(9, 6, 80).to(dtype)
    tables = graph_tables(edge_index, 9, 6)
    assert tables.source.dtype == tables.pointer.dtype == tables.order.dtype == torch.int32
    assert (tables.num_sources, tables.num_destinations, tables.num_edges) == (9, 6, 80)
    destination = torch.repeat_interleave(torch.arange(6), tables.pointer.diff())
    pairs = torch.stack([tables.source, destination])
    assert torch.equal(edge_index[:, tables.order].long(), pairs.long())
    keys = (destination * 9 + tables.source).tolist()
    assert keys == sorted(keys), "by destination, then by source"
    by_source = tables.by_source
    source = torch.repeat_interleave(torch.arange(9), by_source.pointer.diff())
    assert torch.equal(edge_index[:, by_source.edge].long(), torch.stack([source, by_source.destination]).long())
    assert tables.by_source is by_source


@pytest.mark.parametrize(
    ("edges", "said"),
    [
        ([[0, 3], [0, 1]], "source node 3; the graph has 3"),
        ([[0, -1], [0, 1]], "source node -1; the graph has 3"),
        ([[0, 1], [0, 2]], "destination node 2; the graph has 2"),
    ],
)
def test_an_index_out_of_range_is_named(edges, said):
    with pytest.raises(IndexError, match=said):
        graph_tables(torch.tensor(edges), 3, 2)


def test_what_is_no_edge_index_is_refused():
    for wrong in (torch.zeros(3, 4, dtype=torch.long), torch.zeros(2, 4), torch.zeros(4, dtype=torch.long)):
        with pytest.raises(ValueError, match="whole numbers"):
            graph_tables(wrong, 5)
