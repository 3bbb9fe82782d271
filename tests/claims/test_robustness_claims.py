"""Claims that the answer does not hang on something, each upheld and overturned."""

from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.results import ReplicateSpread

from .findings import claim
from .made import empty
from .tried import drift, influence, left_out, robustness, stopping


def test_one_graph_that_turns_one_statement_refutes_that_none_does() -> None:
    id = "no-graph-turns-a-verdict:GATv2"
    steady = [left_out("layers"), left_out("edge_blocks")]
    assert claim(empty(robustness=robustness(left_out=steady)), id).verdict == "supported"
    found = claim(empty(robustness=robustness(left_out=[*steady, left_out("selective", "g7")])), id)
    assert found.verdict == "refuted"
    assert found.reason == "3 statements: g7 turns densest_activation_ratio of selective"


@pytest.mark.parametrize(("worst", "verdict"), [(0.009, "supported"), (0.01, "refuted")])
def test_replicates_agree_where_the_worst_place_spreads_less_than_one_per_cent(worst: float, verdict: str) -> None:
    spreads = [
        ReplicateSpread(response="activation_bytes", places=18, median=0.0, worst=worst, worst_at="d4"),
        ReplicateSpread(response="step_time_seconds", places=18, median=0.05, worst=0.4, worst_at="d4"),
    ]
    assert claim(empty(robustness=robustness(replicates=spreads)), "replicates-agree-in-bytes").verdict == verdict


@pytest.mark.parametrize(
    ("change", "verdict"),
    [(0.01, "supported"), (0.04, "inconclusive"), (-0.09, "refuted")],
)
def test_times_drift_by_the_interval_of_their_change(change: float, verdict: str) -> None:
    """Each change is known to 0.02."""
    found = robustness(drift=[drift("layers", change, 0.02)])
    assert claim(empty(robustness=found), "times-do-not-drift:GATv2").verdict == verdict


@pytest.mark.parametrize(("shift", "verdict"), [(-0.09, "supported"), (-0.11, "refuted")])
def test_a_graph_that_moves_a_slope_by_more_than_a_tenth_decides_it(shift: float, verdict: str) -> None:
    found = robustness(influence=[influence("layers", shift)])
    assert claim(empty(robustness=found), "no-graph-decides-a-slope:GATv2").verdict == verdict


def test_a_slope_that_no_graph_moves_is_said_to_be_unmoved() -> None:
    still = influence("none", 0.0).model_copy(update={"graph": ""})
    found = empty(robustness=robustness(influence=[still, influence("layers", 0.02)]))
    assert claim(found, "no-graph-decides-a-slope:GATv2").reason == "none: no graph moves it, layers: g1"


@pytest.mark.parametrize(
    # With a standard error of 0.005 the coverage is known to 0.01.
    ("covered", "verdict"),
    [(0.95, "supported"), (0.935, "inconclusive"), (0.91, "refuted")],
)
def test_a_simulated_coverage_is_known_to_two_standard_errors(covered: float, verdict: str) -> None:
    played = [stopping(0.02, 0.95), stopping(0.1, covered)]
    found = claim(empty(robustness=robustness(stopping=played)), "stopping-early-keeps-the-intervals-honest")
    assert found.verdict == verdict
    assert "2,000 plays each at a noise of 2 %, 10 %" in found.reason


def test_what_was_not_tried_is_untested() -> None:
    ids = ("no-graph-turns-a-verdict:GATv2", "times-do-not-drift:GCN", "replicates-agree-in-bytes")
    assert {claim(empty(), id).verdict for id in ids} == {"untested"}
