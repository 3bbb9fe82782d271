"""Predictions and robustness made by hand, good enough in every respect."""

from __future__ import annotations

from typing import Any

from gnn_checkpointing.analysis.results import Predictions, PredictiveLaw, Robustness

OF: dict[str, Any] = {"convolution": "GCN", "policy": "layers"}
BYTES = {**OF, "response": "activation_bytes"}
SECONDS = {**OF, "response": "step_time_seconds"}


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


def candidate(of: dict[str, Any], form: str, *, chosen: bool, worst: float) -> dict[str, Any]:
    """A form of law with its errors on the densest level."""
    error = {"place": "densest", "level": 64, "cells": 4, "median_relative_error": 0.01, "worst_relative_error": worst}
    return {**of, "form": form, "chosen": chosen, "score": worst / 2, "errors": [error], "reason": ""}


def coverage(response: str, method: str, inside: float, half_width: float) -> dict[str, Any]:
    widths = {"median_half_width": half_width, "worst_half_width": 2 * half_width}
    return {"response": response, "method": method, "held_out": 120, "inside": inside, **widths}


def summary(response: str, usual: float, worst: float) -> dict[str, Any]:
    errors = {"median_error": usual, "worst_error": worst, "worst_at": "Cora, GCN, layers"}
    return {"response": response, "scored": 6, **errors, "inside": 1.0}


def analytic(measured: float, law: float) -> dict[str, Any]:
    return {**BYTES, "num_nodes": 1000, "measured": measured, "law": law, "counted": None, "formula": ""}


def censored(policy: str, outcome: str, limit: float, predicted: float | None, reason: str) -> dict[str, Any]:
    place = {"cell": "sbm", "label": "SBM", "convolution": "GATv2", "policy": policy, "outcome": outcome}
    foreseen = None if predicted is None else predicted > limit
    return {**place, "limit": limit, "predicted": predicted, "foreseen": foreseen, "reason": reason}


def predictions() -> Predictions:
    """Chosen laws, their coverage and scores, and a failure that they foresaw."""
    nothing: dict[str, Any] = {name: [] for name in ("resident", "knees", "scorecard", "capacities", "not_fitted")}
    found = {
        "confidence": 0.95,
        "candidates": {},
        "laws": [time_law(), time_law(policy="layers", constant=1e-3, nodes=1e-6, edges=1.4e-7)],
        "leaderboard": [
            candidate(BYTES, "blocks", chosen=True, worst=0.02),
            # Far off, but not chosen.
            candidate(BYTES, "additive", chosen=False, worst=0.5),
            # Off by more than bytes may be, but in seconds.
            candidate(SECONDS, "knee", chosen=True, worst=0.3),
        ],
        "coverage": [
            coverage("activation_bytes", "held_out_bound", 0.96, 0.02),
            coverage("saved_activation_bytes", "held_out_bound", 1.0, 0.01),
            coverage("step_time_seconds", "conformal", 0.95, 0.2),
            # Least squares' intervals are compared, not published.
            coverage("step_time_seconds", "least_squares", 0.76, 0.4),
        ],
        # A flat peak: 5 bytes an edge are ten times the measured half byte, and less than one index.
        "analytic": [analytic(measured=100.0, law=104.0), analytic(measured=0.5, law=5.0)],
        "summaries": [
            summary("activation_bytes", 0.01, 0.03),
            summary("saved_activation_bytes", 0.0, 0.0),
            summary("step_time_seconds", 0.06, 0.4),
        ],
        "censored": [
            censored("layers", "out_of_memory", 8e9, 9e9, ""),
            censored("reversible", "timed_out", 300.0, None, "another model has no law"),
        ],
    }
    return Predictions.model_validate(nothing | found)


def robustness() -> Robustness:
    """Statements that depend on no single graph, and drifts that are too uncertain or too small."""
    statement = {"statement": "densest_activation_ratio", **OF, "boundary": 1.0, "side": "below", "changes": []}
    interval = {"whole": {"estimate": 0.5, "low": 0.4, "high": 0.6}, "lowest": 0.4, "highest": 0.6}
    rule = {"noise": 0.02, "target_half_width": 0.03, "at_least": 10, "at_most": 200, "processes": 2, "plays": 1000}
    outcome = {"covered": 0.94, "fixed_covered": 0.95, "expected_error": 0.007, "median_rounds": 10}
    nothing: dict[str, Any] = {name: [] for name in ("families", "replicates", "influence", "not_tried")}
    found = {
        "drift": [drift(change=0.03, p_value=0.4), drift(change=0.001, p_value=0.0001)],
        "left_out": [statement | interval],
        "stopping": [rule | outcome | {"reached_target": 1.0}],
    }
    return Robustness.model_validate(nothing | found)


def drift(change: float, p_value: float) -> dict[str, Any]:
    """A change of residuals over the run."""
    interval = {"estimate": change, "low": change - 0.1, "high": change + 0.1}
    return {**SECONDS, "change": interval, "p_value": p_value}
