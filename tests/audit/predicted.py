"""Predictions and robustness made by hand, good enough in every respect."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import (
    AnalyticCount,
    Candidate,
    Censored,
    Coverage,
    Estimate,
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


def time_law(form: str = "additive", policy: str = "none", **terms: float) -> PredictiveLaw:
    """The chosen law of step time of GCN under a policy."""
    return PredictiveLaw(
        convolution="GCN",
        policy=policy,
        response="step_time_seconds",
        form=form,
        pieces=[terms or {"constant": 1e-3, "nodes": 1e-6, "edges": 1e-7}],
        knee=None,
        cells=12,
        num_nodes=(500, 1000),
        num_edges=(2000, 64000),
        num_features=32,
        half_width=0.1,
        median_relative_residual=0.01,
        worst_relative_residual=0.05,
        residuals=[],
    )


def predictions() -> Predictions:
    """Return chosen laws, their coverage and scores, and a failure that they foresaw."""
    return Predictions(
        confidence=0.95,
        candidates={},
        laws=[time_law(), time_law(policy="layers", constant=1e-3, nodes=1e-6, edges=1.4e-7)],
        resident=[],
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
            Coverage(
                response="step_time_seconds",
                method="least_squares",
                held_out=120,
                inside=0.76,
                median_half_width=0.4,
                worst_half_width=0.9,
            ),
        ],
        knees=[],
        analytic=[
            analytic(measured=100.0, law=104.0),
            # A flat peak: 5 bytes an edge are ten times the measured half byte, and less than one index.
            analytic(measured=0.5, law=5.0),
        ],
        scorecard=[],
        summaries=[
            summary("activation_bytes", 0.01, 0.03),
            summary("saved_activation_bytes", 0.0, 0.0),
            summary("step_time_seconds", 0.06, 0.4),
        ],
        censored=[
            Censored(
                cell="sbm",
                label="SBM",
                convolution="GATv2",
                policy="layers",
                outcome="out_of_memory",
                limit=8e9,
                predicted=9e9,
                foreseen=True,
                reason="",
            ),
            Censored(
                cell="sbm",
                label="SBM",
                convolution="GATv2",
                policy="reversible",
                outcome="timed_out",
                limit=300.0,
                predicted=None,
                foreseen=None,
                reason="another model has no law",
            ),
        ],
        capacities=[],
        not_fitted=[],
    )


def robustness() -> Robustness:
    """Return statements that hang on nothing, and drifts that are too uncertain or too small."""
    return Robustness(
        families=[],
        replicates=[],
        drift=[drift(change=0.03, p_value=0.4), drift(change=0.001, p_value=0.0001)],
        influence=[],
        left_out=[
            LeftOut(
                statement="densest_activation_ratio",
                convolution="GCN",
                policy="layers",
                boundary=1.0,
                whole=Estimate(estimate=0.5, low=0.4, high=0.6),
                lowest=0.4,
                highest=0.6,
                side="below",
                changes=[],
            )
        ],
        stopping=[
            StoppingRule(
                noise=0.02,
                target_half_width=0.03,
                at_least=10,
                at_most=200,
                processes=2,
                plays=1000,
                covered=0.94,
                fixed_covered=0.95,
                expected_error=0.007,
                median_rounds=10,
                reached_target=1.0,
            )
        ],
        not_tried=[],
    )


def candidate(response: Response, form: str, *, chosen: bool, worst: float) -> Candidate:
    """Return a form of law with its errors on the densest level."""
    error = HeldOutError(
        place="densest", level=64, cells=4, median_relative_error=worst / 2, worst_relative_error=worst
    )
    return Candidate(
        convolution="GCN",
        policy="layers",
        response=response,
        form=form,
        chosen=chosen,
        score=worst / 2,
        errors=[error],
        reason="",
    )


def coverage(response: Response, inside: float, half_width: float, held_out: int = 120) -> Coverage:
    """Return how often the published intervals of a response held."""
    return Coverage(
        response=response,
        method="conformal" if response == "step_time_seconds" else "held_out_bound",
        held_out=held_out,
        inside=inside,
        median_half_width=half_width,
        worst_half_width=2 * half_width,
    )


def analytic(measured: float, law: float) -> AnalyticCount:
    """Return a law's bytes per edge beside the measured ones."""
    return AnalyticCount(
        convolution="GCN",
        policy="layers",
        response="activation_bytes",
        num_nodes=1000,
        measured=measured,
        law=law,
        counted=None,
        formula="",
    )


def summary(response: Response, usual: float, worst: float) -> ScoreSummary:
    """Return the scorecard of one response on real graphs."""
    return ScoreSummary(
        response=response, scored=6, median_error=usual, worst_error=worst, worst_at="Cora, GCN, layers", inside=1.0
    )


def drift(change: float, p_value: float) -> RunDrift:
    """Return a change of residuals over the run."""
    return RunDrift(
        convolution="GCN",
        policy="layers",
        response="step_time_seconds",
        change=Estimate(estimate=change, low=change - 0.1, high=change + 0.1),
        p_value=p_value,
    )
