"""The regressions of memory and time on nodes and edges, their residuals and their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from gnn_checkpointing.analysis.results import Interaction, Law, Response
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.points import thinning
from gnn_checkpointing.report.inputs import REGRESSIONS, ReportInputs
from gnn_checkpointing.report.page import Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.parts import CONVOLUTION, Columns, Part, blocks, in_order, points, scatter
from gnn_checkpointing.report.sections.worst import reasons
from gnn_checkpointing.report.texts import texts

_text = texts("laws")
_POLICY: Of[Law | Interaction] = Of("Policy", "policy")
_FIT: Columns = (
    CONVOLUTION,
    _POLICY,
    Of("Median residual", "median_relative_residual", units.percent),
    Of("Worst residual", "worst_relative_residual", units.percent),
    Of("Breusch-Pagan p", "breusch_pagan_p", units.probability),
    Of("RESET p", "reset_p", units.probability),
    Of("Held-out degree", lambda law: law.held_out and law.held_out.level, units.plain, "edges per node"),
    Of("Median error", lambda law: law.held_out and law.held_out.median_relative_error, units.percent),
    Of("Worst error", lambda law: law.held_out and law.held_out.worst_relative_error, units.percent),
    Of("Inside interval", lambda law: law.held_out and law.held_out.inside_interval, units.percent),
)


@dataclass(frozen=True)
class Reading:
    """How a response and its coefficients read; bytes are exact, and have no interval and no p."""

    id: str
    response: Response
    noun: str
    constant: tuple[float, str]
    slope: tuple[float, str]

    @property
    def sampled(self) -> bool:
        """Whether it scatters."""
        return self.response == "step_time_seconds"

    def coefficient(self, name: str, field: str) -> Of[Law | Interaction]:
        """The column of a slope or a constant, with its interval."""
        factor, unit = self.constant if field == "constant" else self.slope
        return Of(name, field, partial(units.scaled_estimate, factor=factor), unit)


READINGS = (
    Reading("activation", "activation_bytes", "Activation memory", (units.KIB, "KiB"), (1.0, "bytes")),
    Reading("saved", "saved_activation_bytes", "Saved activations", (units.KIB, "KiB"), (1.0, "bytes")),
    Reading("time", "step_time_seconds", "Step time", (units.MILLISECOND, "ms"), (units.NANOSECOND, "ns")),
)


def laws_section(inputs: ReportInputs) -> Section:
    """The fitted laws."""
    found = inputs.regressions
    parts: list[Part] = [_text("each-law-reads-response-constant" if found.laws else "no-law", found=found)]
    order = inputs.study.architecture.convolutions, inputs.policies
    for reading in READINGS:
        laws = in_order([law for law in found.laws if law.response == reading.response], *order)
        if laws:
            caption = _text("how-well-the-laws-fit", noun=reading.noun)
            fit = table(f"table-prediction-{reading.id}", caption, REGRESSIONS, laws, *_FIT)
            parts += [_coefficients(laws, reading, found.confidence), fit]
        if laws and reading.id != "saved":
            parts += [_residuals(inputs, laws, reading), _quantiles(inputs, laws, reading)]
        differences = in_order([one for one in found.interactions if one.response == reading.response], *order)
        if differences:
            parts.append(_interactions(differences, reading, found.confidence))
    parts.append(reasons("table-not-fitted", _text("table-not-fitted"), found.not_fitted, REGRESSIONS))
    return Section("laws", "Regressions on nodes and edges", blocks(*parts))


def _coefficients(laws: Sequence[Law], reading: Reading, level: float) -> Table:
    return table(
        f"table-law-{reading.id}",
        _text("table-law", reading=reading, level=level),
        REGRESSIONS,
        laws,
        CONVOLUTION,
        _POLICY,
        Of("Cells", "cells", units.count),
        reading.coefficient("Constant", "constant"),
        reading.coefficient("Per node", "per_node"),
        reading.coefficient("Per edge", "per_edge"),
        Of("R²", "r_squared", lambda value: units.fixed(value, 4)),
    )


def _residuals(inputs: ReportInputs, laws: Sequence[Law], reading: Reading) -> Figure:
    own = {name: [law for law in laws if law.convolution == name] for name in inputs.convolutions}
    shown = {
        convolution: [
            Line(law.policy, tuple(Point(r.num_edges, r.relative, r.relative, r.relative) for r in law.residuals))
            for law in fitted
            if law.residuals
        ]
        for convolution, fitted in own.items()
    }
    every = points(shown.values())
    x = scales.count_scale([point.x for point in every] or [1.0], "edges")
    y = scales.share_scale([point.y for point in every] or [0.0], "residual (% of fitted)")
    level = inputs.regressions.confidence
    return scatter(
        inputs,
        f"figure-residuals-{reading.id}",
        (
            _text("figure-residuals", noun=reading.noun),
            _text("a-good-law-leaves-a", values=thinning(shown.values())),
            REGRESSIONS,
        ),
        shown,
        lambda name: _text("residuals", reading=reading, laws=own[name], level=level),
        (x, y),
    )


def _quantiles(inputs: ReportInputs, laws: Sequence[Law], reading: Reading) -> Figure | None:
    """Q-Q plots of the laws that leave more than rounding; None where none does."""
    shown = {
        convolution: [line for law in laws if law.convolution == convolution and (line := _against_normal(law)).points]
        for convolution in inputs.convolutions
    }
    every = points(shown.values())
    if not every:
        return None
    x = scales.deviation_scale([point.x for point in every], "normal quantile")
    y = scales.deviation_scale([point.y for point in every], "residual (standard deviations)")

    def told(name: str) -> str:
        furthest = [(line.policy, max(line.points, key=lambda each: abs(each.y - each.x))) for line in shown[name]]
        return _text("quantiles", convolution=name, noun=reading.noun, furthest=furthest)

    words = (
        _text("residuals-of-the-laws-against", noun=reading.noun),
        _text("normal-residuals-lie-on-the", values=thinning(shown.values())),
        REGRESSIONS,
    )
    return scatter(inputs, f"figure-quantiles-{reading.id}", words, shown, told, (x, y), diagonal=True)


def _against_normal(law: Law) -> Line:
    pairs = [
        (r.normal_quantile, r.standardised)
        for r in law.residuals
        if r.normal_quantile is not None and r.standardised is not None
    ]
    return Line(law.policy, tuple(Point(x, y, y, y) for x, y in sorted(pairs)))


def _interactions(found: Sequence[Interaction], reading: Reading, level: float) -> Table:
    return table(
        f"table-interaction-{reading.id}",
        _text("interaction-of-policy-and-edges", reading=reading, level=level),
        REGRESSIONS,
        found,
        CONVOLUTION,
        _POLICY,
        reading.coefficient("None, per edge", "none_per_edge"),
        reading.coefficient("Difference, per edge", "difference_per_edge"),
        Of("Slope ratio", "slope_ratio", units.ratio, "/ none"),
        Of("p", "p_value", units.probability) if reading.sampled else None,
        Of("Graphs", "clusters", units.count),
    )
