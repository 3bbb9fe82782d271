"""Read-only selections of the table of effects, each for one question: families, batches, depths, ego networks ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from gnn_checkpointing.analysis.results.effects import (
    BatchEffect,
    DepthPoint,
    Effect,
    Effects,
    EgoPoint,
    FamilyEffect,
    FrontierPoint,
    GradedEffect,
)
from gnn_checkpointing.analysis.results.frontier import AllocatorEffect, BestSegments, Flatness, ParetoSet, Payoff
from gnn_checkpointing.analysis.results.systems import StudyModel
from gnn_checkpointing.records.encodings import EncodingCost


@dataclass(frozen=True)
class Frontier:
    """Memory against time of every policy on graphs of `num_nodes` nodes, and what is read off it.

    `points` has every allocator; all else but `allocators` is of the reference alone.
    """

    reference: str
    num_nodes: int | None
    points: list[FrontierPoint]
    best_segments: list[BestSegments]
    payoffs: list[Payoff]
    pareto: list[ParetoSet]
    flatness: list[Flatness]
    allocators: list[AllocatorEffect]


@dataclass(frozen=True)
class Variants:
    """Effects where more than the density differs: the family of graphs, a real graph's edges, the batch."""

    reference_family: str | None
    families: list[FamilyEffect]
    graded: list[GradedEffect]
    batches: list[BatchEffect]


@dataclass(frozen=True)
class Depths:
    """The models of a study, and what each policy needs as they get deeper; no points where there is one depth."""

    confidence: float
    models: list[StudyModel]
    points: list[DepthPoint]


@dataclass(frozen=True)
class Ego:
    """Graphs as they are and with their ego networks, and what the encodings cost; empty without them."""

    points: list[EgoPoint] = field(default_factory=list)
    costs: list[EncodingCost] = field(default_factory=list)


def frontier(effects: Effects) -> Frontier:
    """The frontier of the headline size."""
    points = [row for row in effects.rows if row.kind == "generated" and row.headline]
    return Frontier(
        reference=effects.reference_allocator,
        num_nodes=max((row.num_nodes for row in points), default=None),
        points=points,
        best_segments=effects.best_segments,
        payoffs=effects.payoffs,
        pareto=effects.pareto,
        flatness=effects.flatness,
        allocators=effects.allocators,
    )


def variants(effects: Effects) -> Variants:
    """Families, graded graphs and batches; a graph that others were made from is among them."""
    rows = [row for row in _reference(effects) if row.activation_ratio is not None and not row.other_model]
    compared = [row for row in rows if row.policy != row.against]
    return Variants(
        reference_family=effects.reference_family,
        families=cast("list[FamilyEffect]", [row for row in compared if row.activation_over_reference is not None]),
        graded=cast("list[GradedEffect]", _with_bases(compared, "graded")),
        batches=cast("list[BatchEffect]", _with_bases(rows, "batch")),
    )


def depths(effects: Effects) -> Depths:
    """Every model, and the rows of stacks that were measured at several depths."""
    rows = [row for row in _reference(effects) if row.kind == "generated"]
    layers: dict[str, set[int]] = {}
    for row in rows:
        layers.setdefault(row.stack, set()).add(row.num_layers)
    return Depths(
        confidence=effects.confidence,
        models=effects.models,
        points=[row for row in rows if len(layers[row.stack]) > 1],
    )


def ego(effects: Effects) -> Ego:
    """Inputs with ego networks, and the graphs that they are from."""
    rows = [row for row in _reference(effects) if not row.other_model]
    return Ego(points=_with_bases(rows, "ego"), costs=effects.encodings)


def _reference(effects: Effects) -> list[Effect]:
    return [row for row in effects.rows if row.allocator == effects.reference_allocator]


def _with_bases(rows: Sequence[Effect], kind: str) -> list[Effect]:
    """The rows of one kind, and those of the graphs that they were made from."""
    bases = {(row.origin, row.base_degree) for row in rows if row.kind == kind}
    return [
        row
        for row in rows
        if row.kind == kind or (row.kind in ("generated", "real") and (row.origin, row.base_degree) in bases)
    ]
