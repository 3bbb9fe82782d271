"""Bands, break-evens and trials against the answer, made by hand: what their sections can be tried on."""

from __future__ import annotations

from typing import Any

from gnn_checkpointing.analysis.results import (
    Band,
    BandPoint,
    BreakEven,
    Estimate,
    FamilyFactor,
    Influence,
    LeftOut,
    Quantity,
    ReplicateSpread,
    Robustness,
    RunDrift,
    StoppingRule,
    Trends,
)

from . import synthetic
from .synthetic import CONVOLUTIONS, POLICIES, estimate

QUANTITIES: tuple[Quantity, ...] = ("activation_ratio", "time_ratio")


def break_even(**changes: Any) -> BreakEven:
    """Return a policy that saves everywhere for certain; the given fields replace its own."""
    values: dict[str, Any] = {
        "convolution": "GCN",
        "policy": "layers",
        "quantity": "activation_ratio",
        "threshold": 0.99,
        "course": "below",
        "average_degree": None,
        "open": "",
        "certain": True,
    }
    return BreakEven(**{**values, **changes})


def trends() -> Trends:
    """Return bands that reach 10 % to both sides of the effects' ratios, and a break-even of most courses."""
    bands = [
        Band(
            convolution=convolution,
            policy=policy,
            quantity=quantity,
            method="by hand",
            points=[
                BandPoint(
                    degree=effect.degree,
                    average_degree=effect.average_degree,
                    cells=effect.cells,
                    ratio=estimate(getattr(effect, quantity).estimate, 0.1),
                )
                for effect in synthetic.effects().generated
                if (effect.convolution, effect.policy) == (convolution, policy)
            ],
        )
        for convolution in CONVOLUTIONS
        for policy in POLICIES[1:]
        for quantity in QUANTITIES
    ]
    crossing = Estimate(estimate=41.2, low=33.1, high=52.4)
    return Trends(
        confidence=0.95,
        bands=bands,
        break_evens=[
            *(break_even(convolution="GCN", policy=policy) for policy in POLICIES[1:]),
            break_even(convolution="SAGE", course="rises", average_degree=crossing),
            break_even(convolution="SAGE", policy="edge_blocks"),
            *(break_even(convolution="GATv2", policy=policy) for policy in POLICIES[1:]),
            break_even(quantity="time_ratio", threshold=1.0, course="above"),
        ],
    )


def left_out(**changes: Any) -> LeftOut:
    """Return a ratio below 1 that no graph turns; the given fields replace its own."""
    values: dict[str, Any] = {
        "statement": "densest_time_ratio",
        "convolution": "GCN",
        "policy": "layers",
        "boundary": 1.0,
        "whole": Estimate(estimate=0.9, low=0.88, high=0.92),
        "lowest": 0.89,
        "highest": 0.91,
        "side": "below",
        "changes": [],
    }
    return LeftOut(**{**values, **changes})


def stopping_rule(**changes: Any) -> StoppingRule:
    """Return a rule that covers what it says; the given fields replace its own."""
    values: dict[str, Any] = {
        "noise": 0.03,
        "target_half_width": 0.03,
        "at_least": 10,
        "at_most": 200,
        "processes": 2,
        "plays": 1000,
        "covered": 0.948,
        "fixed_covered": 0.951,
        "expected_error": 0.0069,
        "median_rounds": 15.0,
        "reached_target": 0.97,
    }
    return StoppingRule(**{**values, **changes})


def robustness(**changes: Any) -> Robustness:
    """Return one trial of each kind; the given lists replace its own."""
    values: dict[str, Any] = {
        "families": [
            FamilyFactor(
                convolution="GCN",
                policy="layers",
                quantity="time_ratio",
                families=["erdos_renyi", "rmat"],
                largest_shift=1.043,
                furthest_family="rmat",
                p_value=0.0004,
            )
        ],
        "replicates": [
            ReplicateSpread(
                response="step_time_seconds",
                places=162,
                median=0.012,
                worst=0.11,
                worst_at="GCN, none, sbm of 500 nodes, degree 4",
            )
        ],
        "drift": [
            RunDrift(
                convolution="GCN",
                policy="none",
                response="step_time_seconds",
                change=Estimate(estimate=-0.021, low=-0.034, high=-0.008),
                p_value=0.003,
            )
        ],
        "influence": [
            Influence(
                convolution="GCN",
                policy="layers",
                response="step_time_seconds",
                graph="sbm-n2000-d128-r0",
                shift_per_edge=-0.041,
                cooks_distance=0.83,
            )
        ],
        "left_out": [left_out()],
        "stopping": [stopping_rule()],
        "not_tried": ["The family as a factor is not tried: all generated graphs are of one family, sbm."],
    }
    return Robustness(**{**values, **changes})
