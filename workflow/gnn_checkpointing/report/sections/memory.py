"""Memory over density."""

from __future__ import annotations

from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Block, Paragraph, Section
from gnn_checkpointing.report.sections.bands import break_even_table
from gnn_checkpointing.report.sections.density import MEMORY, level_figure, level_table
from gnn_checkpointing.report.sections.ratios import ratio_figure, ratio_table
from gnn_checkpointing.report.texts import texts

_text = texts("memory")


def memory_section(inputs: ReportInputs) -> Section:
    """Return the section on memory over density."""
    blocks: list[Block] = [Paragraph(_text("activation-memory-is-the-peak"))]
    if inputs.generated:
        blocks += [level_figure(inputs, MEMORY), level_table(inputs, MEMORY)]
    if inputs.effects.generated:
        if inputs.many_policies and inputs.has_frontier:
            blocks.append(Paragraph(_text("how-much-of-none-s")))
        else:
            blocks += [
                ratio_figure(inputs, MEMORY),
                ratio_table(inputs, MEMORY, lambda effect: effect.activation_ratio, "Activation memory"),
            ]
        blocks += break_even_table(inputs, "activation_ratio")
        blocks.append(
            ratio_table(inputs, MEMORY, lambda effect: effect.memory_ratio, "Peak memory, resident included,")
        )
    if not inputs.generated:
        blocks.append(Paragraph(_text("this-study-has-no-graphs")))
    return Section("memory", "Memory against density", tuple(blocks))
