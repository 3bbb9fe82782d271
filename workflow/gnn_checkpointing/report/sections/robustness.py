"""What was tried against the answer: single graphs, families, draws, the hour, and the rule that ends timing."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import FamilyFactor, ReplicateSpread
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ROBUSTNESS, ReportInputs
from gnn_checkpointing.report.page import Block, Cell, Column, Section, Table
from gnn_checkpointing.report.sections.families import NAMES
from gnn_checkpointing.report.sections.law_words import RESPONSES
from gnn_checkpointing.report.sections.reasons import reasons
from gnn_checkpointing.report.sections.single_graphs import influence_blocks, left_out_blocks
from gnn_checkpointing.report.sections.timing import drift_blocks, stopping_blocks
from gnn_checkpointing.report.sections.worst import worst


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
        Table(
            id="table-family-factor",
            caption="The family of the graph as a factor at equal size and degree: the family whose ratio lies "
            f"furthest from the mean of all ({families}), by how much, and the p-value of no family differing (F "
            f"test). Bytes hardly scatter, so that a difference can be certain and yet too small to matter.{more}",
            columns=(
                Column("Quantity"),
                Column("Convolution"),
                Column("Policy"),
                Column("Furthest family"),
                Column("Off by", "", "number"),
                Column("p", "", "number"),
            ),
            rows=tuple(
                (
                    Cell("Memory" if item.quantity == "activation_ratio" else "Time", item.quantity),
                    Cell(item.convolution, item.convolution),
                    Cell(inputs.named(item.policy), item.policy),
                    Cell(NAMES.get(item.furthest_family, item.furthest_family) or "none", item.furthest_family),
                    Cell(units.percent(item.largest_shift - 1), item.largest_shift),
                    _p_value(item.p_value),
                )
                for item in listed
            ),
            source=ROBUSTNESS,
        )
    ]


def _p_value(value: float | None) -> Cell:
    return Cell(units.NOTHING) if value is None else Cell(units.probability(value), value)


def _replicates(items: Sequence[ReplicateSpread]) -> list[Block]:
    if not items:
        return []
    return [
        Table(
            id="table-replicates",
            caption="Standard deviation between independent draws of equal family, size and degree, relative to their "
            "mean, over all places that were drawn more than once.",
            columns=(
                Column("Response"),
                Column("Places", "", "number"),
                Column("Median", "", "number"),
                Column("Worst", "", "number"),
                Column("Worst at", "", "prose"),
            ),
            rows=tuple(
                (
                    Cell(RESPONSES[item.response], item.response),
                    Cell(units.count(item.places), item.places),
                    Cell(units.percent(item.median), item.median),
                    Cell(units.percent(item.worst), item.worst),
                    Cell(item.worst_at, item.worst_at),
                )
                for item in items
            ),
            source=ROBUSTNESS,
        )
    ]
