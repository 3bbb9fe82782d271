"""Predictions and robustness made by hand, all of GATv2 where they are of one convolution."""

from __future__ import annotations

from typing import Any

from gnn_checkpointing.analysis.results import (
    AnalyticCount,
    Candidate,
    Capacity,
    Censored,
    Coverage,
    Estimate,
    Influence,
    LeftOut,
    Predictions,
    Response,
    Robustness,
    RunDrift,
    ScoreSummary,
    StoppingRule,
)


def about(value: float, reach: float = 0.0) -> Estimate:
    """Return a value with an interval that reaches as far to both sides."""
    return Estimate(estimate=value, low=value - reach, high=value + reach)


def predictions(**parts: Any) -> Predictions:
    """Return predictions of which only `parts` are there."""
    values: dict[str, Any] = {"confidence": 0.95, "candidates": {}, "time_unit": None}
    lists = set(Predictions.model_fields) - set(values)
    return Predictions(**{**values, **{name: [] for name in lists}, **parts})


def candidate(policy: str, score: float | None, form: str = "additive", *, chosen: bool = True) -> Candidate:
    """Return a form of law that was tried for GATv2's activation bytes."""
    return Candidate(
        convolution="GATv2",
        policy=policy,
        response="activation_bytes",
        form=form if chosen else "power",
        chosen=chosen,
        score=score,
        errors=[],
        reason="",
    )


def coverage(response: Response, inside: float = 0.95, half_width: float = 0.01, method: str | None = None) -> Coverage:
    """Return how often intervals of a response held, by the published method if no other is named."""
    published = "conformal" if response == "step_time_seconds" else "held_out_bound"
    return Coverage.model_validate(
        {
            "response": response,
            "method": method or published,
            "held_out": 108,
            "inside": inside,
            "median_half_width": half_width,
            "worst_half_width": 1.0,
        }
    )


def count(policy: str, measured: float, law: float = 101.0, counted: float | None = 100.0) -> AnalyticCount:
    """Return GATv2's bytes per edge three ways; `edge_blocks` was counted to need none."""
    return AnalyticCount(
        convolution="GATv2",
        policy=policy,
        response="activation_bytes",
        num_nodes=1000,
        measured=measured,
        law=law,
        counted=0.0 if policy == "edge_blocks" else counted,
        formula="",
    )


def summary(response: Response, median: float = 0.01, worst: float = 0.03) -> ScoreSummary:
    """Return the scorecard of a response."""
    return ScoreSummary(
        response=response, scored=9, median_error=median, worst_error=worst, worst_at="Cora, GCN, none", inside=1.0
    )


def censored(cell: str, predicted: float | None, limit: float = 8.0) -> Censored:
    """Return a cell that ran out of memory, with what its law said."""
    return Censored(
        cell=cell,
        label=cell,
        convolution="GATv2",
        policy="none",
        outcome="out_of_memory",
        limit=limit,
        predicted=predicted,
        foreseen=None if predicted is None else predicted >= limit,
        reason="" if predicted is not None else "no law",
    )


def capacity(policy: str, degree: Estimate | None, *, unbounded: bool = False, memory_gib: float = 1.0) -> Capacity:
    """Return what GATv2 takes on graphs of 1,000 nodes."""
    return Capacity(
        convolution="GATv2",
        policy=policy,
        num_nodes=1000,
        memory_bytes=memory_gib * 2**30,
        average_degree=degree,
        unbounded=unbounded,
        in_range=False,
        gain=None,
    )


def robustness(**parts: Any) -> Robustness:
    """Return robustness of which only `parts` were tried."""
    return Robustness(**{**{name: [] for name in Robustness.model_fields}, **parts})


def left_out(policy: str, *changes: str) -> LeftOut:
    """Return a statement on GATv2 that some graphs turn."""
    return LeftOut(
        statement="densest_activation_ratio",
        convolution="GATv2",
        policy=policy,
        boundary=1.0,
        whole=about(0.5, 0.1),
        lowest=0.4,
        highest=0.6,
        side="below",
        changes=list(changes),
    )


def influence(policy: str, shift: float) -> Influence:
    """Return the graph that moves a law of GATv2's activation bytes most."""
    return Influence(
        convolution="GATv2",
        policy=policy,
        response="activation_bytes",
        graph="g1",
        shift_per_edge=shift,
        cooks_distance=0.1,
    )


def drift(policy: str, change: float, reach: float = 0.02) -> RunDrift:
    """Return the drift of GATv2's step times over the run."""
    return RunDrift(
        convolution="GATv2",
        policy=policy,
        response="step_time_seconds",
        change=about(change, reach),
        p_value=0.5,
    )


def stopping(noise: float, covered: float) -> StoppingRule:
    """Return the stopping rule played at a noise, its coverage known to a standard error of 0.005."""
    return StoppingRule(
        noise=noise,
        target_half_width=0.03,
        at_least=10,
        at_most=200,
        processes=2,
        plays=2000,
        covered=covered,
        fixed_covered=0.95,
        expected_error=0.005,
        median_rounds=20,
        reached_target=1.0,
    )
