"""Findings made by hand: as empty as can be, or with one part that a test is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import (
    Band,
    BandPoint,
    BreakEven,
    Effect,
    Effects,
    Estimate,
    Explanations,
    Flatness,
    Quality,
    Quantity,
    Regressions,
    Setting,
    Trends,
)

from .tried import about, predictions, robustness

SETTING = Setting(devices=["cpu"], threads=[1], num_layers=[9], hidden_channels=[64], heads=[4])


def empty(effects: Effects | None = None, frontier: Effects | None = None, **parts: Any) -> Findings:
    """Findings of a study of GATv2 and GCN under `layers` in which nothing else was found but `parts`.

    `frontier` has more rows of effects, and what is read off them.
    """
    whole = effects if effects is not None else some_effects()
    if frontier is not None:
        read_off = {
            name: getattr(frontier, name) or getattr(whole, name) for name in ("flatness", "models", "encodings")
        }
        known = {(row.convolution, row.policy, row.degree) for row in frontier.rows}
        rows = [row for row in whole.rows if (row.convolution, row.policy, row.degree) not in known]
        whole = whole.model_copy(update={"rows": [*rows, *frontier.rows], **read_off})
    found = Findings(
        effects=whole,
        trends=Trends(confidence=0.95, bands=[], break_evens=[]),
        regressions=Regressions(confidence=0.95, laws=[], interactions=[], not_fitted=[]),
        predictions=predictions(),
        explained=Explanations(),
        robustness=robustness(),
        accuracy=[],
        quality=quality(),
    )
    return replace(found, **parts)


def effect(
    convolution: str, policy: str, level: str = "128", memory: float = 0.5, time: float | None = 1.4, **keys: Any
) -> Effect:
    """An effect whose memory ratios are exact and whose time ratio is known to 0.01; `level` is a degree or a name."""
    degree = float(level) if level.isdigit() else None
    values: dict[str, Any] = {
        "kind": "real" if degree is None else "generated",
        "label": level if degree is None else "",
        "family": "real" if degree is None else "sbm",
        "allocator": "retaining",
        "requested_average_degree": degree,
        "average_degree": degree or 128.0,
        "num_nodes": 2000,
        "cells": 2,
        "timed_cells": 0 if time is None else 2,
        "memory_ratio": about(memory),
        "activation_ratio": about(memory),
        "time_ratio": None if time is None else about(time, 0.01),
    }
    return Effect(convolution=convolution, policy=policy, **{**values, **keys})


def some_effects(*more: Effect, real: tuple[Effect, ...] = ()) -> Effects:
    """Effects of layers on GATv2 and GCN, and more."""
    rows = [effect("GATv2", "layers"), effect("GCN", "layers"), *more, *real]
    return Effects(confidence=0.95, reference_allocator="retaining", rows=rows)


effects = some_effects


def trends(
    policy: str, quantity: Quantity, ratios: dict[str, Estimate], even: tuple[str, Estimate | None, str] | None = None
) -> Trends:
    """Return a band of GATv2 by level, and its break-even as (course, average degree, open)."""
    points = [
        BandPoint(degree=float(level), average_degree=float(level), cells=6, ratio=ratio)
        for level, ratio in ratios.items()
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
    **keys: Any,
) -> Effect:
    """A point of the frontier; its time ratio is known to 0.01."""
    values: dict[str, Any] = {
        "cells": 1,
        "num_edges": 1000.0,
        "activation_bytes": 1e6,
        "saved_activation_bytes": 5e5,
        "step_time_seconds": 1.0,
        "other_model": policy == "reversible",
        "activation_ratio": None if ratio is None else about(ratio),
    }
    return effect(convolution, policy, level, time=time, **{**values, **keys})


def frontier(*points: Effect, **parts: Any) -> Effects:
    """Effects with these points."""
    return Effects(confidence=0.95, reference_allocator="retaining", rows=list(points), **parts)


def flatness(bytes_per_edge: float = 1800.0) -> Flatness:
    """How GATv2's peak grows with the edges without checkpointing."""
    return Flatness(
        convolution="GATv2",
        policy="none",
        degrees=[4, 128],
        bytes_per_edge=bytes_per_edge,
        none_bytes_per_edge=bytes_per_edge,
        slope_ratio=1.0,
        sparse_degree=4,
        densest_degree=128,
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
