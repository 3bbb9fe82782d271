"""The allocator's part in the time of a step, separated from checkpointing's."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gnn_checkpointing.analysis.results import AllocatorEffect, Estimate
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.frontier import points_under, times_table
from gnn_checkpointing.report.sections.parts import CONVOLUTION, Part, blocks, in_order, of_policy
from gnn_checkpointing.report.texts import texts

_text = texts("allocator")


def allocator_section(inputs: ReportInputs) -> Section | None:
    """Every allocator beside the reference, None where one alone was measured."""
    found = inputs.frontier.allocators
    if not found:
        return None
    parts: list[Part] = [_text("everything-above-about-time-was", reference=inputs.reference)]
    for allocator in dict.fromkeys(effect.allocator for effect in found):
        own = sorted((e for e in found if e.allocator == allocator), key=lambda e: float(e.level))
        effects = in_order(own, inputs.convolutions, inputs.policies)
        timed = [point for point in points_under(inputs, allocator) if point.time_ratio]
        caption = _text("table-ratios", allocator=allocator, confidence=inputs.effects.confidence)
        parts += [
            _example(effects),
            _parts_table(inputs, allocator, effects),
            times_table(inputs, f"table-allocator-ratio-{allocator}", caption, timed),
        ]
    return Section("allocator", "The allocator's part", blocks(*parts))


def _example(effects: Sequence[AllocatorEffect]) -> str:
    """The comparison that the allocator moves furthest at the densest level, taken apart in words."""
    densest = max(float(effect.level) for effect in effects)
    others = [e for e in effects if float(e.level) == densest and e.policy != "none"]
    if not others:
        return _text("nothing-timed", allocator=effects[0].allocator)
    moved = max(others, key=lambda e: abs(math.log(e.observed.estimate / e.checkpointing.estimate)))
    return _text("the-pair-that-allocator-moves", moved=moved)


def _parts_table(inputs: ReportInputs, allocator: str, effects: Sequence[AllocatorEffect]) -> Table:
    levels, reference = sorted({effect.level for effect in effects}, key=float), inputs.reference

    def beside(effect: AllocatorEffect, ratio: Estimate) -> Estimate | None:
        return None if effect.policy == "none" else ratio

    return table(
        f"table-allocator-parts-{allocator}",
        _text("table-parts", reference=reference, allocator=allocator, effects=EFFECTS),
        EFFECTS,
        [effect for effect in effects if effect.level in (levels[0], levels[-1])],
        CONVOLUTION,
        of_policy(inputs),
        Of("Degree", "level", content="number"),
        Of("Checkpointing", lambda e: beside(e, e.checkpointing), units.ratio_estimate, f"/ none, {reference}"),
        Of("Seen", lambda e: beside(e, e.observed), units.ratio_estimate, f"/ none, {allocator}"),
        Of("Allocator", "on_policy", units.ratio, f"{allocator} / {reference}"),
        Of(
            "Page faults",
            lambda e: f"{units.count(e.reference_page_faults)} / {units.count(e.page_faults)}",
            unit="per step",
            content="number",
        ),
        Of(
            "System time",
            lambda e: f"{units.percent(e.reference_system_share)} / {units.percent(e.system_share)}",
            unit="of the step",
            content="number",
        ),
    )
