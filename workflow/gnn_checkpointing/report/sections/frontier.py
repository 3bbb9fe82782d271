"""The frontier of memory and time, the densities at which each policy pays, and the allocator's part in time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from gnn_checkpointing.analysis.results import SAVES_BELOW, SPARSE_DEGREE, AllocatorEffect, Estimate, FrontierPoint
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure, Panel
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.frontier import Path, Place, drawn_paths, frontier_panel, key_panel
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Section, Table
from gnn_checkpointing.report.sections.parts import blocks, by_pair, grouped, in_order, over_levels, pair_of, spans
from gnn_checkpointing.report.texts import Texts
from gnn_checkpointing.sourced import sourced

_text, _allocator = Texts("frontier"), Texts("allocator")

SAVES = units.share(1 - sourced(SAVES_BELOW, "gnn_checkpointing/analysis/results/frontier.py#/SAVES_BELOW"))
"""A policy saves memory where it saves more than this."""

_SPARSE = sourced(SPARSE_DEGREE, "gnn_checkpointing/analysis/results/frontier.py#/SPARSE_DEGREE")


def frontier_section(inputs: ReportInputs) -> Section | None:
    """The frontier in a figure and in tables, None where too few policies were measured for one."""
    if not inputs.has_frontier:
        return None
    found, points = inputs.frontier, _points(inputs, inputs.reference)
    pairs = by_pair(points)
    memory = {
        (*pair_of(p), p.level): p.activation_ratio and p.activation_ratio.estimate for p in points if p.policy != "none"
    }
    payoffs, flatness = by_pair(found.payoffs), by_pair(found.flatness)
    best = sorted(found.best_segments, key=lambda one: (inputs.convolutions.index(one.convolution), float(one.level)))
    unbeaten: dict[tuple[str, str], list[str]] = {}
    for one in found.pareto:
        for policy in one.policies:
            unbeaten.setdefault((one.convolution, policy), []).append(one.level)

    def table(name: str, items: Sequence[object], **values: Any) -> Table:
        return _text.table(inputs, name, EFFECTS, items, **values)

    tables = [
        over_levels(_text, inputs, "table-frontier-memory", EFFECTS, memory, _levels(found.points), units.ratio),
        _times_table(_text, inputs, "table-frontier-time", points),
        table(
            "table-frontier-bytes",
            list(pairs.values()),
            per_edge=lambda p: p.policy_resident_bytes / p.num_edges if p.num_edges else 0.0,
        ),
        table(
            "table-payoff",
            [payoffs[pair] for pair in pairs if pair in payoffs],
            saves=SAVES,
            saving=lambda one: spans(one.saves_at, one.levels),
            slower=lambda one: spans(one.slower_at, one.timed_levels),
            faster=lambda one: spans(one.faster_at, one.timed_levels),
            unbeaten=lambda one: spans(unbeaten.get(pair_of(one), []), one.timed_levels),
        ),
        table("table-segments", best, tried=lambda one: ", ".join(one.tried)),
        table(
            "table-flatness",
            [flatness[pair] for pair in pairs if pair in flatness],
            sparsest=_SPARSE,
            degrees=lambda flat: f"{flat.densest} / {flat.sparse}",
        ),
    ]
    opening = _text("every-policy-on-graphs-of", inputs=inputs)
    figure, missing = frontier_figure(inputs, inputs.convolutions), _text("missing", quality=inputs.quality)
    return Section("frontier", "Frontier of memory and time", blocks(opening, figure, tables, missing))


def _points(inputs: ReportInputs, allocator: str) -> list[FrontierPoint]:
    """The points under an allocator, in the study's order of convolutions and policies, sparse before dense."""
    own = (point for point in inputs.frontier.points if point.allocator == allocator)
    return in_order(own, inputs, lambda point: float(point.level))


def _levels(points: Sequence[FrontierPoint]) -> list[str]:
    return sorted({point.level for point in points}, key=float)


def _paths(inputs: ReportInputs, convolution: str) -> list[Path]:
    """Each policy's places that have both ratios; none itself is where the dashed lines cross."""
    found = [
        (point.policy, Place(point.level, point.activation_ratio.estimate, time.estimate, time.low, time.high))
        for point in _points(inputs, inputs.reference)
        if point.convolution == convolution and point.policy != "none" and point.activation_ratio
        if (time := point.time_ratio) is not None
    ]
    others = inputs.quality.other_models
    return [
        Path(policy, f"{policy}*" if policy in others else policy, tuple(p for _, p in own), hollow=policy in others)
        for policy, own in grouped(found, lambda one: one[0]).items()
    ]


def frontier_figure(inputs: ReportInputs, convolutions: Sequence[str], name: str = "frontier") -> Figure | None:
    """The frontier of some convolutions, all on the same axes; None where nothing has both ratios."""
    paths = {convolution: _paths(inputs, convolution) for convolution in inputs.convolutions}
    places = [place for each in paths.values() for path in each for place in path.places]
    if not places:
        return None
    levels = [level for level in _levels(inputs.frontier.points) if any(place.level == level for place in places)]
    x = scales.log_ratio_scale([place.memory for place in places], "activation memory / none's")
    y = scales.log_ratio_scale([end for place in places for end in (place.low, place.high)], "step time / none's")
    shown = {convolution: paths[convolution] for convolution in convolutions if paths[convolution]}
    policies = [p for p in inputs.compared if any(path.policy == p for each in shown.values() for path in each)]
    key = f"{name}-key"
    panels = [Panel(key, "Key", _text("key", levels=levels), key_panel(key, policies, levels), role="key")]
    best = {(one.convolution, one.level): one.policies for one in inputs.frontier.pareto}
    for position, (convolution, each) in enumerate(shown.items()):
        id, front = f"{name}-{position}", best.get((convolution, levels[-1]), [])
        svg = frontier_panel(id, each, levels, x, y, front, convolution)
        told = _text("alternative", convolution=convolution, paths=each, estimate=units.estimate_of)
        panels.append(Panel(id, convolution, told, svg, drawn_paths(each, x, y), convolution))
    words = _text("figure-frontier"), _text("figure-frontier-how-to-read", inputs=inputs)
    return Figure(f"figure-{name}", *words, tuple(panels), EFFECTS, size="wide")


def _times_table(text: Texts, inputs: ReportInputs, id: str, points: Sequence[FrontierPoint], **values: str) -> Table:
    """Each policy's time ratio at the levels at which anything was timed."""
    cells = {(*pair_of(p), p.level): p.time_ratio for p in points if p.policy != "none"}
    levels = _levels([point for point in points if point.time_ratio])
    return over_levels(text, inputs, id, EFFECTS, cells, levels, units.ratio_estimate, **values)


def allocator_section(inputs: ReportInputs) -> Section | None:
    """Every allocator beside the reference, None where one alone was measured."""
    found, reference = inputs.frontier.allocators, inputs.reference
    if not found:
        return None
    parts: list[str | Table] = [_allocator("everything-above-about-time-was", reference=reference)]

    def beside_none(field: str) -> Callable[[AllocatorEffect], Estimate | None]:
        return lambda effect: None if effect.policy == "none" else getattr(effect, field)

    for allocator, own in grouped(found, lambda effect: effect.allocator).items():
        effects, levels = in_order(own, inputs, lambda e: float(e.level)), {effect.level for effect in own}
        timed = [point for point in _points(inputs, allocator) if point.time_ratio]
        parts += [
            _example(effects),
            _allocator.table(
                inputs,
                f"table-allocator-parts-{allocator}",
                EFFECTS,
                [e for e in effects if e.level in (min(levels, key=float), max(levels, key=float))],
                reference=reference,
                allocator=allocator,
                effects=EFFECTS,
                beside=beside_none("checkpointing"),
                seen=beside_none("observed"),
                faults=lambda e: f"{units.count(e.reference_page_faults)} / {units.count(e.page_faults)}",
                system=lambda e: f"{units.percent(e.reference_system_share)} / {units.percent(e.system_share)}",
            ),
            _times_table(_allocator, inputs, f"table-allocator-ratio-{allocator}", timed, allocator=allocator),
        ]
    return Section("allocator", "The allocator's part", blocks(*parts))


def _example(effects: Sequence[AllocatorEffect]) -> str:
    """The comparison that the allocator moves furthest at the densest level, taken apart in words."""
    densest = max(float(effect.level) for effect in effects)
    others = [e for e in effects if float(e.level) == densest and e.policy != "none"]
    if not others:
        return _allocator("nothing-timed", allocator=effects[0].allocator)
    moved = max(others, key=lambda e: abs(math.log(e.observed.estimate / e.checkpointing.estimate)))
    return _allocator("the-pair-that-allocator-moves", moved=moved)
