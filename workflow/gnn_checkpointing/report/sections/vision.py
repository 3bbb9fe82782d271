"""Vision GNNs: density doubles inside one model, and with it what a block keeps; and a trained one explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from gnn_checkpointing.analysis.results import ExplainedSet
from gnn_checkpointing.records.traces import Trace
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.inputs import EXPLANATIONS, TRACES, ReportInputs
from gnn_checkpointing.report.page import Section
from gnn_checkpointing.report.panels import Shown, lines_over
from gnn_checkpointing.report.sections.claims import verdict_table
from gnn_checkpointing.report.sections.graphs import without_replicate
from gnn_checkpointing.report.sections.parts import blocks, line, points
from gnn_checkpointing.report.sections.timeline import traced_by_convolution
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.study.convolutions import VISION

_text = Texts("vision")

MEASURES = {
    "spatial_distance": "spatial distance (patches)",
    "visual_similarity": "visual similarity (cosine)",
    "embedding_similarity": "embedding similarity (cosine)",
    "class_probability": "probability of the right class",
    "modularity": "modularity of the object",
    "top1_accuracy": "top-1 accuracy",
}


def vision_section(inputs: ReportInputs) -> Section | None:
    """Vision GNNs block by block, None where none was measured so."""
    profiled = {
        convolution: [trace for trace in traces if trace.block_bytes]
        for convolution, traces in traced_by_convolution(inputs).items()
        if convolution.partition(" ")[0] in VISION
    }
    traced = {convolution: traces for convolution, traces in profiled.items() if traces}
    if not traced:
        return None
    rows = [
        (convolution, trace.policy, *block)
        for convolution, traces in traced.items()
        for trace in traces
        for block in zip(trace.block_numbers, trace.block_degrees, kept_by_block(trace), _within(trace), strict=True)
    ]
    kept, within = "kept for the backward pass by each block", "most at once inside each block"
    parts = blocks(
        _text("a-vision-gnn-takes-the"),
        [_course(convolution, traces) for convolution, traces in traced.items()],
        _figure(inputs, traced, "figure-vision-kept", kept, kept_by_block),
        _figure(inputs, traced, "figure-vision-within", within, _within),
        _text.table(inputs, "table-vision-blocks", TRACES, rows),
        verdict_table(_text, inputs, "table-vision-verdicts"),
    )
    return Section("vision", "Vision GNNs, block by block", parts)


def kept_by_block(trace: Trace) -> list[int]:
    """What each block adds to what is live, in bytes: what is kept of it for the backward pass."""
    return [after - before for before, after in pairwise(trace.block_bytes)]


def _within(trace: Trace) -> list[int]:
    return [peak - before for before, peak in zip(trace.block_bytes, trace.block_peaks, strict=False)]


def _course(convolution: str, traces: Sequence[Trace]) -> str:
    """What the first and the last block keep without checkpointing, in a sentence; "" where that was not traced."""
    none = next((trace for trace in traces if trace.policy == "none"), None)
    if none is None:
        return ""
    label = without_replicate(none.graph_label)
    return _text("from-neighbours-in-the-first", series=convolution, label=label, trace=none, kept=kept_by_block(none))


def _figure(
    inputs: ReportInputs,
    traced: Mapping[str, Sequence[Trace]],
    id: str,
    axis: str,
    profile: Callable[[Trace], Sequence[int]],
) -> Figure:
    def shown(convolution: str, traces: Sequence[Trace]) -> Shown | None:
        # What a block keeps inside a recomputed run of blocks is nothing, which no logarithmic axis shows.
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

    return _text.figure(id, TRACES, (shown(convolution, traces) for convolution, traces in traced.items()))


def explained_section(inputs: ReportInputs) -> Section | None:
    """A model's blocks on images, None where the study explains none."""
    sets = inputs.explained.sets
    if not sets:
        return None
    tables = [
        _text.table(inputs, f"table-explained-{name}", EXPLANATIONS, one.blocks, one=one) for name, one in sets.items()
    ]
    seeds = [claim.id for claim in inputs.ledger.claims if claim.kind == "seed"]
    verdicts = verdict_table(_text, inputs, "table-explained-verdicts", *seeds)
    opening, figure = _text("explained", sets=list(sets.values())), _explained_figure(list(sets.values()))
    return Section("explained", "A Vision GNN explained", blocks(opening, figure, tables, verdicts))


def _explained_figure(sets: Sequence[ExplainedSet]) -> Figure:
    x = scales.step_scale([f"{one.number} ({one.neighbours})" for one in sets[0].blocks], "block (its neighbours)")
    own_looks = looks([one.label for one in sets])

    def shown(measure: str, words: str) -> Shown | None:
        lines = [line(one.label, one.blocks, lambda at: at.number, lambda at: getattr(at, measure)) for one in sets]
        ends = [end for point in points([lines]) for end in (point.low, point.high)]
        return lines_over(words, lines, own_looks, x, scales.value_scale(ends, words), names="images") if ends else None

    return _text.figure("figure-explained", EXPLANATIONS, (shown(*measure) for measure in MEASURES.items()))
