"""Each policy's memory and time divided by none's over density: the same figure and table for each quantity."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import Effect, Estimate
from gnn_checkpointing.analysis.results import Quantity as RatioName
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.inputs import EFFECTS, TRENDS, ReportInputs
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.report.sections.density import Quantity, over_degree, over_density
from gnn_checkpointing.report.sections.parts import Columns, grouped, line, points
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
    """The ratios at each level, with intervals."""
    effects = grouped(inputs.effects.generated, lambda e: (e.convolution, e.level))
    cells = {
        (convolution, policy, level): getattr(effect, ratio)
        for convolution in inputs.convolutions
        for policy in inputs.compared
        for (name, level), own in effects.items()
        for effect in own
        if (convolution, policy) == (name, effect.policy)
    }
    columns: Columns = (
        Of("Average degree", lambda at: max(e.average_degree for e in effects[at]), units.plain, "edges per node"),
        Of("Cells", lambda at: max(effect.cells for effect in effects[at]), units.count),
    )
    id = f"table-{quantity.id}-{noun.split()[0].lower()}-ratio"
    caption = _text("table-ratio", inputs=inputs, quantity=quantity, noun=noun)
    return over_density(inputs, id, caption, EFFECTS, cells, units.ratio_estimate, inputs.compared, columns, "/ none")
