"""One training step under the microscope: live bytes at every allocation, policy beside policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from gnn_checkpointing.analysis.table import series
from gnn_checkpointing.records.traces import Trace
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure, Panel
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.timeline import Course, drawn_courses, timeline_panel
from gnn_checkpointing.report.inputs import TRACES, ReportInputs
from gnn_checkpointing.report.sections.parts import grouped
from gnn_checkpointing.report.appendix import Texts

_text = Texts("timeline")

_FLOOR = 1 / 40
"""The axis begins at this share of the smallest peak: the first bytes of a step span decades that say nothing."""


def traced_by_convolution(inputs: ReportInputs) -> dict[str, list[Trace]]:
    """Each convolution's traces in the study's order of policies."""
    order = {policy: place for place, policy in enumerate(inputs.policies)}
    ordered = sorted(inputs.traces, key=lambda trace: order.get(trace.policy, len(order)))
    keys = ("convolution", "aggregation", "model")
    found = grouped(ordered, lambda trace: series({key: getattr(trace, key) for key in keys}))
    names = (*inputs.convolutions, *sorted(set(found) - set(inputs.convolutions)))
    return {name: found[name] for name in names if name in found}


def pairs_of(traced: Mapping[str, Sequence[Trace]]) -> list[tuple[str, Trace]]:
    """Every trace beside its convolution."""
    return [(convolution, trace) for convolution, traces in traced.items() for trace in traces]


def timeline_figure(inputs: ReportInputs, traced: Mapping[str, Sequence[Trace]]) -> Figure:
    """Live bytes over one step, a panel for each convolution."""
    peaks = [trace.peak_bytes for traces in traced.values() for trace in traces]
    low, high = max(1.0, min(peaks) * _FLOOR), max(peaks) * 4
    panels = []
    for position, (convolution, traces) in enumerate(traced.items()):
        id, courses = f"timeline-{position}", _courses(inputs, traces)
        alternative = _text("alternative", convolution=convolution, traces=[(t, forward_share(t)) for t in traces])
        svg = timeline_panel(id, courses, low, high)
        panels.append(Panel(id, convolution, alternative, svg, drawn_courses(courses), convolution))
    size: Literal["small", "wide"] = "wide" if any(len(traces) > 2 for traces in traced.values()) else "small"
    words = _text("figure-timeline"), _text("figure-timeline-how-to-read")
    return Figure("figure-timeline", *words, tuple(panels), TRACES, size)


def _courses(inputs: ReportInputs, traces: Sequence[Trace]) -> list[Course]:
    colours = looks(inputs.policies + [trace.policy for trace in traces if trace.policy not in inputs.policies])
    return [
        Course(
            policy=trace.policy,
            look=colours[trace.policy],
            shares=tuple(second / _length(trace) for second in trace.seconds),
            live_bytes=tuple(float(value) for value in trace.live_bytes),
            forward_ended=forward_share(trace),
            peak=units.size(trace.peak_bytes),
        )
        for trace in traces
    ]


def _length(trace: Trace) -> float:
    return max([trace.forward_ended_seconds, *trace.seconds]) or 1.0


def forward_share(trace: Trace) -> float:
    """When the forward pass ended, as a share of the step."""
    return trace.forward_ended_seconds / _length(trace)


def transient(trace: Trace) -> int:
    """The part of the peak that is not saved for the backward pass."""
    return trace.peak_bytes - trace.saved_activation_bytes
