"""Throughput: nodes or edges of a graph that a training step works through in a second, from the step's time."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.records.measurements_table import per_second

__all__ = ["per_second", "throughput"]


def throughput(count: float, step_time_seconds: Estimate) -> Estimate:
    """`per_second` with its interval: the longest step gives the lowest throughput."""
    time = step_time_seconds
    return Estimate(estimate=count / time.estimate, low=count / time.high, high=count / time.low)
