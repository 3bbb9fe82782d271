"""What was tried against the answer: single graphs, families, draws, the hour, and the rule that ends timing."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import FamilyFactor, ReplicateSpread
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ROBUSTNESS, ReportInputs
from gnn_checkpointing.report.page import Block, Section
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.families import NAMES
from gnn_checkpointing.report.sections.law_words import RESPONSES
from gnn_checkpointing.report.sections.reasons import reasons
from gnn_checkpointing.report.sections.single_graphs import influence_blocks, left_out_blocks
from gnn_checkpointing.report.sections.timing import drift_blocks, stopping_blocks
from gnn_checkpointing.report.sections.worst import worst
from gnn_checkpointing.report.texts import texts

_text = texts("robustness")


def robustness_section(inputs: ReportInputs) -> Section | None:
    """Return the section on what was tried against the answer, None where nothing was to be tried."""
    found = inputs.robustness
    blocks = [
        *left_out_blocks(inputs, found.left_out),
        *influence_blocks(found.influence),
        *_families(inputs, found.families),
        *_replicates(found.replicates),
        *drift_blocks(inputs, found.drift),
        *stopping_blocks(inputs, found.stopping),
    ]
    if found.not_tried:
        blocks.append(reasons("table-not-tried", "What was not tried, and why.", found.not_tried, ROBUSTNESS))
    return Section("robustness", "What was tried against the answer", tuple(blocks)) if blocks else None


def _families(inputs: ReportInputs, items: Sequence[FamilyFactor]) -> list[Block]:
    if not items:
        return []
    listed, more = worst(items, lambda item: abs(item.largest_shift - 1), ROBUSTNESS)
    families = ", ".join(NAMES.get(family, family) for family in items[0].families)
    return [
        table(
            "table-family-factor",
            _text("table-family-factor", families=families, more=more),
            ROBUSTNESS,
            listed,
            Of(
                "Quantity",
                lambda item: "Memory" if item.quantity == "activation_ratio" else "Time",
            ),
            Of("Convolution", "convolution"),
            Of("Policy", "policy", inputs.named, content="text"),
            Of(
                "Furthest family",
                lambda item: NAMES.get(item.furthest_family, item.furthest_family) or "none",
            ),
            Of("Off by", lambda item: units.percent(item.largest_shift - 1), content="number"),
            Of("p", lambda item: _p_value(item.p_value), content="number"),
        )
    ]


def _p_value(value: float | None) -> str:
    return units.NOTHING if value is None else units.probability(value)


def _replicates(items: Sequence[ReplicateSpread]) -> list[Block]:
    if not items:
        return []
    return [
        table(
            "table-replicates",
            _text("table-replicates"),
            ROBUSTNESS,
            items,
            Of("Response", lambda item: RESPONSES[item.response]),
            Of("Places", "places", units.count),
            Of("Median", "median", units.percent),
            Of("Worst", "worst", units.percent),
            Of("Worst at", "worst_at", content="prose"),
        )
    ]
