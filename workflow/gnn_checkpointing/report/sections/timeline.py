"""One training step under the microscope: live bytes at every allocation, policy beside policy."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.table import series
from gnn_checkpointing.records.traces import Trace
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure, Panel
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.timeline import Course, drawn_courses, timeline_panel
from gnn_checkpointing.report.inputs import TRACES, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.texts import texts

_text = texts("timeline")

_FLOOR = 1 / 40
"""The axis begins at this share of the smallest peak: the first bytes of a step span decades that say nothing."""


def timeline_section(inputs: ReportInputs) -> Section | None:
    """Return the section on the course of one step, None where no step was traced."""
    traced = traced_by_convolution(inputs)
    if not traced:
        return None
    first = next(iter(traced.values()))[0]
    blocks: list[Block] = [
        Paragraph(
            _text(
                "one-step-on-nodes-average",
                graph_label=first.graph_label,
                num_nodes=first.num_nodes,
                average_degree=first.average_degree,
            )
        ),
        _figure(inputs, traced),
        _table(inputs, traced),
    ]
    return Section("timeline", "Timeline of one training step", tuple(blocks))


def traced_by_convolution(inputs: ReportInputs) -> dict[str, list[Trace]]:
    """Return each convolution's traces in the study's order of policies."""
    order = {policy: place for place, policy in enumerate(inputs.policies)}
    found: dict[str, list[Trace]] = {}
    for trace in inputs.traces:
        found.setdefault(_series(trace), []).append(trace)
    return {
        convolution: sorted(found[convolution], key=lambda trace: order.get(trace.policy, len(order)))
        for convolution in (*inputs.convolutions, *sorted(set(found) - set(inputs.convolutions)))
        if convolution in found
    }


def _series(trace: Trace) -> str:
    return series({"convolution": trace.convolution, "aggregation": trace.aggregation, "model": trace.model})


def _figure(inputs: ReportInputs, traced: dict[str, list[Trace]]) -> Figure:
    peaks = [trace.peak_bytes for traces in traced.values() for trace in traces]
    low, high = max(1.0, min(peaks) * _FLOOR), max(peaks) * 4
    return Figure(
        id="figure-timeline",
        caption=_text("figure-timeline"),
        how_to_read=_text("figure-timeline-how_to_read"),
        panels=tuple(
            Panel(
                id=f"timeline-{position}",
                title=convolution,
                alternative=_alternative(convolution, traces),
                svg=timeline_panel(f"timeline-{position}", _courses(inputs, traces), low, high),
                drawn=drawn_courses(_courses(inputs, traces)),
                convolution=convolution,
            )
            for position, (convolution, traces) in enumerate(traced.items())
        ),
        source=TRACES,
        size="wide" if any(len(traces) > 2 for traces in traced.values()) else "small",
    )


def _courses(inputs: ReportInputs, traces: Sequence[Trace]) -> list[Course]:
    colours = looks(inputs.policies + [trace.policy for trace in traces if trace.policy not in inputs.policies])
    return [
        Course(
            policy=trace.policy,
            look=colours[trace.policy],
            shares=tuple(second / _length(trace) for second in trace.seconds),
            live_bytes=tuple(float(value) for value in trace.live_bytes),
            forward_ended=_forward_share(trace),
            peak=units.size(trace.peak_bytes),
        )
        for trace in traces
    ]


def _length(trace: Trace) -> float:
    return max([trace.forward_ended_seconds, *trace.seconds]) or 1.0


def _forward_share(trace: Trace) -> float:
    return trace.forward_ended_seconds / _length(trace)


def _alternative(convolution: str, traces: Sequence[Trace]) -> str:
    parts = [
        f"{trace.policy} peaks at {units.size(trace.peak_bytes)} and holds "
        f"{units.size(trace.saved_activation_bytes)} when the forward pass ends, after "
        f"{units.percent(_forward_share(trace))} of the step"
        for trace in traces
    ]
    return f"Line charts of live bytes over one step, {convolution}: " + "; ".join(parts) + "."


def _table(inputs: ReportInputs, traced: dict[str, list[Trace]]) -> Table:
    return Table(
        id="table-timeline",
        caption=_text("table-timeline"),
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Resident", "", "number"),
            Column("Activation peak", "", "number"),
            Column("Saved at end of forward", "", "number"),
            Column("Transient", "", "number"),
            Column("Forward ends", "of the step", "number"),
            Column("Events", "", "number"),
        ),
        rows=tuple(
            (
                convolution,
                inputs.named(trace.policy),
                units.size(trace.resident_bytes),
                units.size(trace.peak_bytes),
                units.size(trace.saved_activation_bytes),
                _transient(trace),
                units.percent(_forward_share(trace)),
                units.count(trace.events),
            )
            for convolution, traces in traced.items()
            for trace in traces
        ),
        source=TRACES,
    )


def _transient(trace: Trace) -> str:
    value = trace.peak_bytes - trace.saved_activation_bytes
    return units.size(value)
