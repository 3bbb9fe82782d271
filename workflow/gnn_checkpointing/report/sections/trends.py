"""Memory and time against density: what each policy needs, divided by none's too, and where each breaks even."""

from __future__ import annotations

from typing import Any

from gnn_checkpointing.analysis.results import BreakEven, Effect, Estimate
from gnn_checkpointing.analysis.results import Quantity as RatioName
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.inputs import EFFECTS, TRENDS, ReportInputs
from gnn_checkpointing.report.page import Figure, Table
from gnn_checkpointing.report.sections import density
from gnn_checkpointing.report.sections.parts import grouped, in_order, lines_of, points
from gnn_checkpointing.sourced import bare

_text = Texts("trends")

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


def ratio_lines(inputs: ReportInputs, convolution: str, quantity: density.Quantity) -> list[Line]:
    """Each policy's paired ratio at the headline size, with the intervals of its band where there is one."""
    bands = _bands(inputs, quantity.ratio)

    def ratio(effect: Effect) -> Estimate | None:
        own: Estimate | None = getattr(effect, quantity.ratio)
        return bands.get((convolution, effect.policy, effect.level), own)

    return lines_of(
        (effect for effect in inputs.effects.generated if effect.convolution == convolution),
        lambda effect: effect.policy,
        inputs.compared,
        lambda effect: effect.average_degree,
        ratio,
        lambda effect: f"{convolution}, {effect.cells} cells",
    )


def ratio_figure(inputs: ReportInputs, quantity: density.Quantity) -> Figure:
    """The paired ratio to policy none over degree, one panel per convolution."""
    shown = {convolution: ratio_lines(inputs, convolution, quantity) for convolution in inputs.convolutions}
    every = points(shown.values())
    ends = [end for p in every for end in (max(p.low, p.y / _FURTHEST_DRAWN), min(p.high, p.y * _FURTHEST_DRAWN))]
    noun = f"{quantity.noun} / none's"
    axes = scales.degree_scale([point.x for point in every]), scales.ratio_scale(ends, noun)
    has_bands = bool(_bands(inputs, quantity.ratio))
    cut = any(p.low * _FURTHEST_DRAWN < p.y or p.high > p.y * _FURTHEST_DRAWN for p in every)
    known: dict[str, Any] = {"quantity": quantity, "bands": has_bands, "cut": cut, "level": inputs.effects.confidence}
    against = f"{noun} against average degree, {_text('ratio-ends', **known)}"

    def end(point: Point) -> str:
        return units.ratio_estimate(units.estimate_of(point.y, point.low, point.high))

    def slope(*pair: str) -> str:
        for found in inputs.regressions.interactions:
            if (found.convolution, found.policy, found.response) == (*pair, quantity.response):
                difference = units.scaled_estimate(found.difference_per_edge, quantity.slope_factor)
                return f"; its slope differs from none's by {difference} {quantity.slope_unit}"
        return "; no difference of slopes was fitted"

    panels = density.panels_of(inputs, shown, axes, against, end, slope, 1.0)
    source = TRENDS if has_bands else EFFECTS
    return _text.figure(f"figure-{quantity.id}-ratio", source, panels, "figure-ratio", **known)


def ratio_table(inputs: ReportInputs, quantity: density.Quantity, ratio: str, noun: str) -> Table:
    """The ratios at each level, with intervals."""
    compared = inputs.compared
    found = [effect for effect in in_order(inputs, inputs.effects.generated) if effect.policy in compared]
    cells = {(effect.convolution, effect.policy, effect.level): getattr(effect, ratio) for effect in found}
    places = grouped(inputs.effects.generated, lambda effect: (effect.convolution, effect.level))
    known: dict[str, Any] = {
        "name": "table-ratio",
        "quantity": quantity,
        "noun": noun,
        "degree": lambda place: max(effect.average_degree for effect in places[place]),
        "unit": "/ none",
        "cells_of": lambda place: max(effect.cells for effect in places[place]),
    }
    id = f"table-{quantity.id}-{noun.split()[0].lower()}-ratio"
    return density.over_density(inputs, id, EFFECTS, cells, units.ratio_estimate, compared, **known)


def break_even_table(inputs: ReportInputs, quantity: RatioName) -> Table | None:
    """Break-evens, a row for each convolution and course; None where there are none."""
    compared = inputs.compared
    found = [each for each in inputs.trends.break_evens if each.quantity == quantity and each.policy in compared]
    if not found:
        return None
    # Courses that read alike are one row, whichever numbers they are made of.
    rows = grouped(in_order(inputs, found), lambda each: (each.convolution, bare(in_words(each))))
    words: dict[str, str] = {}
    for (_, course), own in rows.items():
        words.setdefault(course, in_words(own[0]))
    return _text.table(
        inputs,
        f"table-break-even-{quantity.split('_')[0]}",
        TRENDS,
        rows.items(),
        quantity=quantity,
        saving=f"{units.plain(100 * (1 - found[0].threshold))}{units.SPACE}%",
        confidence=inputs.trends.confidence,
        policies=lambda row: ", ".join(inputs.named(each.policy) for each in row[1]),
        course=lambda row: words[row[0][1]],
    )


def in_words(found: BreakEven) -> str:
    """The course of one policy's ratio, such as "stops saving above degree 41 (33-52)"."""
    where = found.average_degree
    degree = where and _text("degree", where=where, open=found.open, interval=units.interval)
    text = _text(f"{found.quantity}-{found.course}", degree=degree)
    if where is None and found.course != "crosses" and not found.certain:
        return f"{text}, though not for certain at each"
    return text
