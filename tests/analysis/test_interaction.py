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

from .test_regression import COLUMNS, made


def found(rows: Table) -> tuple[list[Interaction], list[str]]:
    return interactions(completed(rows), 0.95)


def test_bytes_and_seconds_per_edge_differ_by_what_the_laws_say() -> None:
    """GATv2: none takes 2,000 bytes an edge, layers 500, edge_blocks 0."""
    result, missing = found(table(np.random.default_rng(0)))
    assert (len(result), missing) == (3 * 2 * 2, [])
    for one in result:
        in_time = one.response == "step_time_seconds"
        none, policy = (LAWS[one.convolution, name][2 * in_time].per_edge for name in ("none", one.policy))
        width = one.difference_per_edge.high - one.difference_per_edge.low
        if in_time:
            assert abs(one.difference_per_edge.estimate - (policy - none)) < width
            assert 0 < width < 0.3 * none
            assert 0 <= one.p_value < 1e-6
        else:
            assert one.none_per_edge.estimate == pytest.approx(none)
            assert one.difference_per_edge.estimate == pytest.approx(policy - none)
            assert one.slope_ratio == pytest.approx(policy / none)
            # Nothing was sampled: no interval, no p-value.
            assert (one.p_value, one.clusters, width) == (None, 36, 0)


def test_a_policy_that_is_none_in_disguise_has_no_interaction() -> None:
    rows = made(None, "none")
    memory, time = found(rows + [{**row, "policy": "layers"} for row in rows])[0]
    assert (memory.difference_per_edge.estimate, memory.slope_ratio, memory.p_value) == (0.0, 1.0, None)
    assert time.difference_per_edge.estimate == pytest.approx(0.0, abs=1e-15)


def test_the_interval_covers_a_true_difference_about_as_often_as_it_says() -> None:
    """200 tables, half of the noise shared by the policies of a cell: 95 % shows 90 to 99 % (0.999)."""
    generator = np.random.default_rng(3)
    joint = np.vstack([np.hstack([COLUMNS, 0 * COLUMNS]), np.hstack([COLUMNS, COLUMNS])])
    clusters = [graph.id for graph in generated_graphs()] * 2
    none, policy = np.array([1e-3, 2e-6, 1e-7]), np.array([1.5e-3, 3e-6, 1.5e-7])
    covered = 0
    for _ in range(200):
        shared, own, other = 0.02 * generator.standard_normal((3, len(COLUMNS)))
        seconds = np.concatenate([COLUMNS @ none * np.exp(shared + own), COLUMNS @ policy * np.exp(shared + other)])
        difference = fitted(joint, seconds, "relative", 0.95, clusters).coefficients[5]
        covered += difference.low <= 5e-8 <= difference.high
    assert 0.90 <= covered / 200 <= 0.99


def test_only_cells_with_both_policies_count() -> None:
    rows = without(made(), "sbm-n500-d4-r0-GCN", "none", "timed_out")
    assert {one.clusters for one in found(rows)[0]} == {35}


def test_without_bytes_per_edge_there_is_nothing_to_compare() -> None:
    rows = [row for row in made() if row["policy"] == "edge_blocks"]
    result, missing = found([{**row, "policy": "none"} for row in rows] + rows)
    assert [one.response for one in result] == ["step_time_seconds"]
    assert missing == [
        "GCN, edge_blocks: no interaction of activation_bytes is tested: none's own value does not grow with the "
        "edges, so there is nothing to compare."
    ]


def test_too_few_cells_are_a_sentence_and_real_graphs_alone_none() -> None:
    assert found(made(generated_graphs((500, 1000), (4.0,), 1), "none", "layers")) == (
        [],
        ["GCN, layers: no interaction is tested: only 2 comparable cells of generated graphs, and a law wants 6."],
    )
    assert found(table(np.random.default_rng(0), real_graphs())) == ([], [])


def test_noise_that_both_policies_share_does_not_widen_their_difference() -> None:
    """A slow moment slows all policies of a cell alike; clusters by graph know it, independent rows would not."""
    rows = made(None, "none", "layers", noise=0.05)
    (_, apart) = found(rows)[0]
    none = {row["cell"]: float(row["step_time_seconds"] or 0) for row in rows if row["policy"] == "none"}
    shared = [row if row["policy"] == "none" else {**row, "step_time_seconds": 1.1 * none[row["cell"]]} for row in rows]
    (_, together) = found(shared)[0]
    assert together.difference_per_edge.estimate == pytest.approx(0.1 * together.none_per_edge.estimate)
    widths = [one.difference_per_edge.high - one.difference_per_edge.low for one in (together, apart)]
    assert widths[0] < 0.2 * widths[1]
