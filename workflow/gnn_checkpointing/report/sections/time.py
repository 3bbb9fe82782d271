"""Step time over density."""

from __future__ import annotations

from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Block, Note, Paragraph, Section
from gnn_checkpointing.report.sections.bands import break_even_table
from gnn_checkpointing.report.sections.density import THROUGHPUT, TIME, graded, level_figure, level_table
from gnn_checkpointing.report.sections.ratios import ratio_figure, ratio_table


def time_section(inputs: ReportInputs) -> Section:
    """Return the section on step time over density."""
    blocks: list[Block] = [
        Paragraph(
            "A step is forward, loss and backward on one batch, the whole graph; the optimiser is not part of it. "
            "Checkpointing computes parts of the forward pass twice, so a ratio above 1 is its price."
        )
    ]
    quality, target = inputs.quality, inputs.study.measurement.ratio_half_width
    if quality.worst_half_width and quality.within_target < 1:
        blocks.append(
            Note(
                f"{units.percent(1 - quality.within_target)} of the time ratios have an interval wider than the target "
                f"of ±{units.percent(target)}; the median half-width is {units.percent(quality.median_half_width)}, "
                f"the widest {units.percent(quality.worst_half_width)}. Differences smaller than that are noise."
            )
        )
    if len(inputs.study.measurement.allocators) > 1:
        blocks.append(Paragraph(f"All times here were taken under allocator {inputs.reference}."))
    if graded(inputs, TIME):
        blocks += [level_figure(inputs, TIME), level_table(inputs, TIME), level_figure(inputs, THROUGHPUT)]
    elif inputs.generated:
        blocks.append(Paragraph("No graph of graded density was timed: this study counts bytes and compares results."))
    if any(effect.time_ratio for effect in inputs.effects.generated):
        if inputs.many_policies and inputs.has_frontier:
            blocks.append(Paragraph("How long each policy takes beside none is shown on the frontier."))
        else:
            blocks += [
                ratio_figure(inputs, TIME),
                ratio_table(inputs, TIME, lambda effect: effect.time_ratio, "Step time"),
            ]
    blocks += break_even_table(inputs, "time_ratio")
    if not inputs.generated:
        blocks.append(Paragraph("This study has no graphs graded by density; see the real graphs below."))
    return Section("time", "Time against density", tuple(blocks))
