"""How far the answer hangs on single graphs: estimates made again without each, and the graph that moves a law most."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import Influence, LeftOut
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ROBUSTNESS, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.law_words import RESPONSES
from gnn_checkpointing.report.sections.worst import worst
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import bare, counted, counted_where

_text = texts("single_graphs")

_NAMED = 2
_STATEMENTS = {
    "densest_activation_ratio": "Activation memory / none's, densest level",
    "densest_time_ratio": "Step time / none's, densest level",
    "difference_per_edge": "Bytes per edge, difference from none's",
}


def left_out_blocks(inputs: ReportInputs, items: list[LeftOut]) -> list[Block]:
    """Return what happens to the estimates when one graph after another is left out."""
    if not items:
        return []
    turned = counted_where(items, ("changes", "!=", []))
    said = (
        "None of them turns."
        if not turned
        else f"{units.count(turned)} of them {'turns' if turned == 1 else 'turn'}: without the graphs named, the "
        "interval changes its side of the boundary, so that statement depends on them."
    )
    listed, more = worst(items, lambda item: 1e9 * bool(item.changes) + _span(item), ROBUSTNESS)
    return [
        Paragraph(
            f"{units.count(counted(items))} estimates (each policy's ratios at its densest level against 1, and its "
            "bytes per edge beside none's against 0) were made again without each of their graphs in turn. " + said
        ),
        Table(
            id="table-left-out",
            caption=_text("table-left-out", confidence=inputs.effects.confidence, more=more),
            columns=(
                Column("Estimate", "", "prose"),
                Column("Convolution"),
                Column("Policy"),
                Column("All graphs", "", "number"),
                Column("Without one", "", "number"),
                Column("Turns without", "", "prose"),
            ),
            rows=tuple(_left_out_row(inputs, item) for item in listed),
            source=ROBUSTNESS,
        ),
    ]


def _span(item: LeftOut) -> float:
    """Return how far leaving out a graph moves an estimate, as a share of it."""
    return (item.highest - item.lowest) / abs(item.whole.estimate) if item.whole.estimate else 0.0


def _left_out_row(inputs: ReportInputs, item: LeftOut) -> tuple[str, ...]:
    is_bytes = item.statement == "difference_per_edge"
    whole = units.scaled_estimate(item.whole) if is_bytes else units.ratio_estimate(item.whole)
    low, high = (units.plain(end) if is_bytes else units.ratio(end) for end in (item.lowest, item.highest))
    more = counted(item.changes) - _NAMED
    turns = ", ".join(item.changes[:_NAMED]) + (f" and {units.count(more)} more" if more > 0 else "")
    return (
        _STATEMENTS[item.statement],
        item.convolution,
        inputs.named(item.policy),
        whole,
        (low if bare(low) == bare(high) else units.interval(low, high)),
        (turns or "no graph"),
    )


def influence_blocks(items: Sequence[Influence]) -> list[Block]:
    """Return the graphs that move the laws most."""
    if not items:
        return []
    listed, more = worst(items, lambda item: abs(item.shift_per_edge), ROBUSTNESS)
    return [
        table(
            "table-influence",
            _text("table-influence", more=more),
            ROBUSTNESS,
            listed,
            Of("Law", lambda item: RESPONSES[item.response]),
            Of("Convolution", "convolution"),
            Of("Policy", "policy"),
            Of("Graph", lambda item: item.graph or "none: the law is exact", content="prose"),
            Of("Slope moves by", "shift_per_edge", units.percent),
            Of("Cook's distance", "cooks_distance", units.plain),
        )
    ]
