"""Memory over density."""

from __future__ import annotations

from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Block, Paragraph, Section
from gnn_checkpointing.report.sections.bands import break_even_table
from gnn_checkpointing.report.sections.density import MEMORY, level_figure, level_table
from gnn_checkpointing.report.sections.ratios import ratio_figure, ratio_table


def memory_section(inputs: ReportInputs) -> Section:
    """Return the section on memory over density."""
    blocks: list[Block] = [
        Paragraph(
            "Activation memory is the peak of one training step minus what was live before it: what the forward pass "
            "stores for the backward pass, and the workspace on top. Checkpointing can lower only this part."
        )
    ]
    if inputs.generated:
        blocks += [level_figure(inputs, MEMORY), level_table(inputs, MEMORY)]
    if inputs.effects.generated:
        if inputs.many_policies and inputs.has_frontier:
            blocks.append(Paragraph("How much of none's activation memory each policy keeps is shown on the frontier."))
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
        blocks.append(Paragraph("This study has no graphs graded by density; see the real graphs below."))
    return Section("memory", "Memory against density", tuple(blocks))
