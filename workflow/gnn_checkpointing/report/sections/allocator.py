"""The allocator's part in the time of a step, told apart from checkpointing's."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gnn_checkpointing.analysis.results import AllocatorEffect
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.sections.density import degree_columns, estimate_cell
from gnn_checkpointing.report.sections.frontier_points import turned
from gnn_checkpointing.report.texts import texts

_text = texts("allocator")


def allocator_section(inputs: ReportInputs) -> Section | None:
    """Return the section on allocators, None where one alone was measured."""
    if not inputs.frontier.allocators:
        return None
    blocks: list[Block] = [Paragraph(_text("everything-above-about-time-was", reference=inputs.reference))]
    for allocator in dict.fromkeys(effect.allocator for effect in inputs.frontier.allocators):
        effects = _ordered(inputs, allocator)
        blocks += [
            Paragraph(_example(effects)),
            _parts_table(inputs, allocator, effects),
            _ratio_table(inputs, allocator),
        ]
    return Section("allocator", "The allocator's part", tuple(blocks))


def _ordered(inputs: ReportInputs, allocator: str) -> list[AllocatorEffect]:
    """Return one allocator's comparisons in the study's order."""
    convolutions = {name: place for place, name in enumerate(inputs.convolutions)}
    policies = {name: place for place, name in enumerate(inputs.policies)}
    chosen = [effect for effect in inputs.frontier.allocators if effect.allocator == allocator]
    return sorted(chosen, key=lambda e: (convolutions.get(e.convolution, 0), policies.get(e.policy, 0), float(e.level)))


def _example(effects: Sequence[AllocatorEffect]) -> str:
    """Return the comparison that the allocator moves furthest at the densest level, taken apart in words."""
    densest = max(float(effect.level) for effect in effects)
    others = [e for e in effects if float(e.level) == densest and e.policy != "none"]
    if not others:
        return f"Under allocator {effects[0].allocator}, no policy but none was timed."
    moved = max(others, key=lambda e: abs(math.log(e.observed.estimate / e.checkpointing.estimate)))
    return _text(
        "the-pair-that-allocator-moves",
        allocator=moved.allocator,
        level=moved.level,
        policy=moved.policy,
        convolution=moved.convolution,
        reference=moved.reference,
        checkpointing=moved.checkpointing,
        on_policy=moved.on_policy,
        on_none=moved.on_none,
        observed=moved.observed,
    )


def _parts_table(inputs: ReportInputs, allocator: str, effects: Sequence[AllocatorEffect]) -> Table:
    levels = sorted({effect.level for effect in effects}, key=float)
    shown = {levels[0], levels[-1]}
    return Table(
        id=f"table-allocator-parts-{allocator}",
        caption=_text("step-time-under-and-under", reference=inputs.reference, allocator=allocator, effects=EFFECTS),
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Degree", "", "number"),
            Column("Checkpointing", f"/ none, {inputs.reference}", "number"),
            Column("Seen", f"/ none, {allocator}", "number"),
            Column("Allocator", f"{allocator} / {inputs.reference}", "number"),
            Column("Page faults", "per step", "number"),
            Column("System time", "of the step", "number"),
        ),
        rows=tuple(_parts_row(inputs, effect) for effect in effects if effect.level in shown),
        source=EFFECTS,
    )


def _parts_row(inputs: ReportInputs, effect: AllocatorEffect) -> tuple[str, ...]:
    is_none = effect.policy == "none"
    return (
        effect.convolution,
        inputs.named(effect.policy),
        effect.level,
        units.NOTHING if is_none else estimate_cell(effect.checkpointing),
        units.NOTHING if is_none else estimate_cell(effect.observed),
        units.ratio(effect.on_policy),
        f"{units.count(effect.reference_page_faults)} / {units.count(effect.page_faults)}",
        f"{units.percent(effect.reference_system_share)} / {units.percent(effect.system_share)}",
    )


def _ratio_table(inputs: ReportInputs, allocator: str) -> Table:
    """Return the frontier's table of time ratios once more, as another allocator shows it."""
    order = {name: place for place, name in enumerate(inputs.policies)}
    points = sorted(
        (point for point in inputs.frontier.points if point.allocator == allocator and point.time_ratio),
        key=lambda p: (inputs.convolutions.index(p.convolution), order.get(p.policy, 0), float(p.level)),
    )
    levels = sorted({point.level for point in points}, key=float)
    return Table(
        id=f"table-allocator-ratio-{allocator}",
        caption=_text("step-time-of-each-policy", allocator=allocator, confidence=inputs.effects.confidence),
        columns=(Column("Convolution"), Column("Policy"), *degree_columns(levels)),
        rows=turned(inputs, lambda point: estimate_cell(point.time_ratio), points, levels),
        source=EFFECTS,
    )
