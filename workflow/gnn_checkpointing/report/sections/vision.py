"""Vision GNNs: density doubles inside one model, and with it what a block keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from gnn_checkpointing.records.traces import Trace
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import TRACES, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.panels import Shown, figure, lines_over
from gnn_checkpointing.report.sections.claims import verdict_table
from gnn_checkpointing.report.sections.graphs import without_replicate
from gnn_checkpointing.report.sections.timeline import traced_by_convolution
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.study.convolutions import VISION

_text = texts("vision")

CLAIMS = (
    "vision-layers-keep-a-fifth",
    "vision-neighbours-leave-the-ratio",
    "vision-edge-blocks-keep-less-the-denser",
    "edge-blocks-are-flat-in-density",
    "v1-the-model-is-vig-small",
)

Profile = Callable[[Trace], Sequence[int]]


def vision_section(inputs: ReportInputs) -> Section | None:
    """Return the section on Vision GNNs, None where none was measured block by block."""
    traced = _profiled(inputs)
    if not traced:
        return None
    blocks: list[Block] = [
        Paragraph(_text("a-vision-gnn-takes-the")),
        *(Paragraph(text) for convolution, traces in traced.items() if (text := _course(convolution, traces))),
        _figure(
            inputs,
            traced,
            "kept",
            "kept for the backward pass by each block",
            "What each block of the model adds to what is kept for the backward pass",
            kept_by_block,
        ),
        _figure(
            inputs,
            traced,
            "within",
            "most at once inside each block",
            "The most that each block's forward pass holds at once, above what lived when it began",
            _within,
        ),
        _table(inputs, traced),
        *verdict_table(inputs, "table-vision-verdicts", "What is claimed of Vision GNNs, and its verdict.", CLAIMS),
    ]
    return Section("vision", "Vision GNNs, block by block", tuple(blocks))


def kept_by_block(trace: Trace) -> list[int]:
    """Return what each block adds to what is live, in bytes: what is kept of it for the backward pass."""
    return [after - before for before, after in pairwise(trace.block_bytes)]


def _within(trace: Trace) -> list[int]:
    return [peak - before for before, peak in zip(trace.block_bytes, trace.block_peaks, strict=False)]


def _profiled(inputs: ReportInputs) -> dict[str, list[Trace]]:
    """Return the traces whose blocks were marked, of Vision GNNs, by model."""
    found = {
        convolution: [trace for trace in traces if trace.block_bytes]
        for convolution, traces in traced_by_convolution(inputs).items()
        if convolution.partition(" ")[0] in VISION
    }
    return {convolution: traces for convolution, traces in found.items() if traces}


def _course(convolution: str, traces: Sequence[Trace]) -> str:
    """Return what the first and the last block keep without checkpointing, in a sentence."""
    none = next((trace for trace in traces if trace.policy == "none"), None)
    if none is None:
        return ""
    kept = kept_by_block(none)
    first, last = (units.plain(none.block_degrees[end]) for end in (0, -1))
    return _text(
        "from-neighbours-in-the-first",
        convolution=convolution,
        graph_label=without_replicate(none.graph_label),
        first=first,
        last=last,
        kept=kept[0],
        kept2=kept[-1],
    )


def _figure(
    inputs: ReportInputs, traced: dict[str, list[Trace]], name: str, axis: str, caption: str, profile: Profile
) -> Figure:
    def shown(convolution: str, traces: Sequence[Trace]) -> Shown | None:
        # What a block keeps inside a recomputed run of blocks is nothing, which no logarithmic axis shows.
        lines = [
            Line(
                trace.policy, tuple(Point(place, value, value, value) for place, value in enumerate(profile(trace), 1))
            )
            for trace in traces
            if min(profile(trace)) > 0
        ]
        if not lines:
            return None
        names = [f"{number} ({k:g})" for number, k in enumerate(traces[0].block_degrees, start=1)]
        x = scales.step_scale(names, "block (its neighbours)")
        y = scales.size_scale([point.y for line in lines for point in line.points], axis)
        return lines_over(convolution, lines, looks(inputs.policies), x, y, convolution=convolution)

    return figure(
        f"figure-vision-{name}",
        f"{caption}.",
        _text("one-panel-a-model-one"),
        TRACES,
        (shown(convolution, traces) for convolution, traces in traced.items()),
    )


def _table(inputs: ReportInputs, traced: dict[str, list[Trace]]) -> Table:
    rows = []
    for convolution, traces in traced.items():
        for trace in traces:
            found = zip(trace.block_numbers, trace.block_degrees, kept_by_block(trace), _within(trace), strict=True)
            for number, k, kept, within in found:
                rows.append(
                    (
                        convolution,
                        inputs.named(trace.policy),
                        units.digits(number),
                        units.plain(k),
                        units.size(kept),
                        units.size(within),
                    )
                )
    return Table(
        id="table-vision-blocks",
        caption=_text("table-vision-blocks"),
        columns=(
            Column("Model"),
            Column("Policy"),
            Column("Block", "", "number"),
            Column("Neighbours", "", "number"),
            Column("Kept", "", "number"),
            Column("At once", "", "number"),
        ),
        rows=tuple(rows),
        source=TRACES,
    )
