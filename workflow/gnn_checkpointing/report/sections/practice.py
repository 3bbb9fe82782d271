"""Does the answer hold for stacks with what people add?"""

from __future__ import annotations

from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Paragraph, Section
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.claims import verdict_table
from gnn_checkpointing.report.sections.density import estimate_cell
from gnn_checkpointing.report.texts import texts

_text = texts("practice")

CLAIMS = tuple(f"{policy}-{name}-in-practice" for policy in ("layers", "edge-blocks") for name in ("saves", "costs"))


def practice_section(inputs: ReportInputs) -> Section | None:
    """The section on stacks in practice, None where the study has none."""
    asked, found = inputs.study.practice, inputs.effects.practice
    if asked is None or not found:
        return None
    shown = table(
        "table-practice",
        _text("table-practice", confidence=inputs.effects.confidence),
        EFFECTS,
        found,
        Of("Convolution", "convolution"),
        Of("Policy", "policy", inputs.named, content="text"),
        Of("Nodes", "num_nodes", units.count),
        Of("Average degree", "level", content="number"),
        Of("Activations, bare", lambda row: estimate_cell(row.bare_activation_ratio), unit="/ none", content="number"),
        Of("In practice", lambda row: estimate_cell(row.activation_ratio), unit="/ none", content="number"),
        Of("Time, bare", lambda row: estimate_cell(row.bare_time_ratio), unit="/ none", content="number"),
        Of("In practice", lambda row: estimate_cell(row.time_ratio), unit="/ none", content="number"),
        Of("None, in practice", "none_activation_bytes", units.ratio, unit="/ bare"),
    )
    added = _text(
        "what-people-add",
        norm=asked.norm,
        dropout=asked.dropout,
        residual="residual connections" if asked.residual else "no residual connections",
        self_loops="self-loops" if asked.self_loops else "no self-loops",
        attention_dropout=asked.attention_dropout,
    )
    verdicts = verdict_table(inputs, "table-practice-verdicts", _text("table-practice-verdicts"), CLAIMS)
    return Section("practice", "In practice", (Paragraph(added), shown, *verdicts))
