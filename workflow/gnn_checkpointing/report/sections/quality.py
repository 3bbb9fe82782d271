"""Evidence against the run: failures, changed results, noise and training; and robustness checks of the answer."""

from collections.abc import Callable, Sequence
from typing import Any

from gnn_checkpointing.analysis.results import LeftOut, StoppingRule
from gnn_checkpointing.analysis.table import time_ratio
from gnn_checkpointing.records import jobs
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.inputs import ROBUSTNESS, ReportInputs, Row
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.sections.parts import LISTED, family
from gnn_checkpointing.report.sections.predictions import RESPONSES
from gnn_checkpointing.sourced import bare, counted

_text = Texts("quality")


def errors(inputs: ReportInputs) -> Callable[[str], dict[str, float | None]]:
    """Function from a policy to its largest differences from none, by column."""

    def largest(policy: str, name: str) -> float | None:
        own = (number(row, name) for row in inputs.completed if row["policy"] == policy)
        return max((value for value in own if value is not None), default=None)

    columns = ("loss_error", "gradient_error", "buffer_error")
    return lambda policy: {name: largest(policy, name) for name in columns}


def half_widths(inputs: ReportInputs) -> list[tuple[float, Row]]:
    """Half-width of each row's interval of the time ratio, relative to the ratio, with the row."""
    found = [(time_ratio(row), row) for row in inputs.completed if number(row, "time_ratio_low") is not None]
    return [((ratio.high - ratio.low) / 2 / ratio.estimate, row) for ratio, row in found if ratio is not None]


def too_wide(widths: Sequence[tuple[float, Row]], target: float) -> list[tuple[float, Row]]:
    """Rows whose half-width is above the target, widest first."""
    wide = [(width, row) for width, row in widths if width > target]
    return sorted(wide, key=lambda pair: (-pair[0], str(pair[1]["cell"]), str(pair[1]["policy"])))


REORDERED = jobs.REORDERED
_NAMED = 2


def _table(
    inputs: ReportInputs, id: str, items: Sequence[Any], badness: Callable[[Any], float], **values: Any
) -> Table:
    """Table of the worst items, worst first; the caption says how many there are in all."""
    listed, more = sorted(items, key=badness, reverse=True)[:LISTED], ""
    if len(items) > LISTED:
        more = f" The {units.count(LISTED)} worst of {units.count(counted(items))}; all are in {ROBUSTNESS}."
    return _text.table(inputs, id, ROBUSTNESS, listed, more=more, response_of=RESPONSES.get, **values)


def influence(inputs: ReportInputs) -> Table:
    """Table of the graphs that shift the laws most."""
    items, graph = inputs.robustness.influence, lambda item: item.graph or "none: the law is exact"
    return _table(inputs, "table-influence", items, lambda item: abs(item.shift_per_edge), graph=graph)


def left_out(inputs: ReportInputs) -> Table:
    """Table of how estimates change when one graph at a time is left out."""

    def badness(item: LeftOut) -> float:
        """Range of an estimate over the graphs left out, relative to it; items whose conclusion changes come first."""
        span = (item.highest - item.lowest) / abs(item.whole.estimate) if item.whole.estimate else 0.0
        return 1e9 * bool(item.changes) + span

    statement_of = _text.names("statements").get
    return _table(inputs, "table-left-out", inputs.robustness.left_out, badness, statement_of=statement_of)


def _is_bytes(item: LeftOut) -> bool:
    return item.statement == "difference_per_edge"


def whole(item: LeftOut) -> str:
    """The estimate from all graphs, with its interval."""
    return units.scaled_estimate(item.whole) if _is_bytes(item) else units.ratio_estimate(item.whole)


def ends(item: LeftOut) -> str:
    """Range of an estimate when one graph is left out."""
    low, high = (units.plain(end) if _is_bytes(item) else units.ratio(end) for end in (item.lowest, item.highest))
    return low if bare(low) == bare(high) else units.interval(low, high)


def turns(item: LeftOut) -> str:
    """The graphs without which a conclusion changes."""
    more = counted(item.changes) - _NAMED
    named = ", ".join(item.changes[:_NAMED]) + (f" and {units.count(more)} more" if more > 0 else "")
    return named or "no graph"


def families(inputs: ReportInputs) -> Table:
    """Table of the families whose ratios are furthest from the mean of all."""
    items = inputs.robustness.families
    return _table(
        inputs,
        "table-family-factor",
        items,
        lambda item: abs(item.largest_shift - 1),
        quantity_of=lambda quantity: "Memory" if quantity == "activation_ratio" else "Time",
        family_of=lambda name: family(name) or "none",
        off_by=lambda shift: shift - 1,
        families=", ".join(family(name) for one in items[:1] for name in one.families),
    )


def drift(inputs: ReportInputs) -> Table:
    """Table of how step times changed over the run."""
    return _table(inputs, "table-drift", inputs.robustness.drift, lambda item: abs(item.change.estimate))


def least_covered(inputs: ReportInputs) -> StoppingRule | None:
    """Stopping rule with the lowest coverage, of those well below the nominal level; None if all cover enough."""
    level = inputs.effects.confidence
    short = [item for item in inputs.robustness.stopping if item.covered < level - 3 * item.expected_error]
    return min(short, key=lambda item: item.covered, default=None)
