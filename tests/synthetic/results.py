"""Hand-made results of the analysis: a test gives the fields it is about, the others get typical values."""

from collections.abc import Iterable
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from gnn_checkpointing.analysis import results as kinds
from gnn_checkpointing.analysis.results import Effect, Effects, Estimate, Response

Model = TypeVar("Model", bound=BaseModel)


def the_one(found: Iterable[Model], **fields: object) -> Model:
    """The only result with these fields."""
    (one,) = [each for each in found if all(getattr(each, name) == value for name, value in fields.items())]
    return one


def about(value: float, reach: float = 0.0) -> Estimate:
    """An estimate with the interval `value` ± `reach`."""
    return Estimate(estimate=value, low=value - reach, high=value + reach)


def within(value: float, share: float = 0.02) -> Estimate:
    """An estimate with an interval of ± `share` of its value."""
    return about(value, abs(value) * share)


SETTING = kinds.Setting(devices=["cpu"], threads=[1], num_layers=[9], hidden_channels=[64], heads=[4])
EVERYWHERE: dict[str, Any] = {
    "confidence": 0.95,
    "convolution": "GATv2",
    "policy": "layers",
    "response": "activation_bytes",
    "num_nodes": 1000,
}
TYPICAL: dict[type[BaseModel], dict[str, Any]] = {
    kinds.Candidate: {"form": "additive", "chosen": True},
    kinds.Coverage: {"held_out": 108, "inside": 0.95, "median_half_width": 0.01, "worst_half_width": 1.0},
    kinds.AnalyticCount: {"law": 101.0, "counted": 100.0},
    kinds.ScoreSummary: {"scored": 9, "worst_at": "Cora, GCN, none", "inside": 1.0},
    kinds.Censored: {"outcome": "out_of_memory", "limit": 8.0},
    kinds.Capacity: {"memory_bytes": 2**30},
    kinds.PredictiveLaw: {
        "form": "additive",
        "response": "step_time_seconds",
        "pieces": [{"constant": 1e-3, "nodes": 1e-6, "edges": 1e-7}],
        **{"num_nodes": (500, 1000), "num_edges": (2000, 64000)},
        **{"cells": 12, "num_features": 32, "half_width": 0.1},
    },
    kinds.Law: {
        **{"weights": "relative", "covariance": "HC3", "cells": 36, "condition_number": 4.0},
        **{"r_squared": 0.9987, "median_relative_residual": 0.012, "worst_relative_residual": 0.08},
        **{"reset_p": 0.4, "breusch_pagan_p": 0.0004},
    },
    Effects: {"reference_allocator": "retaining"},
    Effect: {"allocator": "retaining", "num_nodes": 2000},
    kinds.Band: {"quantity": "activation_ratio", "method": "by hand"},
    kinds.BreakEven: {"quantity": "activation_ratio", "threshold": 0.99, "course": "below", "certain": True},
    kinds.Flatness: {
        **{"policy": "none", "degrees": [4, 128], "sparse_degree": 4, "densest_degree": 128},
        **{"slope_ratio": 1.0, "peak_ratio": 9.0},
    },
    kinds.Quality: {
        **{"cells": 1, "rows": 2, "outcomes": {"completed": 2}, "setting": SETTING},
        **{"measured_share": 0.6, "measured_seconds": 6.0, "wall_seconds": 10.0},
        **{"median_half_width": 0.02, "worst_half_width": 0.03, "within_target": 1.0},
    },
    kinds.FamilyFactor: {"quantity": "time_ratio", "families": ["erdos_renyi", "rmat"], "furthest_family": "rmat"},
    kinds.ReplicateSpread: {"places": 162, "worst_at": "GCN, none, sbm of 500 nodes, degree 4"},
    kinds.RunDrift: {"response": "step_time_seconds", "p_value": 0.5},
    kinds.Influence: {"graph": "g1", "cooks_distance": 0.1},
    kinds.LeftOut: {
        **{"statement": "densest_activation_ratio", "boundary": 1.0, "side": "below"},
        **{"whole": about(0.5, 0.1), "lowest": 0.4, "highest": 0.6},
    },
    kinds.StoppingRule: {
        **{"noise": 0.03, "target_half_width": 0.03, "at_least": 10, "at_most": 200, "processes": 2, "plays": 2000},
        **{"covered": 0.948, "fixed_covered": 0.951, "expected_error": 0.005},
        **{"median_rounds": 15, "reached_target": 0.97},
    },
}


def made(kind: type[Model], /, **fields: Any) -> Model:
    """A result of a kind with these fields; other fields have a typical value, or are as empty as their type allows."""
    known = EVERYWHERE | TYPICAL.get(kind, {}) | fields
    required = {name: _empty(one.annotation) for name, one in kind.model_fields.items() if one.is_required()}
    own = {name: value for name, value in known.items() if name in kind.model_fields or name in fields}
    return kind.model_validate(required | own)


def _empty(annotation: Any) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return None if type(None) in arguments else _empty(arguments[0])
    if origin is Literal:
        return arguments[0]
    return about(1.0) if annotation is Estimate else (origin or annotation)()


def candidate(policy: str, score: float | None, form: str = "additive", *, chosen: bool = True) -> kinds.Candidate:
    """A form of law that was tried for GATv2's activation bytes."""
    return made(kinds.Candidate, policy=policy, form=form if chosen else "power", chosen=chosen, score=score)


def coverage(
    response: Response, inside: float = 0.95, half_width: float = 0.01, method: str | None = None
) -> kinds.Coverage:
    """Coverage of a response's intervals, by the published method unless another is named."""
    method = method or ("conformal" if response == "step_time_seconds" else "held_out_bound")
    return made(kinds.Coverage, response=response, method=method, inside=inside, median_half_width=half_width)


def count(policy: str, measured: float, law: float = 101.0, counted: float | None = 100.0) -> kinds.AnalyticCount:
    """GATv2's bytes per edge as measured, by the law, and counted; for `edge_blocks` the count is 0."""
    counted = 0.0 if policy == "edge_blocks" else counted
    return made(kinds.AnalyticCount, policy=policy, measured=measured, law=law, counted=counted)


def summary(response: Response, median: float = 0.01, worst: float = 0.03) -> kinds.ScoreSummary:
    """The scorecard of a response."""
    return made(kinds.ScoreSummary, response=response, median_error=median, worst_error=worst)


def censored(cell: str, predicted: float | None, limit: float = 8.0) -> kinds.Censored:
    """A cell of GATv2 without checkpointing that ran out of memory, with its law's prediction."""
    said = {"reason": "no law"} if predicted is None else {"foreseen": predicted >= limit}
    return made(kinds.Censored, cell=cell, label=cell, policy="none", limit=limit, predicted=predicted, **said)


def capacity(
    policy: str, degree: Estimate | None, *, unbounded: bool = False, memory_gib: float = 1.0
) -> kinds.Capacity:
    """Capacity for GATv2 on graphs of 1,000 nodes."""
    limit = memory_gib * 2**30
    return made(kinds.Capacity, policy=policy, memory_bytes=limit, average_degree=degree, unbounded=unbounded)


def effect(
    convolution: str, policy: str, level: str = "128", memory: float = 0.5, time: float | None = 1.4, **fields: Any
) -> Effect:
    """An effect with exact memory ratios and a time ratio known to ± 0.01; `level` is a degree or a name."""
    degree = float(level) if level.isdigit() else None
    place = {"kind": "generated", "family": "sbm"} if degree else {"kind": "real", "family": "real", "label": level}
    values: dict[str, Any] = {
        **place,
        **{"requested_average_degree": degree, "average_degree": degree or 128.0},
        "cells": 2,
        **dict.fromkeys(("memory_ratio", "activation_ratio"), about(memory)),
        "time_ratio": None if time is None else about(time, 0.01),
    }
    return made(Effect, convolution=convolution, policy=policy, **{**values, **fields})


def some_effects(*more: Effect, real: tuple[Effect, ...] = ()) -> Effects:
    """Effects of layers on GATv2 and GCN, and more."""
    return frontier(effect("GATv2", "layers"), effect("GCN", "layers"), *more, *real)


def point(
    convolution: str,
    policy: str,
    *,
    level: str = "128",
    ratio: float | None = 1.0,
    time: float | None = 1.0,
    **fields: Any,
) -> Effect:
    """A point of the frontier; its time ratio is known to ± 0.01."""
    values: dict[str, Any] = {
        **{"cells": 1, "num_edges": 1000.0, "step_time_seconds": 1.0, "other_model": policy == "reversible"},
        **{"activation_bytes": 1e6, "saved_activation_bytes": 5e5},
        "activation_ratio": None if ratio is None else about(ratio),
    }
    return effect(convolution, policy, level, time=time, **{**values, **fields})


def frontier(*points: Effect, **parts: Any) -> Effects:
    """Effects with these points."""
    return made(Effects, rows=list(points), **parts)


def trends(
    policy: str, quantity: str, ratios: dict[str, Estimate], even: tuple[str, Estimate | None, str] | None = None
) -> kinds.Trends:
    """A band of GATv2 from ratios by level, and its break-even from (course, average degree, open)."""
    points = [
        {"degree": float(level), "average_degree": float(level), "cells": 6, "ratio": ratio}
        for level, ratio in ratios.items()
    ]
    threshold = 0.99 if quantity == "activation_ratio" else 1.0
    own: dict[str, Any] = {"policy": policy, "quantity": quantity}
    evens = [dict(zip(("course", "average_degree", "open"), even, strict=True))] if even else []
    return made(
        kinds.Trends,
        bands=[made(kinds.Band, **own, points=points)],
        break_evens=[made(kinds.BreakEven, **own, threshold=threshold, **fields) for fields in evens],
    )


def flatness(bytes_per_edge: float = 1800.0) -> kinds.Flatness:
    """Growth of GATv2's peak with the edges, without checkpointing."""
    return made(kinds.Flatness, bytes_per_edge=bytes_per_edge)


def left_out(**fields: Any) -> kinds.LeftOut:
    """A time ratio of GCN below 1 that leaving out any graph does not change."""
    own = {"statement": "densest_time_ratio", "whole": about(0.9, 0.02), "lowest": 0.89, "highest": 0.91}
    return made(kinds.LeftOut, **{"convolution": "GCN", **own, **fields})


def tried(**changes: Any) -> kinds.Robustness:
    """One robustness trial of each kind; the given lists replace the default ones."""
    gcn = {"convolution": "GCN"}
    time: dict[str, Any] = {**gcn, "response": "step_time_seconds"}
    moved = {"graph": "sbm-n2000-d128-r0", "shift_per_edge": -0.041, "cooks_distance": 0.83}
    trials: dict[str, Any] = {
        "families": [made(kinds.FamilyFactor, **gcn, largest_shift=1.043, p_value=0.0004)],
        "replicates": [made(kinds.ReplicateSpread, response="step_time_seconds", median=0.012, worst=0.11)],
        "drift": [made(kinds.RunDrift, **time, policy="none", change=about(-0.021, 0.013), p_value=0.003)],
        "influence": [made(kinds.Influence, **time, **moved)],
        "left_out": [left_out()],
        "stopping": [made(kinds.StoppingRule)],
        "not_tried": ["The family as a factor is not tried: all generated graphs are of one family, sbm."],
    }
    return made(kinds.Robustness, **{**trials, **changes})
