"""What was tried against the answer: single graphs, families, draws, the hour, and the rule that ends timing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gnn_checkpointing.analysis.results import FamilyFactor, LeftOut, RunDrift, StoppingRule
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ROBUSTNESS, ReportInputs
from gnn_checkpointing.report.page import Note, Section, Table
from gnn_checkpointing.report.sections.parts import LISTED, NAMES, Part, blocks, reasons
from gnn_checkpointing.report.sections.predictions import RESPONSES
from gnn_checkpointing.report.texts import Texts
from gnn_checkpointing.sourced import bare, counted, counted_where

_text = Texts("robustness")

_NAMED = 2
_STATEMENTS = {
    "densest_activation_ratio": "Activation memory / none's, densest level",
    "densest_time_ratio": "Step time / none's, densest level",
    "difference_per_edge": "Bytes per edge, difference from none's",
}
_DISTRIBUTIONS = {"lognormal": "", "heavy_tailed": ", one round in ten ten times that"}


def robustness_section(inputs: ReportInputs) -> Section | None:
    """What was tried against the answer, None where nothing was to be tried."""
    found = inputs.robustness
    parts = blocks(
        _left_out(inputs, found.left_out) if found.left_out else None,
        _table(inputs, "table-influence", found.influence, lambda one: abs(one.shift_per_edge), graph=_graph),
        _families(inputs, found.families) if found.families else None,
        _table(inputs, "table-replicates", found.replicates),
        _drift(inputs, found.drift) if found.drift else None,
        _stopping(inputs, found.stopping) if found.stopping else None,
        reasons(_text, inputs, "table-not-tried", ROBUSTNESS, found.not_tried),
    )
    return Section("robustness", "What was tried against the answer", parts) if parts else None


def _table(
    inputs: ReportInputs, id: str, items: Sequence[Any], badness: Callable[[Any], float] | None = None, **values: Any
) -> Table:
    """The items; with `badness` the worst of them, worst first, and in the caption how many there are."""
    listed, more = list(items), ""
    if badness is not None:
        listed = sorted(items, key=badness, reverse=True)[:LISTED]
        if len(items) > LISTED:
            more = f" The {units.count(LISTED)} worst of {units.count(counted(items))}; all are in {ROBUSTNESS}."
    return _text.table(inputs, id, ROBUSTNESS, listed, more=more, response_of=RESPONSES.get, **values)


def _graph(item: Any) -> str:
    return item.graph or "none: the law is exact"


def _left_out(inputs: ReportInputs, items: list[LeftOut]) -> list[Part]:
    """What happens to the estimates when one graph after another is left out."""

    def badness(item: LeftOut) -> float:
        """How far leaving out a graph moves an estimate, as a share of it; first of all, what it turns."""
        span = (item.highest - item.lowest) / abs(item.whole.estimate) if item.whole.estimate else 0.0
        return 1e9 * bool(item.changes) + span

    def whole(item: LeftOut) -> str:
        return units.scaled_estimate(item.whole) if _is_bytes(item) else units.ratio_estimate(item.whole)

    turned = counted_where(items, ("changes", "!=", []))
    opening = _text("left-out", items=counted(items), turned=turned)
    known: dict[str, Any] = {"statement_of": _STATEMENTS.get, "whole": whole, "ends": _ends, "turns": _turns}
    return [opening, _table(inputs, "table-left-out", items, badness, **known)]


def _is_bytes(item: LeftOut) -> bool:
    return item.statement == "difference_per_edge"


def _ends(item: LeftOut) -> str:
    low, high = (units.plain(end) if _is_bytes(item) else units.ratio(end) for end in (item.lowest, item.highest))
    return low if bare(low) == bare(high) else units.interval(low, high)


def _turns(item: LeftOut) -> str:
    more = counted(item.changes) - _NAMED
    named = ", ".join(item.changes[:_NAMED]) + (f" and {units.count(more)} more" if more > 0 else "")
    return named or "no graph"


def _families(inputs: ReportInputs, items: Sequence[FamilyFactor]) -> Table:
    return _table(
        inputs,
        "table-family-factor",
        items,
        lambda item: abs(item.largest_shift - 1),
        quantity_of=lambda quantity: "Memory" if quantity == "activation_ratio" else "Time",
        family_of=lambda family: NAMES.get(family, family) or "none",
        off_by=lambda shift: shift - 1,
        families=", ".join(NAMES.get(family, family) for family in items[0].families),
    )


def _drift(inputs: ReportInputs, items: list[RunDrift]) -> list[Part]:
    """How step times changed over the run."""
    chance = 1 - inputs.effects.confidence
    small = counted_where(items, ("p_value", "<", chance))
    shown = _table(inputs, "table-drift", items, lambda item: abs(item.change.estimate))
    return [_text("drift", small=small, items=counted(items), chance=chance), shown]


def _noise(item: StoppingRule) -> str:
    return units.percent(item.noise) + _DISTRIBUTIONS[item.distribution]


def _stopping(inputs: ReportInputs, items: Sequence[StoppingRule]) -> list[Part]:
    """How the rule that ends timing fares on known ratios."""
    level = inputs.effects.confidence
    short = [item for item in items if item.covered < level - 3 * item.expected_error]
    least = min(short, key=lambda item: item.covered, default=None)
    opening = _text("timing-ends-when-the-intervals", rule=items[0], level=level)
    shown = _table(inputs, "table-stopping", items, noise=_noise)
    note = Note(_text("intervals-at-hold-less-than", level=level, least=least)) if least else None
    return [opening, note, shown]
