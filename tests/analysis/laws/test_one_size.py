"""Laws of series whose graphs all have one number of nodes."""

import numpy as np
import pytest

from gnn_checkpointing.analysis.laws.one_size import one_size_errors, one_size_laws, one_size_series
from gnn_checkpointing.analysis.table import Row, completed
from planning.published import measured
from synthetic.graphs import generated_graphs
from synthetic.rows import table

BYTES, TIME = "activation_bytes", "step_time_seconds"


def rows(degrees: tuple[float, ...], policy: str = "none") -> list[Row]:
    graphs = generated_graphs((1000,), degrees, replicates=1)
    every = completed(table(0, graphs, convolutions=["GCN"], policies=["none", "edge_blocks"], noise=0.0))
    return [row for row in every if row.policy == policy]


def test_costs_that_all_graphs_share_are_charged_to_the_nodes_and_weights_to_themselves() -> None:
    """64 + 1500 N + 120 E bytes of 1,000 nodes: 1,500.064 a node; of 1,000,000 resident, 12,345 weights."""
    laws, (resident,) = one_size_laws(rows((4, 16, 64)))
    law = next(one for one in laws if one.response == BYTES)
    assert law.pieces == [{"nodes": pytest.approx(1500.064), "edges": pytest.approx(120)}]
    assert law.half_width == pytest.approx(0, abs=1e-9)
    assert (resident.constant, resident.per_edge) == (4 * 12_345, pytest.approx(0, abs=1e-6))
    assert resident.constant + 1000 * resident.per_node == pytest.approx(10**6)


def test_three_levels_of_edges_suffice_and_two_do_not() -> None:
    assert one_size_series(rows((4, 16, 64)), TIME) is not None
    assert one_size_series(rows((4, 16)), TIME) is None
    assert one_size_series(completed(table(0, generated_graphs((500, 1000)))), TIME) is None
    assert one_size_laws(rows((4, 16))) == ([], [])


def test_the_sums_of_a_first_block_are_told_from_the_messages_of_one() -> None:
    """Blocks of 8,192 edges: 24 bytes a message, and 400 a node once two blocks are full."""
    own = [
        row.but(activation_bytes=8000 * 1000 + 24 * row.edges_at_once + 400_000 * (row.num_edges >= 2 * 8192))
        for row in rows((4, 8, 32, 64, 128), "edge_blocks")
    ]
    series = one_size_series(own, BYTES)
    law = next(one for one in one_size_laws(own)[0] if one.response == BYTES)
    assert (law.form, law.half_width) == ("several_blocks", pytest.approx(0, abs=1e-9))
    assert max(one_size_errors(series, "blocks")) > 0.02
    assert max(one_size_errors(series, "several_blocks")) == pytest.approx(0, abs=1e-9)


def test_a_level_that_a_law_needs_is_not_held_out() -> None:
    """Of three levels with blocks of 4,000 and twice 8,192 edges, without the first no slope is known."""
    series = one_size_series(rows((4, 32, 128), "edge_blocks"), BYTES)
    assert len(one_size_errors(series, "additive")) == 3
    assert len(one_size_errors(series, "blocks")) == 2
    assert one_size_errors(series, "several_blocks") == []


def test_blocks_of_the_published_frontier_have_laws_for_every_convolution_that_was_shown_to_be_the_same() -> None:
    """Those of GATv2 were once told to within 73 %, and those of EdgeConv not at all."""
    found = {
        (one.convolution, one.policy): one.half_width
        for one in one_size_laws(measured("frontier"))[0]
        if one.response == BYTES and one.policy in ("edge_blocks", "layers+edge_blocks")
    }
    assert {name for name, _ in found} == {"GATv2", "GAT", "GCN", "SAGE-max", "EdgeConv"}
    assert np.max(list(found.values())) <= 0.08
