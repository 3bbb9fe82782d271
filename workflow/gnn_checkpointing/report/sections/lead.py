"""The one figure on the first screen: how much of none's activation memory two policies keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.bars import Bar, bar_panel, drawn_bars
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import Look, by_convolution, looks
from gnn_checkpointing.report.figures.points import Mark
from gnn_checkpointing.report.inputs import EFFECTS, MEASUREMENTS, ReportInputs
from gnn_checkpointing.report.panels import Shown, figure, lines_over, marks_on_rows
from gnn_checkpointing.report.sections.depth import depth_figure
from gnn_checkpointing.report.sections.ego import ego_figure
from gnn_checkpointing.report.sections.families import NAMES, densest
from gnn_checkpointing.report.sections.frontier import frontier_figure
from gnn_checkpointing.report.texts import texts

_text = texts("lead")

Compared = TypeVar("Compared", bound=Effect)

_FIRST = ("layers", "edge_blocks")
_AXIS = "activation memory / none's"
_MOST_GRAPHS = 12


def lead_figure(inputs: ReportInputs) -> Figure | None:
    """Return what the study is about in two panels, a policy each; None where it compares nothing with none."""
    if inputs.depths.points:
        return depth_figure(inputs, "lead")
    if inputs.ego.points:
        return ego_figure(inputs, "lead")
    if inputs.has_frontier and inputs.frontier.pareto and inputs.many_policies:
        return frontier_figure(inputs, inputs.convolutions[:1], "lead")
    for found in (_families(inputs), _batches(inputs), _densities(inputs), _real(inputs), _limit(inputs)):
        if found is not None:
            return found
    return None


def _policies(inputs: ReportInputs) -> list[str]:
    """Return whole layers and our own blocks where they were measured, else the first two policies of the study."""
    wanted = [policy for policy in _FIRST if policy in inputs.compared]
    return wanted if len(wanted) == len(_FIRST) else inputs.compared[: len(_FIRST)]


def _looks(inputs: ReportInputs, policy: str) -> dict[str, Look]:
    return by_convolution(inputs.convolutions, looks(inputs.policies)[policy].colour)


def _densities(inputs: ReportInputs) -> Figure | None:
    shown = _along(inputs, inputs.effects.generated, lambda effect: effect.average_degree)
    return _lines(inputs, shown, "average degree (edges per node)", "as a graph gets denser", EFFECTS)


def _batches(inputs: ReportInputs) -> Figure | None:
    found = [effect for effect in inputs.variants.batches if effect.sampler == "neighbours" and effect.size]
    if not found:
        return None
    base = found[0].base
    shown = _along(inputs, [effect for effect in found if effect.base == base], lambda effect: effect.size or 0.0)
    return _lines(inputs, shown, "neighbours drawn a layer", f"as batches of {base} get denser", EFFECTS)


def _along(
    inputs: ReportInputs, effects: Sequence[Compared], place: Callable[[Compared], float]
) -> dict[str, list[Line]]:
    """Return each policy's lines, one a convolution, with `place` as x."""
    ordered = sorted(effects, key=place)
    lines = {
        policy: [
            Line(
                convolution,
                tuple(
                    Point.of(place(e), ratio)
                    for e in ordered
                    if (e.convolution, e.policy) == (convolution, policy) and (ratio := e.activation_ratio) is not None
                ),
            )
            for convolution in inputs.convolutions
        ]
        for policy in _policies(inputs)
    }
    return {policy: [line for line in each if line.points] for policy, each in lines.items()}


def _lines(inputs: ReportInputs, shown: dict[str, list[Line]], across: str, about: str, source: str) -> Figure | None:
    points = [point for lines in shown.values() for line in lines for point in line.points]
    if len({point.x for point in points}) < 2:
        return None
    x, y = scales.degree_scale([p.x for p in points], across), scales.ratio_scale([p.y for p in points], _AXIS)
    panels = [
        lines_over(policy, lines, _looks(inputs, policy), x, y, reference=1.0, names="convolution")
        for policy, lines in shown.items()
    ]
    return _figure(panels, about, "one line per convolution", source)


def _families(inputs: ReportInputs) -> Figure | None:
    if not inputs.variants.families or inputs.variants.reference_family is None:
        return None
    num_nodes, level = densest(inputs)
    chosen = [e for e in inputs.variants.families if (e.num_nodes, e.level) == (num_nodes, level)]
    shown = {
        policy: [
            Mark(NAMES.get(e.family, e.family), e.convolution, e.activation_ratio.estimate)
            for e in chosen
            if e.policy == policy
        ]
        for policy in _policies(inputs)
    }
    return _marks(inputs, shown, f"on families of graphs of average degree {level}", EFFECTS)


def _real(inputs: ReportInputs) -> Figure | None:
    found = sorted(inputs.effects.real, key=lambda effect: effect.average_degree)
    graphs = list(dict.fromkeys(effect.level for effect in found))[-_MOST_GRAPHS:]
    shown = {
        policy: [
            Mark(e.level, e.convolution, e.activation_ratio.estimate)
            for e in found
            if e.policy == policy and e.level in graphs
        ]
        for policy in _policies(inputs)
    }
    return _marks(inputs, shown, "on real graphs, sparse before dense", EFFECTS)


def _limit(inputs: ReportInputs) -> Figure | None:
    """What each policy needs beside the memory limit, None where there is no limit or nothing completed under it."""
    gib = inputs.study.measurement.memory_limit_gib
    if gib is None or not inputs.completed:
        return None
    limit = gib * units.GIB
    bars = [
        Bar(
            policy if len(inputs.convolutions) == 1 else f"{policy}, {row['convolution']}",
            number(row, "peak_memory_bytes") if row["outcome"] == "completed" else None,
            str(row["graph_label"]),
        )
        for policy in inputs.policies
        for row in inputs.rows
        if row["policy"] == policy and row["outcome"] in ("completed", "out_of_memory")
    ]
    told = "; ".join(f"{bar.name} {units.size(bar.value) if bar.value else 'ran out of memory'}" for bar in bars)
    return figure(
        "figure-lead",
        "Peak memory of a training step, and the limit.",
        "One bar per policy; the dashed line is the limit. A pale bar that runs past it ran out of memory: how much it "
        "would need was not measured.",
        MEASUREMENTS,
        [
            Shown(
                f"Under a limit of {units.plain(gib)} GiB",
                f"Bar chart: peak memory under a limit of {units.size(limit)}. {told}.",
                lambda name: (bar_panel(name, bars, limit), drawn_bars(bars, limit)),
            )
        ],
    )


def _marks(inputs: ReportInputs, shown: dict[str, list[Mark]], about: str, source: str) -> Figure | None:
    values = [mark.value for marks in shown.values() for mark in marks]
    if not values:
        return None
    x = scales.ratio_scale(values, _AXIS)
    panels = [
        marks_on_rows(policy, marks, _looks(inputs, policy), x, names="convolution") for policy, marks in shown.items()
    ]
    return _figure(panels, about, "one marker per convolution, one line per graph", source)


def _figure(panels: Sequence[Shown | None], about: str, marks: str, source: str) -> Figure:
    caption = f"What is left of none's activation memory, {about}."
    return figure("figure-lead", caption, _text("figure-lead-how_to_read", marks=marks), source, panels)
