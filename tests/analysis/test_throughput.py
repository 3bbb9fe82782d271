"""Throughput is a count over a time; the interval's ends change places."""

from __future__ import annotations

from gnn_checkpointing.analysis.estimates import per_second, throughput
from gnn_checkpointing.analysis.results import Estimate


def test_throughput_is_count_over_time_and_the_longest_step_is_the_lowest() -> None:
    found = throughput(1000, Estimate(estimate=2.0, low=1.0, high=4.0))
    assert (found.estimate, found.low, found.high) == (500.0, 250.0, 1000.0)
    assert per_second(1000, 2.0) == 500.0
    assert per_second(1000, None) is None
