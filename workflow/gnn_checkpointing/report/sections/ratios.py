"""Each policy's memory and time / none's over density: the same figure and table for each quantity."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gnn_checkpointing.analysis.results import Effect, Estimate, Interaction
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import EFFECTS, TRENDS, ReportInputs
from gnn_checkpointing.report.page import Column, Table
from gnn_checkpointing.report.panels import figure, lines_over
from gnn_checkpointing.report.sections.bands import simultaneous
from gnn_checkpointing.report.sections.density import MEMORY, Quantity, degree_columns, estimate_cell
from gnn_checkpointing.report.texts import texts

_text = texts("ratios")

_FURTHEST_DRAWN = 3.0
"""An interval that leaves more than a threefold open says little, and would leave no room for the others."""


def ratio_figure(inputs: ReportInputs, quantity: Quantity) -> Figure:
    """Return the paired ratio to policy none over degree, one panel a convolution."""
    shown = {convolution: ratio_lines(inputs, convolution, quantity) for convolution in inputs.convolutions}
    points = [point for lines in shown.values() for line in lines for point in line.points]
    ends = [end for p in points for end in (max(p.low, p.y / _FURTHEST_DRAWN), min(p.high, p.y * _FURTHEST_DRAWN))]
    y = scales.ratio_scale(ends, quantity.ratio_noun)
    x = scales.degree_scale([point.x for point in points])
    bands = bool(simultaneous(inputs, quantity.ratio_name))
    return figure(
        f"figure-{quantity.id}-ratio",
        _text(
            "of-each-policy-divided-by",
            capitalize=quantity.noun.capitalize(),
            bands=", with the span over replicate graphs"
            if quantity is MEMORY
            else ", with simultaneous intervals"
            if bands
            else "",
        ),
        _text("the-dashed-line-is-policy", bands=_whiskers(inputs, quantity, points, bands)),
        TRENDS if bands else EFFECTS,
        (
            lines_over(
                convolution,
                lines,
                looks(inputs.policies),
                x,
                y,
                reference=1.0,
                convolution=convolution,
                told=_ratio_alternative(inputs, convolution, quantity, lines),
            )
            for convolution, lines in shown.items()
        ),
    )


def _whiskers(inputs: ReportInputs, quantity: Quantity, points: Sequence[Point], bands: bool) -> str:
    """What the whiskers are, and what it means where one runs out of the panel."""
    if quantity is MEMORY:
        return "Bytes are exact in each cell; whiskers are the span over replicate graphs"
    level = units.confidence(inputs.effects.confidence)
    if not bands:
        return f"Whiskers are {level} intervals"
    cut = any(p.low * _FURTHEST_DRAWN < p.y or p.high > p.y * _FURTHEST_DRAWN for p in points)
    return (
        f"Whiskers are simultaneous {level} intervals: those of one policy hold at all densities together, and so "
        "are wider than each level's own in the table"
        + (", and run out of the panel where few cells differ much" if cut else "")
    )


def ratio_lines(inputs: ReportInputs, convolution: str, quantity: Quantity) -> list[Line]:
    """Each policy's paired ratio at the headline size, with the intervals of its band where there is one."""
    bands = simultaneous(inputs, quantity.ratio_name)
    lines = []
    for policy in inputs.compared:
        effects = [e for e in inputs.effects.generated if (e.convolution, e.policy) == (convolution, policy)]
        points = [
            Point.of(effect.average_degree, estimate, f"{convolution}, {effect.cells} cells")
            for effect in sorted(effects, key=lambda effect: effect.average_degree)
            if (estimate := bands.get((convolution, policy, effect.level), quantity.ratio(effect))) is not None
        ]
        if points:
            lines.append(Line(policy, tuple(points)))
    return lines


def _ratio_alternative(inputs: ReportInputs, convolution: str, quantity: Quantity, lines: Sequence[Line]) -> str:
    """Return the ratios at both ends and the slope that the policy adds, with intervals."""
    level = units.confidence(inputs.effects.confidence)
    kind = "simultaneous " if simultaneous(inputs, quantity.ratio_name) else ""
    ends_are = "the span over replicate graphs in brackets" if quantity is MEMORY else f"{kind}{level} intervals"
    sentences = [f"Line chart, {convolution}: {quantity.ratio_noun} against average degree, {ends_are}."]
    for line in lines:
        first, last = line.points[0], line.points[-1]
        ends = [units.ratio_estimate(units.estimate_of(point.y, point.low, point.high)) for point in (first, last)]
        text = (
            f"Policy {line.policy}: {ends[0]} at degree {units.plain(first.x)}, "
            f"{ends[1]} at degree {units.plain(last.x)}"
        )
        found = _interaction(inputs, convolution, line.policy, quantity)
        if found is None:
            sentences.append(f"{text}; no difference of slopes was fitted.")
        else:
            slope = units.scaled_estimate(found.difference_per_edge, quantity.slope_factor)
            sentences.append(f"{text}; its slope differs from none's by {slope} {quantity.slope_unit}.")
    return " ".join(sentences)


def _interaction(inputs: ReportInputs, convolution: str, policy: str, quantity: Quantity) -> Interaction | None:
    for found in inputs.regressions.interactions:
        if (found.convolution, found.policy, found.response) == (convolution, policy, quantity.response):
            return found
    return None


def ratio_table(
    inputs: ReportInputs, quantity: Quantity, ratio: Callable[[Effect], Estimate | None], noun: str
) -> Table:
    """Return ratios with intervals: one row a convolution and level, one column a policy, or turned if many."""
    if inputs.many_policies:
        return _turned_ratio_table(inputs, quantity, ratio, noun)
    rows = []
    for convolution in inputs.convolutions:
        effects = [effect for effect in inputs.effects.generated if effect.convolution == convolution]
        for level in dict.fromkeys(
            effect.level for effect in sorted(effects, key=lambda effect: effect.average_degree)
        ):
            by_policy = {effect.policy: effect for effect in effects if effect.level == level}
            degree = max(effect.average_degree for effect in by_policy.values())
            pairs = max(effect.cells for effect in by_policy.values())
            rows.append(
                (
                    convolution,
                    units.plain(degree),
                    units.count(pairs),
                    *(ratio_cell(by_policy.get(policy), ratio) for policy in inputs.compared),
                )
            )
    return Table(
        id=_ratio_id(quantity, noun),
        caption=_ratio_caption(inputs, quantity, noun),
        columns=(
            Column("Convolution"),
            Column("Average degree", "edges per node", "number"),
            Column("Cells", "", "number"),
            *(Column(policy, "/ none", "number") for policy in inputs.compared),
        ),
        rows=tuple(rows),
        source=EFFECTS,
    )


def _turned_ratio_table(
    inputs: ReportInputs, quantity: Quantity, ratio: Callable[[Effect], Estimate | None], noun: str
) -> Table:
    """Return the same ratios with one row a convolution and policy, one column a level."""
    effects = {(e.convolution, e.policy, e.level): e for e in inputs.effects.generated}
    levels = sorted({effect.level for effect in inputs.effects.generated}, key=float)
    pairs = {(convolution, policy) for convolution, policy, _ in effects}
    return Table(
        id=_ratio_id(quantity, noun),
        caption=_ratio_caption(inputs, quantity, noun),
        columns=(Column("Convolution"), Column("Policy"), *degree_columns(levels)),
        rows=tuple(
            (
                convolution,
                inputs.named(policy),
                *(ratio_cell(effects.get((convolution, policy, level)), ratio) for level in levels),
            )
            for convolution in inputs.convolutions
            for policy in inputs.compared
            if (convolution, policy) in pairs
        ),
        source=EFFECTS,
    )


def _ratio_id(quantity: Quantity, noun: str) -> str:
    return f"table-{quantity.id}-{noun.split()[0].lower()}-ratio"


def _ratio_caption(inputs: ReportInputs, quantity: Quantity, noun: str) -> str:
    level = units.confidence(inputs.effects.confidence)
    turned = ", by average degree" if inputs.many_policies else ""
    alone = " of each level alone" if inputs.trends.bands else ""
    ends = "with the span over replicate graphs" if quantity is MEMORY else f"with {level} interval{alone}"
    return _text("of-each-policy-none-paired", noun=noun, ends=ends, turned=turned)


def ratio_cell(effect: Effect | None, ratio: Callable[[Effect], Estimate | None]) -> str:
    """Return a ratio with its interval, or a dash where nothing was measured."""
    return estimate_cell(None if effect is None else ratio(effect))
