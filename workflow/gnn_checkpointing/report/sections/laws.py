"""The regressions of memory and time on nodes and edges, their residuals and their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from gnn_checkpointing.analysis.results import HeldOut, Interaction, Law, Response
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures import drawn, scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import residual_panel, thinning
from gnn_checkpointing.report.inputs import REGRESSIONS, ReportInputs
from gnn_checkpointing.report.page import Block, Cell, Column, Figure, Panel, Paragraph, Section, Table
from gnn_checkpointing.report.sections.reasons import reasons

Fitted = TypeVar("Fitted", Law, Interaction)


@dataclass(frozen=True)
class Reading:
    """How a response and its coefficients read."""

    id: str
    response: Response
    noun: str
    constant_factor: float
    constant_unit: str
    slope_factor: float
    slope_unit: str


READINGS = (
    Reading("activation", "activation_bytes", "Activation memory", units.KIB, "KiB", 1.0, "bytes"),
    Reading("saved", "saved_activation_bytes", "Saved activations", units.KIB, "KiB", 1.0, "bytes"),
    Reading("time", "step_time_seconds", "Step time", units.MILLISECOND, "ms", units.NANOSECOND, "ns"),
)


def laws_section(inputs: ReportInputs) -> Section:
    """Return the section on the fitted laws."""
    level = units.confidence(inputs.regressions.confidence)
    blocks: list[Block] = [
        Paragraph(
            "Each law reads: response = constant + per node · nodes + per edge · edges, fitted for each convolution "
            f"and policy. Intervals are {level} with robust covariance. R² says little here; the error on the densest "
            "level, predicted by a law that never saw it, says more."
        )
    ]
    if not inputs.regressions.laws:
        blocks = [Paragraph("No law was fitted in this study.")]
    for reading in READINGS:
        laws = _in_order(inputs, [law for law in inputs.regressions.laws if law.response == reading.response])
        if laws:
            blocks += [_coefficients(laws, reading, level), _predictions(laws, reading)]
        if laws and reading.id != "saved":
            blocks.append(_residuals(inputs, laws, reading))
            blocks += _quantiles(inputs, laws, reading)
        found = _in_order(
            inputs, [item for item in inputs.regressions.interactions if item.response == reading.response]
        )
        if found:
            blocks.append(_interactions(found, reading, level))
    if inputs.regressions.not_fitted:
        blocks.append(
            reasons("table-not-fitted", "What was not fitted, and why.", inputs.regressions.not_fitted, REGRESSIONS)
        )
    return Section("laws", "Regressions on nodes and edges", tuple(blocks))


def _in_order(inputs: ReportInputs, items: Sequence[Fitted]) -> list[Fitted]:
    """Return laws or interactions in the study's order of convolutions and policies."""
    places: dict[tuple[str, str], int] = {
        pair: place
        for place, pair in enumerate(
            (convolution, policy)
            for convolution in inputs.study.architecture.convolutions
            for policy in inputs.policies
        )
    }
    return sorted(items, key=lambda item: places.get((item.convolution, item.policy), len(places)))


def _coefficients(laws: Sequence[Law], reading: Reading, level: str) -> Table:
    return Table(
        id=f"table-law-{reading.id}",
        caption=f"{reading.noun}: fitted coefficients with {level} intervals.",
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Cells", "", "number"),
            Column("Constant", reading.constant_unit, "number"),
            Column("Per node", reading.slope_unit, "number"),
            Column("Per edge", reading.slope_unit, "number"),
            Column("R²", "", "number"),
        ),
        rows=tuple(
            (
                Cell(law.convolution, law.convolution),
                Cell(law.policy, law.policy),
                Cell(units.count(law.cells), law.cells),
                Cell(units.scaled_estimate(law.constant, reading.constant_factor), law.constant.estimate),
                Cell(units.scaled_estimate(law.per_node, reading.slope_factor), law.per_node.estimate),
                Cell(units.scaled_estimate(law.per_edge, reading.slope_factor), law.per_edge.estimate),
                Cell(units.fixed(law.r_squared, 4), law.r_squared),
            )
            for law in laws
        ),
        source=REGRESSIONS,
    )


def _predictions(laws: Sequence[Law], reading: Reading) -> Table:
    return Table(
        id=f"table-prediction-{reading.id}",
        caption=f"{reading.noun}: how well the laws fit, and how well they predict the densest level when it is held "
        "out.",
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Median residual", "", "number"),
            Column("Worst residual", "", "number"),
            Column("Breusch-Pagan p", "", "number"),
            Column("RESET p", "", "number"),
            Column("Held-out degree", "edges per node", "number"),
            Column("Median error", "", "number"),
            Column("Worst error", "", "number"),
            Column("Inside interval", "", "number"),
        ),
        rows=tuple(
            (
                Cell(law.convolution, law.convolution),
                Cell(law.policy, law.policy),
                Cell(units.percent(law.median_relative_residual), law.median_relative_residual),
                Cell(units.percent(law.worst_relative_residual), law.worst_relative_residual),
                _optional(law.breusch_pagan_p),
                _optional(law.reset_p),
                *_held_out(law.held_out),
            )
            for law in laws
        ),
        source=REGRESSIONS,
    )


def _optional(p_value: float | None) -> Cell:
    return Cell(units.NOTHING) if p_value is None else Cell(units.probability(p_value), p_value)


def _held_out(held_out: HeldOut | None) -> tuple[Cell, ...]:
    if held_out is None:
        return (Cell(units.NOTHING),) * 4
    return (
        Cell(units.plain(held_out.level), held_out.level),
        Cell(units.percent(held_out.median_relative_error), held_out.median_relative_error),
        Cell(units.percent(held_out.worst_relative_error), held_out.worst_relative_error),
        Cell(units.percent(held_out.inside_interval), held_out.inside_interval),
    )


def _residuals(inputs: ReportInputs, laws: Sequence[Law], reading: Reading) -> Figure:
    shown = {
        convolution: [
            Line(law.policy, tuple(Point(r.num_edges, r.relative, r.relative, r.relative) for r in law.residuals))
            for law in laws
            if law.convolution == convolution and law.residuals
        ]
        for convolution in inputs.convolutions
    }
    points = [point for lines in shown.values() for line in lines for point in line.points]
    x = scales.count_scale([point.x for point in points] or [1.0], "edges")
    y = scales.share_scale([point.y for point in points] or [0.0], "residual (% of fitted)")
    panels = [
        Panel(
            id=f"residuals-{reading.id}-{position}",
            title=convolution,
            alternative=_residual_alternative(inputs, [law for law in laws if law.convolution == convolution], reading),
            svg=residual_panel(f"residuals-{reading.id}-{position}", lines, looks(inputs.policies), x, y),
            drawn=drawn.of_points(lines, x, y),
            convolution=convolution,
        )
        for position, (convolution, lines) in enumerate(shown.items())
        if lines
    ]
    return Figure(
        id=f"figure-residuals-{reading.id}",
        caption=f"{reading.noun}: residual of each cell, relative to what the law says.",
        how_to_read="A good law leaves a level, patternless band around zero. A bend or a fan means that the law "
        "misses something, and that its predictions beyond the measured range are not to be trusted."
        f"{thinning(shown.values())}",
        panels=tuple(panels),
        source=REGRESSIONS,
    )


def _quantiles(inputs: ReportInputs, laws: Sequence[Law], reading: Reading) -> list[Figure]:
    """Return the Q-Q plots of the laws that leave more than rounding; nothing where none does."""
    shown = {
        convolution: [line for law in laws if law.convolution == convolution and (line := _against_normal(law)).points]
        for convolution in inputs.convolutions
    }
    points = [point for lines in shown.values() for line in lines for point in line.points]
    if not points:
        return []
    x = scales.deviation_scale([point.x for point in points], "normal quantile")
    y = scales.deviation_scale([point.y for point in points], "residual (standard deviations)")
    panels = [
        Panel(
            id=f"quantiles-{reading.id}-{position}",
            title=convolution,
            alternative=f"Q-Q plot, {convolution}: standardised residuals of {reading.noun.lower()} against normal "
            "quantiles. " + " ".join(map(_furthest, lines)),
            svg=residual_panel(
                f"quantiles-{reading.id}-{position}", lines, looks(inputs.policies), x, y, diagonal=True
            ),
            drawn=drawn.of_points(lines, x, y),
            convolution=convolution,
        )
        for position, (convolution, lines) in enumerate(shown.items())
        if lines
    ]
    return [
        Figure(
            id=f"figure-quantiles-{reading.id}",
            caption=f"{reading.noun}: residuals of the laws against those of a normal distribution (Q-Q plot).",
            how_to_read="Normal residuals lie on the diagonal. Ends that turn away from it are heavier or lighter than "
            "normal: there, intervals that rest on normality are too narrow or too wide. A law that is exact has no "
            f"residuals to show.{thinning(shown.values())}",
            panels=tuple(panels),
            source=REGRESSIONS,
        )
    ]


def _against_normal(law: Law) -> Line:
    pairs = [
        (r.normal_quantile, r.standardised)
        for r in law.residuals
        if r.normal_quantile is not None and r.standardised is not None
    ]
    return Line(law.policy, tuple(Point(x, y, y, y) for x, y in sorted(pairs)))


def _furthest(line: Line) -> str:
    """Return the point of a Q-Q plot that lies furthest from the diagonal."""
    point = max(line.points, key=lambda each: abs(each.y - each.x))
    return (
        f"Policy {line.policy}: furthest from the diagonal {units.fixed(point.y, 1)} at quantile "
        f"{units.fixed(point.x, 1)}."
    )


def _residual_alternative(inputs: ReportInputs, laws: Sequence[Law], reading: Reading) -> str:
    level = units.confidence(inputs.regressions.confidence)
    sentences = [f"Scatter of relative residuals of {reading.noun.lower()} over edges, {laws[0].convolution}."]
    sentences += [
        f"Policy {law.policy}: median {units.percent(law.median_relative_residual)}, worst "
        f"{units.percent(law.worst_relative_residual)} around a slope of "
        f"{units.scaled_estimate(law.per_edge, reading.slope_factor)} {reading.slope_unit} per edge ({level} interval)."
        for law in laws
    ]
    return " ".join(sentences)


def _interactions(found: Sequence[Interaction], reading: Reading, level: str) -> Table:
    return Table(
        id=f"table-interaction-{reading.id}",
        caption=f"{reading.noun}, interaction of policy and edges: what one more edge costs under none, and how much "
        f"more or less under the policy, with {level} intervals; p tests that the difference is nothing.",
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("None, per edge", reading.slope_unit, "number"),
            Column("Difference, per edge", reading.slope_unit, "number"),
            Column("Slope ratio", "/ none", "number"),
            Column("p", "", "number"),
            Column("Graphs", "", "number"),
        ),
        rows=tuple(
            (
                Cell(item.convolution, item.convolution),
                Cell(item.policy, item.policy),
                Cell(units.scaled_estimate(item.none_per_edge, reading.slope_factor), item.none_per_edge.estimate),
                Cell(
                    units.scaled_estimate(item.difference_per_edge, reading.slope_factor),
                    item.difference_per_edge.estimate,
                ),
                Cell(units.ratio(item.slope_ratio), item.slope_ratio),
                _optional(item.p_value),
                Cell(units.count(item.clusters), item.clusters),
            )
            for item in found
        ),
        source=REGRESSIONS,
    )
