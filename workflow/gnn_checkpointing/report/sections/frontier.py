"""The frontier: memory against time, and the densities at which each policy starts or stops paying."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import SAVES_BELOW, SPARSE_DEGREE, FrontierPoint
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure, Panel
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.frontier import Path, Place, drawn_paths, frontier_panel, key_panel
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.parts import (
    CONVOLUTION,
    Columns,
    blocks,
    by_pair,
    grouped,
    in_order,
    of_policy,
    over_levels,
    spans,
)
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import sourced

_text = texts("frontier")

SAVES = units.share(1 - sourced(SAVES_BELOW, "gnn_checkpointing/analysis/results/frontier.py#/SAVES_BELOW"))
"""A policy saves memory where it saves more than this."""

_SPARSE = sourced(SPARSE_DEGREE, "gnn_checkpointing/analysis/results/frontier.py#/SPARSE_DEGREE")
_SEGMENTS: Columns = (
    CONVOLUTION,
    Of("Average degree", "level", unit="edges per node", content="number"),
    Of("Best", "policy"),
    Of("Activation memory", "activation_ratio", units.ratio, "/ none"),
    Of("Step time", "time_ratio", units.ratio, "/ none"),
    Of("Tried", lambda one: ", ".join(one.tried), content="prose"),
)


def frontier_section(inputs: ReportInputs) -> Section | None:
    """The frontier in a figure and in tables, None where too few policies were measured for one."""
    if not inputs.has_frontier:
        return None
    points = points_under(inputs, inputs.reference)
    levels = _levels(inputs.frontier.points)
    memory = {
        (p.convolution, p.policy, p.level): p.activation_ratio and p.activation_ratio.estimate
        for p in points
        if p.policy != "none"
    }
    order = inputs.convolutions
    best = sorted(inputs.frontier.best_segments, key=lambda one: (order.index(one.convolution), float(one.level)))
    caption = _text("table-frontier-memory")
    tables = [
        over_levels("table-frontier-memory", caption, EFFECTS, memory, levels, units.ratio, named=inputs.named),
        times_table(inputs, "table-frontier-time", _text("table-frontier-time", inputs=inputs), points),
        _bytes_table(inputs, points),
        _payoff_table(inputs, points),
        table("table-segments", _text("table-segments"), EFFECTS, best, *_SEGMENTS),
        _flatness_table(inputs, points),
    ]
    opening = _text("every-policy-on-graphs-of", inputs=inputs)
    figure, missing = frontier_figure(inputs, inputs.convolutions), _text("missing", quality=inputs.quality)
    return Section("frontier", "Frontier of memory and time", blocks(opening, figure, tables, missing))


def points_under(inputs: ReportInputs, allocator: str) -> list[FrontierPoint]:
    """The points under an allocator, in the study's order of convolutions and policies, sparse before dense."""
    own = [point for point in inputs.frontier.points if point.allocator == allocator]
    return in_order(sorted(own, key=lambda p: float(p.level)), inputs.convolutions, inputs.policies)


def _levels(points: Sequence[FrontierPoint]) -> list[str]:
    return sorted({point.level for point in points}, key=float)


def _paths(inputs: ReportInputs, convolution: str) -> list[Path]:
    """Each policy's places that have both ratios; none itself is where the dashed lines cross."""
    found = [
        (point.policy, Place(point.level, point.activation_ratio.estimate, time.estimate, time.low, time.high))
        for point in points_under(inputs, inputs.reference)
        if point.convolution == convolution and point.policy != "none" and point.activation_ratio
        if (time := point.time_ratio) is not None
    ]
    others = inputs.quality.other_models
    return [
        Path(policy, f"{policy}*" if policy in others else policy, tuple(p for _, p in own), hollow=policy in others)
        for policy, own in grouped(found, lambda one: one[0]).items()
    ]


def frontier_figure(inputs: ReportInputs, convolutions: Sequence[str], name: str = "frontier") -> Figure | None:
    """The frontier of some convolutions, all on the same axes; None where nothing has both ratios."""
    paths = {convolution: _paths(inputs, convolution) for convolution in inputs.convolutions}
    places = [place for each in paths.values() for path in each for place in path.places]
    if not places:
        return None
    levels = [level for level in _levels(inputs.frontier.points) if any(place.level == level for place in places)]
    x = scales.log_ratio_scale([place.memory for place in places], "activation memory / none's")
    y = scales.log_ratio_scale([end for place in places for end in (place.low, place.high)], "step time / none's")
    shown = {convolution: paths[convolution] for convolution in convolutions if paths[convolution]}
    policies = [p for p in inputs.compared if any(path.policy == p for each in shown.values() for path in each)]
    panels = [
        Panel(
            id=f"{name}-key",
            title="Key",
            alternative=_text("key", levels=levels),
            svg=key_panel(f"{name}-key", policies, levels),
            role="key",
        )
    ]
    for position, (convolution, each) in enumerate(shown.items()):
        best = [
            one.policies for one in inputs.frontier.pareto if (one.convolution, one.level) == (convolution, levels[-1])
        ]
        front = [policy for policies in best for policy in policies]
        id = f"{name}-{position}"
        svg = frontier_panel(id, each, levels, x, y, front, convolution)
        told = _text("alternative", convolution=convolution, paths=each, estimate=units.estimate_of)
        panels.append(Panel(id, convolution, told, svg, drawn_paths(each, x, y), convolution))
    return Figure(
        id=f"figure-{name}",
        caption=_text("figure-frontier"),
        how_to_read=_text("figure-frontier-how-to-read", inputs=inputs),
        panels=tuple(panels),
        source=EFFECTS,
        size="wide",
    )


def times_table(inputs: ReportInputs, id: str, caption: str, points: Sequence[FrontierPoint]) -> Table:
    """Each policy's time ratio at the levels at which anything was timed."""
    cells = {(p.convolution, p.policy, p.level): p.time_ratio for p in points if p.policy != "none"}
    levels = _levels([point for point in points if point.time_ratio])
    return over_levels(id, caption, EFFECTS, cells, levels, units.ratio_estimate, named=inputs.named)


def _bytes_table(inputs: ReportInputs, points: Sequence[FrontierPoint]) -> Table:
    def per_edge(point: FrontierPoint) -> float:
        return point.policy_resident_bytes / point.num_edges if point.num_edges else 0.0

    return table(
        "table-frontier-bytes",
        _text("table-frontier-bytes"),
        EFFECTS,
        by_pair(points).values(),
        CONVOLUTION,
        of_policy(inputs),
        Of("Average degree", "average_degree", units.plain, "edges per node"),
        Of("Activation peak", "activation_bytes", units.size),
        Of("Saved", "saved_activation_bytes", units.size),
        Of("Transient", "transient_bytes", units.size),
        Of("Policy's own", "policy_resident_bytes", units.size),
        Of("Policy's own", per_edge, units.plain, "bytes per edge"),
    )


def _payoff_table(inputs: ReportInputs, points: Sequence[FrontierPoint]) -> Table:
    payoffs = by_pair(inputs.frontier.payoffs)
    unbeaten: dict[tuple[str, str], list[str]] = {}
    for best in inputs.frontier.pareto:
        for policy in best.policies:
            unbeaten.setdefault((best.convolution, policy), []).append(best.level)
    return table(
        "table-payoff",
        _text("table-payoff", saves=SAVES, inputs=inputs),
        EFFECTS,
        [payoffs[pair] for pair in by_pair(points) if pair in payoffs],
        CONVOLUTION,
        of_policy(inputs),
        Of("Saves memory at", lambda one: spans(one.saves_at, one.levels), unit="average degree"),
        Of("Costs time at", lambda one: spans(one.slower_at, one.timed_levels), unit="average degree"),
        Of("Saves time at", lambda one: spans(one.faster_at, one.timed_levels), unit="average degree"),
        Of(
            "Unbeaten at",
            lambda one: spans(unbeaten.get((one.convolution, one.policy), []), one.timed_levels),
            unit="average degree",
        ),
    )


def _flatness_table(inputs: ReportInputs, points: Sequence[FrontierPoint]) -> Table:
    found = by_pair(inputs.frontier.flatness)
    return table(
        "table-flatness",
        _text("table-flatness", sparse=_SPARSE),
        EFFECTS,
        [found[pair] for pair in by_pair(points) if pair in found],
        CONVOLUTION,
        of_policy(inputs),
        Of("Slope", "bytes_per_edge", units.plain, "bytes per edge"),
        Of("Slope", "slope_ratio", units.ratio, "/ none"),
        Of("Densest / sparse", "peak_ratio", units.ratio, "peak"),
        Of("Degrees compared", lambda flat: f"{flat.densest} / {flat.sparse}", unit="edges per node"),
    )
