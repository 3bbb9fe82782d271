"""Predictions and robustness made by hand, good enough in every respect."""

from __future__ import annotations

from typing import Any

from gnn_checkpointing.analysis.results import (
    AnalyticCount,
    Candidate,
    Censored,
    Coverage,
    HeldOutError,
    LeftOut,
    Predictions,
    PredictiveLaw,
    Response,
    Robustness,
    RunDrift,
    ScoreSummary,
    StoppingRule,
)
from synthetic.results import about, made
from synthetic.results import coverage as held

LAYERS = {"convolution": "GCN", "policy": "layers"}


def time_law(form: str = "additive", policy: str = "none", **terms: float) -> PredictiveLaw:
    """The chosen law of step time of GCN under a policy."""
    pieces = {"pieces": [terms]} if terms else {}
    return made(PredictiveLaw, convolution="GCN", policy=policy, form=form, **pieces)


def predictions() -> Predictions:
    """Chosen laws, their coverage and scores, and a failure that they foresaw."""
    lost = {"convolution": "GATv2", "cell": "sbm", "label": "SBM"}
    return made(
        Predictions,
        laws=[time_law(), time_law(policy="layers", constant=1e-3, nodes=1e-6, edges=1.4e-7)],
        leaderboard=[
            candidate("activation_bytes", "blocks", chosen=True, worst=0.02),
            # Far off, but not chosen.
            candidate("activation_bytes", "additive", chosen=False, worst=0.5),
            # Off by more than bytes may be, but in seconds.
            candidate("step_time_seconds", "knee", chosen=True, worst=0.3),
        ],
        coverage=[
            coverage("activation_bytes", 0.96, 0.02),
            coverage("saved_activation_bytes", 1.0, 0.01),
            coverage("step_time_seconds", 0.95, 0.2),
            # Least squares' intervals are compared, not published.
            coverage("step_time_seconds", 0.76, 0.4).model_copy(update={"method": "least_squares"}),
        ],
        analytic=[
            made(AnalyticCount, **LAYERS, measured=100.0, law=104.0, counted=None),
            # A flat peak: 5 bytes an edge are ten times the measured half byte, and less than one index.
            made(AnalyticCount, **LAYERS, measured=0.5, law=5.0, counted=None),
        ],
        summaries=[
            summary("activation_bytes", 0.01, 0.03),
            summary("saved_activation_bytes", 0.0, 0.0),
            summary("step_time_seconds", 0.06, 0.4),
        ],
        censored=[
            made(Censored, **lost, limit=8e9, predicted=9e9, foreseen=True),
            made(Censored, **lost, policy="reversible", outcome="timed_out", reason="another model has no law"),
        ],
    )


def robustness() -> Robustness:
    """Statements that no graph turns, and drifts that are too uncertain or too small."""
    drifts = [(0.03, 0.4), (0.001, 0.0001)]
    return made(
        Robustness,
        drift=[made(RunDrift, **LAYERS, change=about(change, 0.1), p_value=p_value) for change, p_value in drifts],
        left_out=[made(LeftOut, **LAYERS)],
        stopping=[made(StoppingRule, covered=0.94)],
    )


def candidate(response: Response, form: str, *, chosen: bool, worst: float) -> Candidate:
    """A form of law with its errors on the densest level."""
    errors = {"median_relative_error": worst / 2, "worst_relative_error": worst}
    error = made(HeldOutError, place="densest", level=64, cells=4, **errors)
    fields: dict[str, Any] = {**LAYERS, "response": response, "form": form, "chosen": chosen, "score": worst / 2}
    return made(Candidate, **fields, errors=[error])


def coverage(response: Response, inside: float, half_width: float, held_out: int = 120) -> Coverage:
    """How often the published intervals of a response held."""
    widths = {"held_out": held_out, "worst_half_width": 2 * half_width}
    return held(response, inside, half_width).model_copy(update=widths)


def summary(response: Response, usual: float, worst: float) -> ScoreSummary:
    """The scorecard of one response on real graphs."""
    scores = {"scored": 6, "median_error": usual, "worst_error": worst, "worst_at": "Cora, GCN, layers"}
    return made(ScoreSummary, response=response, **scores)
