"""Throughput: nodes or edges of a graph that a training step works through in a second, from the step's time."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import Estimate


def per_second(count: int, step_time_seconds: float | None) -> float | None:
    """`count` nodes or edges a second; None where no time was taken."""
    return count / step_time_seconds if step_time_seconds else None


def throughput(count: int, step_time_seconds: Estimate) -> Estimate:
    """The same with its interval: the longest step gives the lowest throughput."""
    time = step_time_seconds
    return Estimate(estimate=count / time.estimate, low=count / time.high, high=count / time.low)
