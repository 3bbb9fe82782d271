"""Traced steps: live bytes over time, Vision GNNs block by block, and explanations of trained ones."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, Literal

from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.analysis.table import series as series_of
from gnn_checkpointing.records.jobs import Explained
from gnn_checkpointing.records.traces import Trace
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figures import scales, svg
from gnn_checkpointing.report.figures.chart import Chart, Point, draw
from gnn_checkpointing.report.figures.labels import Box
from gnn_checkpointing.report.figures.layers import rule, series
from gnn_checkpointing.report.figures.lines import lines_over
from gnn_checkpointing.report.figures.palette import Look, looks
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import EXPLANATIONS, TRACES, ReportInputs
from gnn_checkpointing.report.page import Drawn, Figure, Panel
from gnn_checkpointing.report.sections.parts import in_order, line, points
from gnn_checkpointing.sourced import plain
from gnn_checkpointing.study.convolutions import VISION

_text = Texts("timeline")

_FLOOR = 1 / 40
"""The axis begins at this fraction of the smallest peak: the first bytes of a step span uninformative decades."""
_COLUMNS, _BUCKETS = 3, 48
_WIDTH, _ROW, _GAP = 353.0, 80.0, 10.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 45.0, 6.0, 17.0, 30.0


def traced_by_convolution(inputs: ReportInputs) -> dict[str, list[Trace]]:
    """Each convolution's traces in the study's order of policies."""
    keys = ("convolution", "aggregation", "model")
    ordered = in_order(inputs, inputs.traces, "policy")
    found = grouped(ordered, lambda trace: series_of({key: getattr(trace, key) for key in keys}))
    names = (*inputs.convolutions, *sorted(set(found) - set(inputs.convolutions)))
    return {name: found[name] for name in names if name in found}


def pairs_of(traced: Mapping[str, Sequence[Trace]]) -> list[tuple[str, Trace]]:
    """Every trace with its convolution."""
    return [(convolution, trace) for convolution, traces in traced.items() for trace in traces]


def timeline_figure(inputs: ReportInputs, traced: Mapping[str, Sequence[Trace]]) -> Figure:
    """Live bytes over one step: a panel for each convolution, a small chart for each policy, all on the same axes."""
    every = [trace for traces in traced.values() for trace in traces]
    peaks, colours = [trace.peak_bytes for trace in every], looks(_names(inputs, every))
    low, high = max(1.0, min(peaks) * _FLOOR), max(peaks) * 4
    panels = []
    for convolution, traces in traced.items():
        told = _text("alternative", convolution=convolution, traces=[(t, forward_share(t)) for t in traces])
        rows = ((trace.policy, round(plain(share), 5), value) for trace in traces for share, value in _course(trace))
        drawn = Drawn(("policy", "share of the step", "live bytes above resident"), tuple(rows))
        panels.append(Panel(convolution, told, _drawing(traces, colours, low, high), drawn, convolution))
    size: Literal["small", "wide"] = "wide" if any(len(traces) > 2 for traces in traced.values()) else "small"
    return _text.figure("figure-timeline", TRACES, panels, size=size)


def _names(inputs: ReportInputs, traces: Sequence[Trace]) -> list[str]:
    return list(dict.fromkeys([*inputs.policies, *(trace.policy for trace in traces)]))


def _drawing(traces: Sequence[Trace], colours: Mapping[str, Look], low: float, high: float) -> str:
    """SVG of one convolution's policies, on a logarithmic axis from `low` to `high` bytes."""
    columns = min(_COLUMNS, len(traces))
    width = (_WIDTH - _LEFT - _RIGHT - (_COLUMNS - 1) * _GAP) / _COLUMNS
    height = _BOTTOM + math.ceil(len(traces) / columns) * (_ROW + _TOP)
    root = svg.drawing(_LEFT + _RIGHT + columns * width + (columns - 1) * _GAP, height)
    sizes = scales.size_scale([low, high], "").between(low, high)
    for number, trace in enumerate(traces):
        row, column = divmod(number, columns)
        left, top = _LEFT + column * (width + _GAP), _TOP + row * (_ROW + _TOP)
        frame, last = Box(left, top, left + width, top + _ROW), number + columns >= len(traces)
        x = Scale("share of the step" if last else "", False, 0.0, 1.0, (0.0, 0.5, 1.0), ("0", "0.5", "1"))
        y = replace(sizes, label=trace.policy)
        points = [Point(share, max(value, low), 0.0, 0.0) for share, value in _course(trace)]
        known: dict[str, Any] = {"name": trace.policy, "look": colours[trace.policy], "points": points}
        layers = [partial(rule, x=forward_share(trace), dashes="3 2"), partial(series, marks=False, width=1.2, **known)]
        chart = Chart(frame, x, y, layers, title_size=7.5, small=True, tick_labels=(last, column == 0))
        peak = units.size(trace.peak_bytes)
        svg.words(draw(root, chart), frame.right - 3, frame.top + 7, peak, 7.0, text_anchor="end")
    return svg.written(root)


def _course(trace: Trace) -> list[tuple[float, float]]:
    """Share of the step and live bytes at the points to draw."""
    shares = (second / _length(trace) for second in trace.seconds)
    return thinned(list(zip(shares, map(float, trace.live_bytes), strict=True)), _BUCKETS)


def thinned(points: Sequence[tuple[float, float]], buckets: int) -> list[tuple[float, float]]:
    """Only the lowest and the highest point of each bucket along x; no peak is lost."""
    groups = grouped(points, lambda point: min(int(point[0] * buckets), buckets - 1))
    return [
        end
        for each in groups.values()
        for end in sorted({pick(each, key=lambda point: point[1]) for pick in (min, max)})
    ]


def _length(trace: Trace) -> float:
    return max([trace.forward_ended_seconds, *trace.seconds]) or 1.0


def forward_share(trace: Trace) -> float:
    """End of the forward pass, as a share of the step."""
    return trace.forward_ended_seconds / _length(trace)


MEASURES = {
    "spatial_distance": "spatial distance (patches)",
    "visual_similarity": "visual similarity (cosine)",
    "embedding_similarity": "embedding similarity (cosine)",
    "class_probability": "probability of the right class",
    "modularity": "modularity of the object",
    "top1_accuracy": "top-1 accuracy",
}


def profiled(inputs: ReportInputs) -> dict[str, list[Trace]]:
    """Traces of Vision GNNs that were profiled block by block, by convolution."""
    traced = traced_by_convolution(inputs).items()
    found = {name: [trace for trace in traces if trace.block_bytes] for name, traces in traced}
    return {name: traces for name, traces in found.items() if traces and name.partition(" ")[0] in VISION}


def blocks_of(inputs: ReportInputs) -> list[tuple[str, str, int, float, int, int]]:
    """Every block of every trace: model, policy, number, neighbours, bytes kept of it, peak within it."""
    return [
        (convolution, trace.policy, *block)
        for convolution, traces in profiled(inputs).items()
        for trace in traces
        for block in zip(
            trace.block_numbers, trace.block_degrees, kept_by_block(trace), within_blocks(trace), strict=True
        )
    ]


def kept_by_block(trace: Trace) -> list[int]:
    """Live bytes that each block adds: memory kept for the backward pass."""
    return [after - before for before, after in pairwise(trace.block_bytes)]


def within_blocks(trace: Trace) -> list[int]:
    """Peak of each block, in bytes above those live at its beginning."""
    return [peak - before for before, peak in zip(trace.block_bytes, trace.block_peaks, strict=False)]


def blocks_figure(inputs: ReportInputs, id: str, axis: str, profile: Callable[[Trace], Sequence[int]]) -> Figure:
    """Bytes that blocks keep or hold at once, a panel for each model."""

    def shown(convolution: str, traces: Sequence[Trace]) -> Panel | None:
        # A block inside a recomputed run of blocks keeps 0 bytes, which a logarithmic axis cannot show.
        lines = [
            line(trace.policy, list(enumerate(profile(trace), start=1)), lambda one: one[0], lambda one: one[1])
            for trace in traces
            if min(profile(trace)) > 0
        ]
        if not lines:
            return None
        names = [f"{number} ({k:g})" for number, k in enumerate(traces[0].block_degrees, start=1)]
        x = scales.step_scale(names, "block (its neighbours)")
        y = scales.size_scale([point.y for point in points([lines])], axis)
        return lines_over(convolution, lines, looks(inputs.policies), x, y, convolution=convolution)

    return _text.figure(id, TRACES, (shown(convolution, traces) for convolution, traces in profiled(inputs).items()))


def explained_figure(sets: Sequence[Explained]) -> Figure:
    """A panel for each measure, a line for each set of images."""
    x = scales.step_scale([f"{one.number} ({one.neighbours})" for one in sets[0].blocks], "block (its neighbours)")
    own_looks = looks([one.label for one in sets])

    def shown(measure: str, words: str) -> Panel | None:
        lines = [line(one.label, one.blocks, lambda at: at.number, lambda at: getattr(at, measure)) for one in sets]
        ends = [end for point in points([lines]) for end in (point.low, point.high)]
        return lines_over(words, lines, own_looks, x, scales.value_scale(ends, words), names="images") if ends else None

    return _text.figure("figure-explained", EXPLANATIONS, (shown(*measure) for measure in MEASURES.items()))
