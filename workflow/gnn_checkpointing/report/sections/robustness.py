"""What was tried against the answer: single graphs, families, draws, the hour, and the rule that ends timing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gnn_checkpointing.analysis.results import FamilyFactor, Influence, LeftOut, RunDrift, StoppingRule
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ROBUSTNESS, ReportInputs
from gnn_checkpointing.report.page import Note, Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.families import NAMES
from gnn_checkpointing.report.sections.parts import CONVOLUTION, Columns, Part, blocks, of_policy
from gnn_checkpointing.report.sections.predictions import RESPONSES
from gnn_checkpointing.report.sections.worst import reasons, worst
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import bare, counted, counted_where

_text = texts("robustness")

_NAMED = 2
_STATEMENTS = {
    "densest_activation_ratio": "Activation memory / none's, densest level",
    "densest_time_ratio": "Step time / none's, densest level",
    "difference_per_edge": "Bytes per edge, difference from none's",
}
_DISTRIBUTIONS = {"lognormal": "", "heavy_tailed": ", one round in ten ten times that"}
_REPLICATES: Columns = (
    Of("Response", lambda item: RESPONSES[item.response]),
    Of("Places", "places", units.count),
    Of("Median", "median", units.percent),
    Of("Worst", "worst", units.percent),
    Of("Worst at", "worst_at", content="prose"),
)
_STOPPING: Columns = (
    Of(
        "Noise of a round's ratio",
        lambda item: units.percent(item.noise) + _DISTRIBUTIONS[item.distribution],
        content="prose",
    ),
    Of("Holds, by the rule", "covered", units.accuracy),
    Of("Holds, rounds fixed", "fixed_covered", units.accuracy),
    Of("Median rounds", "median_rounds", units.plain),
    Of("Narrow enough", "reached_target", units.percent),
)


def robustness_section(inputs: ReportInputs) -> Section | None:
    """What was tried against the answer, None where nothing was to be tried."""
    found = inputs.robustness
    replicates = table("table-replicates", _text("table-replicates"), ROBUSTNESS, found.replicates, *_REPLICATES)
    parts = blocks(
        _left_out(inputs, found.left_out) if found.left_out else None,
        _influence(found.influence) if found.influence else None,
        _families(inputs, found.families) if found.families else None,
        replicates,
        _drift(inputs, found.drift) if found.drift else None,
        _stopping(inputs, found.stopping) if found.stopping else None,
        reasons("table-not-tried", _text("table-not-tried"), found.not_tried, ROBUSTNESS),
    )
    return Section("robustness", "What was tried against the answer", parts) if parts else None


def _worst_table(
    name: str, items: Sequence[Any], badness: Callable[[Any], float], *columns: Of[Any], **values: object
) -> Table:
    """The worst of many results, and in the caption how many there are."""
    listed, more = worst(items, badness, ROBUSTNESS)
    return table(name, _text(name, more=more, **values), ROBUSTNESS, listed, *columns)


def _left_out(inputs: ReportInputs, items: list[LeftOut]) -> list[Part]:
    """What happens to the estimates when one graph after another is left out."""

    def span(item: LeftOut) -> float:
        """How far leaving out a graph moves an estimate, as a share of it."""
        return (item.highest - item.lowest) / abs(item.whole.estimate) if item.whole.estimate else 0.0

    shown = _worst_table(
        "table-left-out",
        items,
        lambda item: 1e9 * bool(item.changes) + span(item),
        Of("Estimate", lambda item: _STATEMENTS[item.statement], content="prose"),
        CONVOLUTION,
        of_policy(inputs),
        Of(
            "All graphs",
            lambda item: units.scaled_estimate(item.whole) if _is_bytes(item) else units.ratio_estimate(item.whole),
            content="number",
        ),
        Of("Without one", _ends, content="number"),
        Of("Turns without", _turns, content="prose"),
        confidence=inputs.effects.confidence,
    )
    turned = counted_where(items, ("changes", "!=", []))
    return [_text("left-out", items=counted(items), turned=turned), shown]


def _is_bytes(item: LeftOut) -> bool:
    return item.statement == "difference_per_edge"


def _ends(item: LeftOut) -> str:
    low, high = (units.plain(end) if _is_bytes(item) else units.ratio(end) for end in (item.lowest, item.highest))
    return low if bare(low) == bare(high) else units.interval(low, high)


def _turns(item: LeftOut) -> str:
    more = counted(item.changes) - _NAMED
    named = ", ".join(item.changes[:_NAMED]) + (f" and {units.count(more)} more" if more > 0 else "")
    return named or "no graph"


def _influence(items: Sequence[Influence]) -> Table:
    """The graphs that move the laws most."""
    return _worst_table(
        "table-influence",
        items,
        lambda item: abs(item.shift_per_edge),
        Of("Law", lambda item: RESPONSES[item.response]),
        CONVOLUTION,
        Of("Policy", "policy"),
        Of("Graph", lambda item: item.graph or "none: the law is exact", content="prose"),
        Of("Slope moves by", "shift_per_edge", units.percent),
        Of("Cook's distance", "cooks_distance", units.plain),
    )


def _families(inputs: ReportInputs, items: Sequence[FamilyFactor]) -> Table:
    return _worst_table(
        "table-family-factor",
        items,
        lambda item: abs(item.largest_shift - 1),
        Of("Quantity", lambda item: "Memory" if item.quantity == "activation_ratio" else "Time"),
        CONVOLUTION,
        of_policy(inputs),
        Of("Furthest family", lambda item: NAMES.get(item.furthest_family, item.furthest_family) or "none"),
        Of("Off by", lambda item: item.largest_shift - 1, units.percent),
        Of("p", "p_value", units.probability),
        families=", ".join(NAMES.get(family, family) for family in items[0].families),
    )


def _drift(inputs: ReportInputs, items: list[RunDrift]) -> list[Part]:
    """How step times changed over the run."""
    chance = 1 - inputs.effects.confidence
    small = counted_where(items, ("p_value", "<", chance))
    shown = _worst_table(
        "table-drift",
        items,
        lambda item: abs(item.change.estimate),
        CONVOLUTION,
        of_policy(inputs),
        Of("Change over the run", "change", units.share_estimate),
        Of("p", "p_value", units.probability),
        confidence=inputs.effects.confidence,
    )
    return [_text("drift", small=small, items=counted(items), chance=chance), shown]


def _stopping(inputs: ReportInputs, items: Sequence[StoppingRule]) -> list[Part]:
    """How the rule that ends timing fares on known ratios."""
    level = inputs.effects.confidence
    short = [item for item in items if item.covered < level - 3 * item.expected_error]
    least = min(short, key=lambda item: item.covered, default=None)
    shown = table("table-stopping", _text("table-stopping"), ROBUSTNESS, items, *_STOPPING)
    opening = _text("timing-ends-when-the-intervals", rule=items[0], level=level)
    return [opening, Note(_text("intervals-at-hold-less-than", level=level, least=least)) if least else None, shown]
