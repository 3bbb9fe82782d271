"""The frontier of memory and time, the densities at which each policy pays, and the allocator's effect on time."""

import math
from collections.abc import Sequence
from typing import Any

from gnn_checkpointing.analysis.results import SPARSE_DEGREE, AllocatorEffect, Effect, Estimate, Payoff
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.figures.frontier import frontier_panel, key_panel
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Figure, Table
from gnn_checkpointing.report.sections.parts import in_order, over_levels, pair_of, points, spans
from gnn_checkpointing.sourced import sourced

_text = Texts("frontier")

WORTH = Facts.worth
"""The share of memory that the answer asks a policy to save."""

SPARSE = sourced(SPARSE_DEGREE, "gnn_checkpointing/analysis/results/frontier.py#/SPARSE_DEGREE")


def payoffs(inputs: ReportInputs) -> list[tuple[Payoff, str, str, str, str]]:
    """Each policy with the levels at which it saves memory, costs time, saves time, and is Pareto-optimal."""
    unbeaten = {(best.convolution, policy, best.level) for best in inputs.effects.pareto for policy in best.policies}
    return [
        (
            one,
            spans(one.saves_at, one.levels),
            spans(one.slower_at, one.timed_levels),
            spans(one.faster_at, one.timed_levels),
            spans([level for level in one.timed_levels if (*pair_of(one), level) in unbeaten], one.timed_levels),
        )
        for one in in_order(inputs, inputs.effects.payoffs)
    ]


def points_under(inputs: ReportInputs, allocator: str) -> list[Effect]:
    """The points under an allocator, in the study's order of convolutions and policies, sparse before dense."""
    own = (point for point in inputs.effects.points if point.allocator == allocator)
    return in_order(inputs, own, "convolution", "policy", "level")


def _levels(points: Sequence[Effect]) -> list[str]:
    return sorted({point.level for point in points}, key=float)


def _paths(inputs: ReportInputs, convolution: str) -> list[Line]:
    """Each policy's points that have both ratios. Policy none is not among them: it is where the dashed lines cross."""
    found = [
        (point.policy, Point.of(memory.estimate, time, point.level))
        for point in points_under(inputs, inputs.reference)
        if point.convolution == convolution and point.policy != "none"
        if (memory := point.activation_ratio) is not None and (time := point.time_ratio) is not None
    ]
    return [Line(name, tuple(point for _, point in own)) for name, own in grouped(found, lambda one: one[0]).items()]


def frontier_figure(inputs: ReportInputs, convolutions: Sequence[str], name: str = "frontier") -> Figure | None:
    """The frontier of some convolutions, a panel each; None if no effect of theirs has both ratios."""
    paths = {convolution: own for convolution in convolutions if (own := _paths(inputs, convolution))}
    if not paths:
        return None
    timed = {point.cell for point in points(_paths(inputs, convolution) for convolution in inputs.convolutions)}
    levels = [level for level in _levels(inputs.effects.points) if level in timed]
    own_looks, others = looks(inputs.policies), inputs.quality.other_models
    drawn = {path.policy for each in paths.values() for path in each}
    shapes = {policy: own_looks[policy] for policy in inputs.compared if policy in drawn}
    panels = [key_panel(shapes, levels, others, _text("key", levels=levels))]
    best = {(one.convolution, one.level): one.policies for one in inputs.effects.pareto}
    for convolution, each in paths.items():
        front = best.get((convolution, levels[-1]), [])
        told = _text("alternative", convolution=convolution, paths=each, estimate=units.estimate_of)
        panels.append(frontier_panel(each, levels, own_looks, front, inputs.few, others, convolution, told))
    known = {"inputs": inputs, "several": len(paths) > 1}
    return _text.figure(f"figure-{name}", EFFECTS, panels, "figure-frontier", size="wide", **known)


def ratios(inputs: ReportInputs, points: Sequence[Effect], ratio: str, id: str = "", **values: Any) -> Table:
    """Table of each policy's ratio to none at each level; for times, only at timed levels."""
    time = ratio == "time_ratio"
    cells = {(*pair_of(p), p.level): getattr(p, ratio) for p in points if p.policy != "none"}
    if not time:
        cells = {place: found and found.estimate for place, found in cells.items()}
    levels = _levels([point for point in points if point.time_ratio] if time else inputs.effects.points)
    id, words = id or f"table-frontier-{'time' if time else 'memory'}", units.ratio_estimate if time else units.ratio
    return over_levels(_text, inputs, id, EFFECTS, cells, levels, words, **values)


def other_allocators(inputs: ReportInputs) -> dict[str, list[AllocatorEffect]]:
    """The effects of every allocator other than the reference."""
    found = grouped(inputs.effects.allocators, lambda effect: effect.allocator)
    return {name: in_order(inputs, own, "convolution", "policy", "level") for name, own in found.items()}


def moved_most(effects: Sequence[AllocatorEffect]) -> AllocatorEffect | None:
    """The comparison that the allocator changes most at the densest level; None if no policy was timed there."""
    densest = max(float(effect.level) for effect in effects)
    others = [e for e in effects if float(e.level) == densest and e.policy != "none"]
    return max(others, key=lambda e: abs(math.log(e.observed.estimate / e.checkpointing.estimate)), default=None)


def outermost(effects: Sequence[AllocatorEffect]) -> list[AllocatorEffect]:
    """The effects at the sparsest and the densest level."""
    levels = sorted({effect.level for effect in effects}, key=float)
    return [effect for effect in effects if effect.level in (levels[0], levels[-1])]


def beside(effect: AllocatorEffect) -> Estimate | None:
    """A policy's ratio to none under the reference allocator; None for none itself."""
    return None if effect.policy == "none" else effect.checkpointing


def seen(effect: AllocatorEffect) -> Estimate | None:
    """A policy's ratio to none under the other allocator; None for none itself."""
    return None if effect.policy == "none" else effect.observed
