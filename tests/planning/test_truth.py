"""A planner against what was measured on real graphs that its laws never saw, and against what it once got wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gnn_checkpointing.analysis.table import Row, grouped
from gnn_checkpointing.planning import Plan, PolicyPlan

from .published import measured, planner

HUGE = 1000.0


def real_cells() -> Iterator[tuple[tuple[object, ...], list[Row]]]:
    """The rows of one real graph and convolution, every policy, in the study that tries laws on real graphs."""
    rows = [row for row in measured("prediction") if row.is_real]
    yield from grouped(rows, lambda row: (row.graph_label, row.convolution))


def asked(row: Row, memory_gib: float = HUGE) -> Plan:
    return planner("prediction").plan(
        num_nodes=row.num_nodes, num_edges=row.num_edges, convolution=row.convolution, memory_gib=memory_gib
    )


def in_range(row: Row) -> bool:
    law = next(
        one.seconds
        for one in planner("prediction").knowledge.policies
        if (one.convolution, one.policy) == (row.convolution, row.policy)
    )
    return law.num_nodes[0] <= row.num_nodes <= law.num_nodes[1] and row.num_edges <= law.num_edges[1]


def test_bytes_of_real_graphs_are_told_within_two_percent_at_the_median_and_five_at_worst() -> None:
    rows = [row for _, cells in real_cells() for row in cells]
    measured_bytes = np.array([row.resident_bytes + row.activation_bytes for row in rows])
    errors = np.abs(np.array([asked(row).of(row.policy).peak.estimate for row in rows]) / measured_bytes - 1)
    assert len(errors) == 45
    assert np.median(errors) <= 0.02
    assert errors.max() <= 0.05


@pytest.mark.parametrize("study", ["default", "prediction"])
def test_bytes_of_graphs_with_more_features_than_channels_are_told_as_well(study: str) -> None:
    """SAGE with blocks was once told 24 % too high: its first layer's messages as if beside all that is kept later."""
    errors = []
    for row in measured("real"):
        told = planner(study).plan(
            num_nodes=row.num_nodes,
            num_edges=row.num_edges,
            convolution=row.convolution,
            memory_gib=HUGE,
            num_layers=row.num_layers,
            num_features=row.num_features,
        )
        errors.append(abs(told.of(row.policy).peak.estimate / (row.resident_bytes + row.activation_bytes) - 1))
    assert len(errors) == 99
    assert np.median(errors) <= 0.02
    assert max(errors) <= 0.05


def test_seconds_of_real_graphs_are_told_within_fifteen_percent_at_the_median_and_forty_at_worst() -> None:
    errors = []
    for row in (row for _, cells in real_cells() for row in cells if in_range(row)):
        told = asked(row).of(row.policy).seconds
        errors.append(abs(told.estimate / row.step_time_seconds - 1))
    assert len(errors) >= 30
    assert np.median(errors) <= 0.15
    assert max(errors) <= 0.40


def test_the_policy_that_is_advised_is_the_fastest_measured_that_fits_in_nine_of_ten() -> None:
    """Every graph and convolution, in a memory that holds all policies and in each that just leaves one out.

    Times within a tenth of each other are the same: two runs differ by as much.
    """
    right = tried = 0
    for _, cells in real_cells():
        peaks = {row.policy: row.resident_bytes + row.activation_bytes for row in cells}
        seconds = {row.policy: row.step_time_seconds or 0.0 for row in cells}
        for memory in (HUGE * 2**30, *(0.9 * peak for peak in peaks.values())):
            fitting = [policy for policy, peak in peaks.items() if peak <= memory]
            advised = asked(cells[0], memory / 2**30).recommended
            tried += 1
            if not fitting or advised is None:
                right += not fitting and advised is None
                continue
            right += advised in fitting and seconds[advised] <= 1.1 * min(seconds[one] for one in fitting)
    assert tried == 60
    assert right >= 0.9 * tried


def one(study: str, nodes: int, edges: int, convolution: str, policy: str) -> PolicyPlan:
    plan = planner(study).plan(num_nodes=nodes, num_edges=edges, convolution=convolution, memory_gib=HUGE)
    return plan.of(policy)


@pytest.mark.parametrize("convolution", ["GCN", "SAGE", "GATv2"])
def test_reddits_time_is_withheld_and_no_square_is_carried_on_to_hours(convolution: str) -> None:
    """None was once told to take 2.68 hours, and layers 58 seconds."""
    for policy in ("none", "layers", "edge_blocks"):
        found = one("default", 232_965, 114_615_892, convolution, policy)
        assert found.seconds is None
        assert found.time.at_least < 600


@pytest.mark.parametrize(
    ("study", "nodes", "edges", "convolution"),
    [
        ("default", 1600, 10**6, "GCN"),  # edge_blocks takes 1.30 times as long as none; it was advised
        ("default", 11_758, 1_038_000, "GCN"),  # tolokers: none 287 ms, edge_blocks 409; it was advised
        ("prediction", 11_758, 1_038_000, "GCN"),
        ("prediction", 1600, 10**6, "GCN"),  # at 2,000 nodes 0.87 with 540,000 edges, but 0.97 with 1,400,000
        ("default", 1600, 204_800, "SAGE"),
    ],
)
def test_none_is_advised_where_it_fits_and_recomputing_is_never_told_to_be_faster(
    study: str, nodes: int, edges: int, convolution: str
) -> None:
    plan = planner(study).plan(num_nodes=nodes, num_edges=edges, convolution=convolution, memory_gib=64)
    assert plan.recommended == "none"
    for policy in ("layers", "edge_blocks"):
        assert least_seconds(plan.of(policy)) >= least_seconds(plan.of("none"))


def least_seconds(found: PolicyPlan) -> float:
    least = found.time.at_least if found.seconds is None else found.seconds.estimate
    return least


@pytest.mark.parametrize("study", ["default", "prediction"])
def test_the_time_of_a_graph_of_the_size_of_acm_is_predicted_within_forty_percent(study: str) -> None:
    """The default study's square once predicted 3.03 seconds (2.29 to 3.77); 0.586 were measured."""
    told = one(study, 3025, 2_207_736, "GCN", "none").seconds
    assert told.estimate == pytest.approx(0.586, rel=0.4)
