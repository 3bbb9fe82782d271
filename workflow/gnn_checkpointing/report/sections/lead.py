"""The one figure on the first screen: how much of none's activation memory two policies keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures import drawn, scales
from gnn_checkpointing.report.figures.lines import Line, Point, line_panel
from gnn_checkpointing.report.figures.palette import Look, looks
from gnn_checkpointing.report.figures.points import Mark, ratio_panel
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import EFFECTS, MEASUREMENTS, ReportInputs
from gnn_checkpointing.report.page import Figure, Panel
from gnn_checkpointing.report.sections.depth import depth_figure
from gnn_checkpointing.report.sections.ego import ego_figure
from gnn_checkpointing.report.sections.families import NAMES, densest
from gnn_checkpointing.report.sections.frontier import frontier_figure
from gnn_checkpointing.report.texts import texts

_text = texts("lead")

Compared = TypeVar("Compared", bound=Effect)

_FIRST = ("layers", "edge_blocks")
_AXIS = "activation memory / none's"
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
_DASHES: tuple[tuple[float, ...], ...] = ((), (4, 2), (1, 1.5), (6, 2, 1, 2), (2, 2), (8, 3))
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
    """Return a look for each convolution: the policy's colour, told apart by marker and line."""
    colour = looks(inputs.policies)[policy].colour
    return {
        name: Look(colour, _MARKERS[place % len(_MARKERS)], _DASHES[place % len(_DASHES)])
        for place, name in enumerate(inputs.convolutions)
    }


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
                    Point(place(e), ratio.estimate, ratio.low, ratio.high)
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
        Panel(
            id=f"lead-{place}",
            title=policy,
            alternative=f"Line chart, policy {policy}: {_AXIS} against {across}. " + " ".join(map(_told, lines)),
            svg=line_panel(f"lead-{place}", lines, _looks(inputs, policy), x, y, reference=1.0),
            drawn=drawn.of_lines(lines, x, y, "convolution"),
        )
        for place, (policy, lines) in enumerate(shown.items())
        if lines
    ]
    return _figure(panels, about, "one line per convolution", source)


def _told(line: Line) -> str:
    first, last = line.points[0], line.points[-1]
    return (
        f"{line.policy}: {units.ratio(first.y)} at {units.plain(first.x)}, {units.ratio(last.y)} at "
        f"{units.plain(last.x)}."
    )


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
    """What each policy needs of the memory limit, None where there is no limit or nothing completed under it."""
    limit = inputs.study.measurement.memory_limit_gib
    if limit is None or not inputs.completed:
        return None
    needed = [
        Mark(
            policy,
            str(row["convolution"]),
            min(1.0, (number(row, "peak_memory_bytes") or limit * units.GIB) / (limit * units.GIB)),
        )
        for policy in inputs.policies
        for row in inputs.rows
        if row["policy"] == policy and row["outcome"] in ("completed", "out_of_memory")
    ]
    axis = "peak memory / limit"
    x = scales.ratio_scale([mark.value for mark in needed], axis)
    panel = Panel(
        id="lead-limit",
        title=f"Under a limit of {units.plain(limit)} GiB",
        alternative=f"Dot chart: {axis}. "
        + "; ".join(f"{mark.label} {units.percent(mark.value)}" for mark in needed)
        + "; at 100 % a policy ran out of memory.",
        svg=ratio_panel("lead-limit", needed, {name: Look("#0072b2", "o", ()) for name in inputs.convolutions}, x),
        drawn=drawn.of_marks(needed, x, "convolution"),
    )
    return Figure(
        id="figure-lead",
        caption="Peak memory of a training step, as a share of the limit.",
        how_to_read="One line per policy. A marker on the dashed line ran out of memory: it needs more than the limit.",
        panels=(panel,),
        source=MEASUREMENTS,
    )


def _marks(inputs: ReportInputs, shown: dict[str, list[Mark]], about: str, source: str) -> Figure | None:
    values = [mark.value for marks in shown.values() for mark in marks]
    if not values:
        return None
    x: Scale = scales.ratio_scale(values, _AXIS)
    panels = [
        Panel(
            id=f"lead-{place}",
            title=policy,
            alternative=f"Dot chart, policy {policy}: {_AXIS}. "
            + "; ".join(f"{mark.policy} on {mark.label} {units.ratio(mark.value)}" for mark in marks)
            + ".",
            svg=ratio_panel(f"lead-{place}", marks, _looks(inputs, policy), x),
            drawn=drawn.of_marks(marks, x, "convolution"),
        )
        for place, (policy, marks) in enumerate(shown.items())
        if marks
    ]
    return _figure(panels, about, "one marker per convolution, one line per graph", source)


def _figure(panels: Sequence[Panel], about: str, marks: str, source: str) -> Figure:
    return Figure(
        id="figure-lead",
        caption=f"What is left of none's activation memory, {about}.",
        how_to_read=_text("figure-lead-how_to_read", marks=marks),
        panels=tuple(panels),
        source=source,
    )
