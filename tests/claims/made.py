"""Findings made by hand: as empty as can be, or with one part that a test is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import (
    Band,
    BandPoint,
    BreakEven,
    Depths,
    Effect,
    Effects,
    Ego,
    Estimate,
    Explanations,
    Flatness,
    Frontier,
    FrontierPoint,
    Quality,
    Quantity,
    Regressions,
    Setting,
    Trends,
    Variants,
)

from .tried import about, predictions, robustness

SETTING = Setting(devices=["cpu"], threads=[1], num_layers=[9], hidden_channels=[64], heads=[4])


def empty(**parts: Any) -> Findings:
    """Return findings of a study of GATv2 and GCN under `layers` in which nothing else was found but `parts`."""
    found = Findings(
        effects=effects(),
        trends=Trends(confidence=0.95, bands=[], break_evens=[]),
        regressions=Regressions(confidence=0.95, laws=[], interactions=[], not_fitted=[]),
        predictions=predictions(),
        frontier=frontier(),
        variants=Variants(reference_family=None, families=[], graded=[], batches=[]),
        depths=Depths(confidence=0.95, models=[], points=[]),
        explained=Explanations(),
        ego=Ego(),
        robustness=robustness(),
        accuracy=[],
        quality=quality(),
    )
    return replace(found, **parts)


def effect(convolution: str, policy: str, level: str = "128", memory: float = 0.5, time: float | None = 1.4) -> Effect:
    """Return an effect whose memory ratios are exact and whose time ratio is known to 0.01."""
    return Effect(
        convolution=convolution,
        policy=policy,
        level=level,
        average_degree=128.0,
        cells=2,
        timed_cells=0 if time is None else 2,
        memory_ratio=about(memory),
        activation_ratio=about(memory),
        time_ratio=None if time is None else about(time, 0.01),
    )


def effects(*more: Effect, real: tuple[Effect, ...] = ()) -> Effects:
    """Return effects of layers on GATv2 and GCN, and more."""
    generated = [effect("GATv2", "layers"), effect("GCN", "layers"), *more]
    return Effects(confidence=0.95, generated=generated, real=list(real))


def trends(
    policy: str, quantity: Quantity, ratios: dict[str, Estimate], even: tuple[str, Estimate | None, str] | None = None
) -> Trends:
    """Return a band of GATv2 by level, and its break-even as (course, average degree, open)."""
    points = [
        BandPoint(level=level, average_degree=float(level), cells=6, ratio=ratio) for level, ratio in ratios.items()
    ]
    band = Band(convolution="GATv2", policy=policy, quantity=quantity, method="by hand", points=points)
    evens = [] if even is None else [break_even(policy, quantity, *even)]
    return Trends(confidence=0.95, bands=[band], break_evens=evens)


def break_even(policy: str, quantity: Quantity, course: str, degree: Estimate | None, open: str) -> BreakEven:
    """Return where a policy breaks even with GATv2."""
    return BreakEven.model_validate(
        {
            "convolution": "GATv2",
            "policy": policy,
            "quantity": quantity,
            "threshold": 0.99 if quantity == "activation_ratio" else 1.0,
            "course": course,
            "average_degree": degree,
            "open": open,
            "certain": True,
        }
    )


def point(
    convolution: str,
    policy: str,
    *,
    level: str = "128",
    ratio: float | None = 1.0,
    time: float | None = 1.0,
    forward_share: float | None = None,
    num_edges: float = 1000.0,
    activation_bytes: float = 1e6,
    allocator: str = "retaining",
) -> FrontierPoint:
    """Return a point of the frontier; its time ratio is known to 0.01."""
    return FrontierPoint(
        convolution=convolution,
        policy=policy,
        allocator=allocator,
        level=level,
        average_degree=float(level),
        num_edges=num_edges,
        cells=1,
        other_model=policy == "reversible",
        activation_ratio=None if ratio is None else about(ratio),
        time_ratio=None if time is None else about(time, 0.01),
        activation_bytes=activation_bytes,
        saved_activation_bytes=activation_bytes / 2,
        transient_bytes=activation_bytes / 2,
        policy_resident_bytes=0.0,
        step_time_seconds=1.0,
        system_time_seconds=0.0,
        page_faults=0.0,
        forward_share=forward_share,
    )


def frontier(*points: FrontierPoint, **parts: Any) -> Frontier:
    """Return a frontier of these points."""
    lists = {name: [] for name in ("best_segments", "payoffs", "pareto", "flatness", "allocators")}
    return Frontier(**{"reference": "retaining", "num_nodes": 2000, "points": list(points), **lists, **parts})


def flatness(bytes_per_edge: float = 1800.0) -> Flatness:
    """Return how GATv2's peak grows with the edges without checkpointing."""
    return Flatness(
        convolution="GATv2",
        policy="none",
        levels=["4", "128"],
        bytes_per_edge=bytes_per_edge,
        none_bytes_per_edge=bytes_per_edge,
        slope_ratio=1.0,
        sparse="4",
        densest="128",
        peak_ratio=9.0,
    )


def quality(**parts: Any) -> Quality:
    """Return the quality of a run in which nothing went wrong."""
    values: dict[str, Any] = {
        "cells": 1,
        "rows": 2,
        "outcomes": {"completed": 2},
        "failures": [],
        "refused": [],
        "unavailable": [],
        "other_models": [],
        "readings": [],
        "disagreements": [],
        "sentinel_drift": None,
        "involuntary_switches": None,
        "measured_share": 0.6,
        "measured_seconds": 6.0,
        "wall_seconds": 10.0,
        "overlapping_cells": 0,
        "median_half_width": 0.02,
        "worst_half_width": 0.03,
        "within_target": 1.0,
        "not_the_same": [],
        "warnings": [],
        "setting": SETTING,
    }
    return Quality(**{**values, **parts})
