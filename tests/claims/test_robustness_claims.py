"""Claims that the answer does not hang on something, each upheld and overturned."""

from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.results import Influence, LeftOut, ReplicateSpread, Robustness, RunDrift, StoppingRule
from synthetic.findings import claim, empty
from synthetic.results import about, made


def test_one_graph_that_turns_one_statement_refutes_that_none_does() -> None:
    id = "no-graph-turns-a-verdict:GATv2"
    steady = [made(LeftOut), made(LeftOut, policy="edge_blocks")]
    assert claim(empty(robustness=made(Robustness, left_out=steady)), id).verdict == "supported"
    found = claim(
        empty(robustness=made(Robustness, left_out=[*steady, made(LeftOut, policy="selective", changes=["g7"])])), id
    )
    assert found.verdict == "refuted"
    assert found.reason == "3 statements: g7 turns densest_activation_ratio of selective"


@pytest.mark.parametrize(("worst", "verdict"), [(0.009, "supported"), (0.01, "refuted")])
def test_replicates_agree_where_the_worst_place_spreads_less_than_one_per_cent(worst: float, verdict: str) -> None:
    spreads = [
        made(ReplicateSpread, worst=worst),
        made(ReplicateSpread, response="step_time_seconds", worst=0.4),
    ]
    assert claim(empty(robustness=made(Robustness, replicates=spreads)), "replicates-agree-in-bytes").verdict == verdict


@pytest.mark.parametrize(
    ("change", "verdict"),
    [(0.01, "supported"), (0.04, "inconclusive"), (-0.09, "refuted")],
)
def test_times_drift_by_the_interval_of_their_change(change: float, verdict: str) -> None:
    """Each change is known to 0.02."""
    found = made(Robustness, drift=[made(RunDrift, change=about(change, 0.02))])
    assert claim(empty(robustness=found), "times-do-not-drift:GATv2").verdict == verdict


@pytest.mark.parametrize(("shift", "verdict"), [(-0.09, "supported"), (-0.11, "refuted")])
def test_a_graph_that_moves_a_slope_by_more_than_a_tenth_decides_it(shift: float, verdict: str) -> None:
    found = made(Robustness, influence=[made(Influence, shift_per_edge=shift)])
    assert claim(empty(robustness=found), "no-graph-decides-a-slope:GATv2").verdict == verdict


def test_a_slope_that_no_graph_moves_is_said_to_be_unmoved() -> None:
    still = made(Influence, policy="none", graph="")
    found = empty(robustness=made(Robustness, influence=[still, made(Influence, shift_per_edge=0.02)]))
    assert claim(found, "no-graph-decides-a-slope:GATv2").reason == "none: no graph moves it, layers: g1"


@pytest.mark.parametrize(
    # With a standard error of 0.005 the coverage is known to 0.01.
    ("covered", "verdict"),
    [(0.95, "supported"), (0.935, "inconclusive"), (0.91, "refuted")],
)
def test_a_simulated_coverage_is_known_to_two_standard_errors(covered: float, verdict: str) -> None:
    played = [made(StoppingRule, noise=0.02, covered=0.95), made(StoppingRule, noise=0.1, covered=covered)]
    found = claim(empty(robustness=made(Robustness, stopping=played)), "stopping-early-keeps-the-intervals-honest")
    assert found.verdict == verdict
    assert "2,000 plays each at a noise of 2 %, 10 %" in found.reason


def test_what_was_not_tried_is_untested() -> None:
    ids = ("no-graph-turns-a-verdict:GATv2", "times-do-not-drift:GCN", "replicates-agree-in-bytes")
    assert {claim(empty(), id).verdict for id in ids} == {"untested"}
