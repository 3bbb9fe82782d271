"""The regressions of memory and time on nodes and edges, their residuals and their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from gnn_checkpointing.analysis.results import Interaction, Law, Response
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.inputs import REGRESSIONS, ReportInputs
from gnn_checkpointing.report.page import Figure, Table
from gnn_checkpointing.report.sections.parts import points, scatter

_text = Texts("laws")


@dataclass(frozen=True)
class Reading:
    """How a response and its coefficients read; bytes are not `sampled`: exact, without interval and p."""

    id: str
    response: Response
    noun: str
    constant: tuple[float, str]
    slope: tuple[float, str]
    sampled: bool = False


READINGS = (
    Reading("activation", "activation_bytes", "Activation memory", (units.KIB, "KiB"), (1.0, "bytes")),
    Reading("saved", "saved_activation_bytes", "Saved activations", (units.KIB, "KiB"), (1.0, "bytes")),
    Reading(
        "time", "step_time_seconds", "Step time", (units.MILLISECOND, "ms"), (units.NANOSECOND, "ns"), sampled=True
    ),
)


def law_table(inputs: ReportInputs, name: str, items: Sequence[Law | Interaction], reading: Reading) -> Table:
    """What is known of the laws of a response, or of their differences."""
    return _text.table(
        inputs,
        f"{name}-{reading.id}",
        REGRESSIONS,
        items,
        reading=reading,
        level=inputs.regressions.confidence,
        in_constant=partial(units.scaled_estimate, factor=reading.constant[0]),
        in_slope=partial(units.scaled_estimate, factor=reading.slope[0]),
    )


def residuals_figure(inputs: ReportInputs, laws: Sequence[Law], reading: Reading) -> Figure:
    """What the laws leave of each cell."""
    own = {name: [law for law in laws if law.convolution == name] for name in inputs.convolutions}
    shown = {
        convolution: [
            Line(law.policy, tuple(Point.of(r.num_edges, r.relative) for r in law.residuals))
            for law in fitted
            if law.residuals
        ]
        for convolution, fitted in own.items()
    }
    every = points(shown.values())
    x = scales.count_scale([point.x for point in every] or [1.0], "edges")
    y = scales.share_scale([point.y for point in every] or [0.0], "residual (% of fitted)")

    def told(name: str) -> str:
        return _text("residuals", reading=reading, laws=own[name], level=inputs.regressions.confidence)

    return scatter(_text, inputs, f"figure-residuals-{reading.id}", REGRESSIONS, shown, (x, y), told, reading=reading)


def quantiles_figure(inputs: ReportInputs, laws: Sequence[Law], reading: Reading) -> Figure | None:
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

    known: dict[str, Any] = {"diagonal": True, "reading": reading}
    return scatter(_text, inputs, f"figure-quantiles-{reading.id}", REGRESSIONS, shown, (x, y), told, **known)


def _against_normal(law: Law) -> Line:
    pairs = [
        (r.normal_quantile, r.standardised)
        for r in law.residuals
        if r.normal_quantile is not None and r.standardised is not None
    ]
    return Line(law.policy, tuple(Point.of(x, y) for x, y in sorted(pairs)))
