"""Each policy's memory and time divided by none's over density: the same figure and table for each quantity."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import Effect, Estimate
from gnn_checkpointing.analysis.results import Quantity as RatioName
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.inputs import EFFECTS, TRENDS, ReportInputs
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.sections.density import Quantity, over_degree
from gnn_checkpointing.report.sections.parts import line, over_levels, points
from gnn_checkpointing.report.tables import Of, table
from gnn_checkpointing.report.texts import texts

_text = texts("trends")

_FURTHEST_DRAWN = 3.0
"""An interval that leaves more than a threefold open says little, and would leave no room for the others."""


def _bands(inputs: ReportInputs, quantity: RatioName) -> dict[tuple[str, str, str], Estimate]:
    """Each level's ratio with the interval of its band; none at all where a drawn level has no band."""
    found = {
        (band.convolution, band.policy, point.level): point.ratio
        for band in inputs.trends.bands
        if band.quantity == quantity
        for point in band.points
    }
    drawn = [e for e in inputs.effects.generated if getattr(e, quantity) is not None]
    return found if {(e.convolution, e.policy, e.level) for e in drawn} <= set(found) else {}


def ratio_lines(inputs: ReportInputs, convolution: str, quantity: Quantity) -> list[Line]:
    """Each policy's paired ratio at the headline size, with the intervals of its band where there is one."""
    bands = _bands(inputs, quantity.ratio)

    def ratio(effect: Effect) -> Estimate | None:
        own: Estimate | None = getattr(effect, quantity.ratio)
        return bands.get((convolution, effect.policy, effect.level), own)

    lines = [
        line(
            policy,
            [e for e in inputs.effects.generated if (e.convolution, e.policy) == (convolution, policy)],
            lambda effect: effect.average_degree,
            ratio,
            lambda effect: f"{convolution}, {effect.cells} cells",
        )
        for policy in inputs.compared
    ]
    return [each for each in lines if each.points]


def ratio_figure(inputs: ReportInputs, quantity: Quantity) -> Figure:
    """The paired ratio to policy none over degree, one panel per convolution."""
    shown = {convolution: ratio_lines(inputs, convolution, quantity) for convolution in inputs.convolutions}
    every = points(shown.values())
    ends = [end for p in every for end in (max(p.low, p.y / _FURTHEST_DRAWN), min(p.high, p.y * _FURTHEST_DRAWN))]
    y = scales.ratio_scale(ends, quantity.ratio_noun)
    x = scales.degree_scale([point.x for point in every])
    has_bands = bool(_bands(inputs, quantity.ratio))
    cut = any(p.low * _FURTHEST_DRAWN < p.y or p.high > p.y * _FURTHEST_DRAWN for p in every)
    known = {"quantity": quantity, "bands": has_bands, "cut": cut, "level": inputs.effects.confidence}
    words = _text("figure-ratio", **known), _text("figure-ratio-how-to-read", **known), TRENDS if has_bands else EFFECTS
    against = f"{quantity.ratio_noun} against average degree, {_text('ratio-ends', **known)}"

    def end(point: Point) -> str:
        return units.ratio_estimate(units.estimate_of(point.y, point.low, point.high))

    def slope(*pair: str) -> str:
        for found in inputs.regressions.interactions:
            if (found.convolution, found.policy, found.response) == (*pair, quantity.response):
                difference = units.scaled_estimate(found.difference_per_edge, quantity.slope_factor)
                return f"; its slope differs from none's by {difference} {quantity.slope_unit}"
        return "; no difference of slopes was fitted"

    return over_degree(inputs, f"figure-{quantity.id}-ratio", words, shown, (x, y), against, end, slope, reference=1.0)


def ratio_table(inputs: ReportInputs, quantity: Quantity, ratio: str, noun: str) -> Table:
    """Ratios with intervals: a column for each policy, or for each level where policies are many."""
    id = f"table-{quantity.id}-{noun.split()[0].lower()}-ratio"
    caption = _text("table-ratio", inputs=inputs, quantity=quantity, noun=noun)
    effects = {(e.convolution, e.policy, e.level): e for e in inputs.effects.generated}
    if inputs.many_policies:
        levels = sorted({effect.level for effect in inputs.effects.generated}, key=float)
        pairs = {(convolution, policy) for convolution, policy, _ in effects}
        cells = {
            (convolution, policy, level): getattr(effects.get((convolution, policy, level)), ratio, None)
            for convolution in inputs.convolutions
            for policy in inputs.compared
            for level in levels
            if (convolution, policy) in pairs
        }
        return over_levels(id, caption, EFFECTS, cells, levels, units.ratio_estimate, named=inputs.named)
    rows = _rows(inputs, inputs.effects.generated)
    return table(
        id,
        caption,
        EFFECTS,
        rows,
        Of("Convolution", lambda row: row[0]),
        Of("Average degree", lambda row: max(e.average_degree for e in row[1].values()), units.plain, "edges per node"),
        Of("Cells", lambda row: max(effect.cells for effect in row[1].values()), units.count),
        *(
            Of(policy, lambda row, of=policy: getattr(row[1].get(of), ratio, None), units.ratio_estimate, "/ none")
            for policy in inputs.compared
        ),
    )


def _rows(inputs: ReportInputs, effects: Sequence[Effect]) -> list[tuple[str, dict[str, Effect]]]:
    """The effects at each level of each convolution, by policy, sparse before dense."""
    found: dict[tuple[str, str], dict[str, Effect]] = {}
    for effect in sorted(effects, key=lambda effect: effect.average_degree):
        found[effect.convolution, effect.level] = {}
    for effect in effects:
        found[effect.convolution, effect.level][effect.policy] = effect
    return [(name, own) for name in inputs.convolutions for key, own in found.items() if key[0] == name]
