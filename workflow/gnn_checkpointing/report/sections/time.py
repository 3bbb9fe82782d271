"""Step time over density."""

from __future__ import annotations

from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Block, Note, Paragraph, Section
from gnn_checkpointing.report.sections.bands import break_even_table
from gnn_checkpointing.report.sections.density import THROUGHPUT, TIME, graded, level_figure, level_table
from gnn_checkpointing.report.sections.ratios import ratio_figure, ratio_table
from gnn_checkpointing.report.texts import texts

_text = texts("time")


def time_section(inputs: ReportInputs) -> Section:
    """Return the section on step time over density."""
    blocks: list[Block] = [Paragraph(_text("a-step-is-forward-loss"))]
    quality, target = inputs.quality, inputs.study.measurement.ratio_half_width
    if quality.worst_half_width and quality.within_target < 1:
        blocks.append(
            Note(
                _text(
                    "of-the-time-ratios-have",
                    within_target=1 - quality.within_target,
                    target=target,
                    median_half_width=quality.median_half_width,
                    worst_half_width=quality.worst_half_width,
                )
            )
        )
    if len(inputs.study.measurement.allocators) > 1:
        blocks.append(Paragraph(f"All times here were taken under allocator {inputs.reference}."))
    if graded(inputs, TIME):
        blocks += [level_figure(inputs, TIME), level_table(inputs, TIME), level_figure(inputs, THROUGHPUT)]
    elif inputs.generated:
        blocks.append(Paragraph(_text("no-graph-of-graded-density")))
    if any(effect.time_ratio for effect in inputs.effects.generated):
        if inputs.many_policies and inputs.has_frontier:
            blocks.append(Paragraph(_text("how-long-each-policy-takes")))
        else:
            blocks += [
                ratio_figure(inputs, TIME),
                ratio_table(inputs, TIME, lambda effect: effect.time_ratio, "Step time"),
            ]
    blocks += break_even_table(inputs, "time_ratio")
    if not inputs.generated:
        blocks.append(Paragraph(_text("this-study-has-no-graphs")))
    return Section("time", "Time against density", tuple(blocks))
