"""The regressions of memory and time on nodes and edges, their residuals and their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from gnn_checkpointing.analysis.results import HeldOut, Interaction, Law, Response
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import thinning
from gnn_checkpointing.report.inputs import REGRESSIONS, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Of, figure, scattered, table
from gnn_checkpointing.report.sections.reasons import reasons
from gnn_checkpointing.report.texts import texts

_text = texts("laws")

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

    @property
    def sampled(self) -> bool:
        """Whether it scatters; bytes are exact, and have no interval and no p."""
        return self.response == "step_time_seconds"


READINGS = (
    Reading("activation", "activation_bytes", "Activation memory", units.KIB, "KiB", 1.0, "bytes"),
    Reading("saved", "saved_activation_bytes", "Saved activations", units.KIB, "KiB", 1.0, "bytes"),
    Reading("time", "step_time_seconds", "Step time", units.MILLISECOND, "ms", units.NANOSECOND, "ns"),
)


def laws_section(inputs: ReportInputs) -> Section:
    """Return the section on the fitted laws."""
    level = units.confidence(inputs.regressions.confidence)
    blocks: list[Block] = [Paragraph(_text("each-law-reads-response-constant", level=level))]
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
    return table(
        f"table-law-{reading.id}",
        f"{reading.noun}: fitted coefficients{f' with {level} intervals' if reading.sampled else ''}.",
        REGRESSIONS,
        laws,
        Of("Convolution", "convolution"),
        Of("Policy", "policy"),
        Of("Cells", "cells", units.count),
        Of(
            "Constant",
            "constant",
            lambda value: units.scaled_estimate(value, reading.constant_factor),
            unit=reading.constant_unit,
        ),
        Of(
            "Per node",
            "per_node",
            lambda value: units.scaled_estimate(value, reading.slope_factor),
            unit=reading.slope_unit,
        ),
        Of(
            "Per edge",
            "per_edge",
            lambda value: units.scaled_estimate(value, reading.slope_factor),
            unit=reading.slope_unit,
        ),
        Of("R²", "r_squared", lambda value: units.fixed(value, 4)),
    )


def _predictions(laws: Sequence[Law], reading: Reading) -> Table:
    return Table(
        id=f"table-prediction-{reading.id}",
        caption=_text("how-well-the-laws-fit", noun=reading.noun),
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
                law.convolution,
                law.policy,
                units.percent(law.median_relative_residual),
                units.percent(law.worst_relative_residual),
                _optional(law.breusch_pagan_p),
                _optional(law.reset_p),
                *_held_out(law.held_out),
            )
            for law in laws
        ),
        source=REGRESSIONS,
    )


def _optional(p_value: float | None) -> str:
    return units.NOTHING if p_value is None else units.probability(p_value)


def _held_out(held_out: HeldOut | None) -> tuple[str, ...]:
    if held_out is None:
        return (units.NOTHING,) * 4
    return (
        units.plain(held_out.level),
        units.percent(held_out.median_relative_error),
        units.percent(held_out.worst_relative_error),
        units.percent(held_out.inside_interval),
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
    return figure(
        f"figure-residuals-{reading.id}",
        f"{reading.noun}: residual of each cell, relative to what the law says.",
        _text("a-good-law-leaves-a", values=thinning(shown.values())),
        REGRESSIONS,
        (
            scattered(
                convolution,
                lines,
                looks(inputs.policies),
                x,
                y,
                _residual_alternative(inputs, [law for law in laws if law.convolution == convolution], reading),
            )
            for convolution, lines in shown.items()
        ),
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
    return [
        figure(
            f"figure-quantiles-{reading.id}",
            _text("residuals-of-the-laws-against", noun=reading.noun),
            _text("normal-residuals-lie-on-the", values=thinning(shown.values())),
            REGRESSIONS,
            (
                scattered(
                    convolution,
                    lines,
                    looks(inputs.policies),
                    x,
                    y,
                    f"Q-Q plot, {convolution}: standardised residuals of {reading.noun.lower()} against normal "
                    f"quantiles. {' '.join(map(_furthest, lines))}",
                    diagonal=True,
                )
                for convolution, lines in shown.items()
            ),
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
    interval = f" ({units.confidence(inputs.regressions.confidence)} interval)" if reading.sampled else ""
    sentences = [f"Scatter of relative residuals of {reading.noun.lower()} over edges, {laws[0].convolution}."]
    sentences += [
        f"Policy {law.policy}: median {units.percent(law.median_relative_residual)}, worst "
        f"{units.percent(law.worst_relative_residual)} around a slope of "
        f"{units.scaled_estimate(law.per_edge, reading.slope_factor)} {reading.slope_unit} per edge{interval}."
        for law in laws
    ]
    return " ".join(sentences)


def _interactions(found: Sequence[Interaction], reading: Reading, level: str) -> Table:
    ends = (
        f"with {level} intervals; p tests that the difference is nothing"
        if reading.sampled
        else "without interval or p, since bytes are exact"
    )
    return table(
        f"table-interaction-{reading.id}",
        _text("interaction-of-policy-and-edges", noun=reading.noun, ends=ends),
        REGRESSIONS,
        found,
        Of("Convolution", "convolution"),
        Of("Policy", "policy"),
        Of(
            "None, per edge",
            "none_per_edge",
            lambda value: units.scaled_estimate(value, reading.slope_factor),
            unit=reading.slope_unit,
        ),
        Of(
            "Difference, per edge",
            "difference_per_edge",
            lambda value: units.scaled_estimate(value, reading.slope_factor),
            unit=reading.slope_unit,
        ),
        Of("Slope ratio", "slope_ratio", units.ratio, unit="/ none"),
        Of("p", "p_value", units.probability) if reading.sampled else None,
        Of("Graphs", "clusters", units.count),
    )
