"""The policy x edges coefficient is the difference of two slopes, with an interval that covers it."""

from __future__ import annotations

import numpy as np
import pytest

from gnn_checkpointing.analysis.fitting import fitted
from gnn_checkpointing.analysis.regression import interactions
from gnn_checkpointing.analysis.results import Interaction
from gnn_checkpointing.analysis.table import completed
from synthetic.changes import without
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import LAWS, Table, table


def found(rows: Table) -> tuple[list[Interaction], list[str]]:
    return interactions(completed(rows), 0.95)


def test_bytes_per_edge_differ_by_what_the_laws_say() -> None:
    """GATv2: none takes 2,000 bytes an edge, layers 500, edge_blocks 0."""
    result, missing = found(table(np.random.default_rng(0)))
    assert missing == []
    assert len(result) == 3 * 2 * 2
    for one in result:
        if one.response == "activation_bytes":
            none, policy = (LAWS[one.convolution, name][0].per_edge for name in ("none", one.policy))
            assert one.none_per_edge.estimate == pytest.approx(none)
            assert one.difference_per_edge.estimate == pytest.approx(policy - none)
            assert one.slope_ratio == pytest.approx(policy / none)
            # Nothing was sampled: no interval, no p-value.
            assert (one.p_value, one.clusters) == (None, 36)
            assert one.difference_per_edge.low == one.difference_per_edge.high == one.difference_per_edge.estimate


def test_seconds_per_edge_differ_within_their_interval() -> None:
    for one in found(table(np.random.default_rng(0)))[0]:
        if one.response == "step_time_seconds":
            none, policy = (LAWS[one.convolution, name][2].per_edge for name in ("none", one.policy))
            width = one.difference_per_edge.high - one.difference_per_edge.low
            assert abs(one.difference_per_edge.estimate - (policy - none)) < width
            assert 0 < width < 0.3 * none
            assert one.p_value is not None and 0 <= one.p_value < 1e-6


def test_a_policy_that_is_none_in_disguise_has_no_interaction() -> None:
    rows = table(np.random.default_rng(0), convolutions=("GCN",), policies=("none",))
    layers = [{**row, "policy": "layers"} for row in rows]
    memory, time = found(rows + layers)[0]
    assert (memory.difference_per_edge.estimate, memory.slope_ratio, memory.p_value) == (0.0, 1.0, None)
    assert time.difference_per_edge.estimate == pytest.approx(0.0, abs=1e-15)


def test_the_interval_covers_a_true_difference_about_as_often_as_it_says() -> None:
    """200 tables, half of the noise shared by the policies of a cell: 95 % shows 90 to 99 % (0.999)."""
    generator = np.random.default_rng(3)
    graphs = generated_graphs()
    columns = np.array([[1.0, graph.num_nodes, graph.num_edges] for graph in graphs])
    joint = np.vstack([np.hstack([columns, 0 * columns]), np.hstack([columns, columns])])
    clusters = [graph.id for graph in graphs] * 2
    none, policy = np.array([1e-3, 2e-6, 1e-7]), np.array([1.5e-3, 3e-6, 1.5e-7])
    covered = 0
    for _ in range(200):
        shared, own, other = 0.02 * generator.standard_normal((3, len(graphs)))
        seconds = np.concatenate([columns @ none * np.exp(shared + own), columns @ policy * np.exp(shared + other)])
        difference = fitted(joint, seconds, "relative", 0.95, clusters).coefficients[5]
        covered += difference.low <= 5e-8 <= difference.high
    assert 0.90 <= covered / 200 <= 0.99


def test_only_cells_with_both_policies_count() -> None:
    rows = without(table(np.random.default_rng(0), convolutions=("GCN",)), "sbm-n500-d4-r0-GCN", "none", "timed_out")
    assert {one.clusters for one in found(rows)[0]} == {35}


def test_a_none_that_is_flat_in_edges_has_no_slope_to_compare_with() -> None:
    both = table(np.random.default_rng(0), convolutions=("GCN",), policies=("none", "edge_blocks"))
    rows = [row for row in both if row["policy"] == "edge_blocks"]
    none = [{**row, "policy": "none"} for row in rows]
    result, missing = found(none + rows)
    assert [one.response for one in result] == ["step_time_seconds"]
    assert missing == [
        "GCN, edge_blocks: no interaction of activation_bytes is tested: none's own value does not grow with the "
        "edges, so there is nothing to compare."
    ]


def test_too_few_cells_are_a_sentence() -> None:
    graphs = generated_graphs((500, 1000), (4.0,), 1)
    result, missing = found(table(np.random.default_rng(0), graphs, convolutions=("GCN",), policies=("none", "layers")))
    assert result == []
    assert missing == [
        "GCN, layers: no interaction is tested: only 2 comparable cells of generated graphs, and a law wants 6."
    ]


def test_real_graphs_alone_test_nothing_and_say_nothing_twice() -> None:
    assert found(table(np.random.default_rng(0), real_graphs())) == ([], [])


def test_noise_that_both_policies_share_does_not_widen_their_difference() -> None:
    """A slow moment slows all policies of a cell alike; clusters by graph know it, independent rows would not."""
    rows = table(np.random.default_rng(0), convolutions=("GCN",), policies=("none", "layers"), noise=0.05)
    (_, apart) = found(rows)[0]
    none = {row["cell"]: float(row["step_time_seconds"] or 0) for row in rows if row["policy"] == "none"}
    shared = [
        row if row["policy"] == "none" else {**row, "step_time_seconds": 1.1 * none[str(row["cell"])]} for row in rows
    ]
    (_, together) = found(shared)[0]
    assert together.difference_per_edge.estimate == pytest.approx(0.1 * together.none_per_edge.estimate)
    widths = [one.difference_per_edge.high - one.difference_per_edge.low for one in (together, apart)]
    assert widths[0] < 0.2 * widths[1]
