"""Points of the frontier as the report's tables want them: in the study's order, by level, in runs of levels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gnn_checkpointing.analysis.results import FrontierPoint
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import ReportInputs


def reference_points(inputs: ReportInputs) -> list[FrontierPoint]:
    """Return the points under the reference allocator, in the study's order of convolutions and policies."""
    order = {
        (convolution, policy): place
        for place, (convolution, policy) in enumerate(
            (convolution, policy) for convolution in inputs.convolutions for policy in inputs.policies
        )
    }
    points = [point for point in inputs.frontier.points if point.allocator == inputs.reference]
    last = len(order)
    return sorted(points, key=lambda p: (order.get((p.convolution, p.policy), last), float(p.level)))


def frontier_levels(inputs: ReportInputs) -> list[str]:
    """Return every level of density on the frontier, sparse before dense."""
    return sorted({point.level for point in inputs.frontier.points}, key=float)


def timed_levels(inputs: ReportInputs) -> list[str]:
    """Return the levels at which anything was timed under the reference allocator, sparse before dense."""
    return sorted({point.level for point in reference_points(inputs) if point.time_ratio}, key=float)


def turned(
    inputs: ReportInputs,
    cell: Callable[[FrontierPoint], str],
    points: Sequence[FrontierPoint],
    levels: Sequence[str],
    *,
    with_none: bool = False,
) -> tuple[tuple[str, ...], ...]:
    """Return one row a convolution and policy, one cell a level."""
    places = {(point.convolution, point.policy, point.level): point for point in points}
    pairs = list(dict.fromkeys((point.convolution, point.policy) for point in points))
    nothing = units.NOTHING
    return tuple(
        (
            convolution,
            inputs.named(policy),
            *(
                cell(places[convolution, policy, level]) if (convolution, policy, level) in places else nothing
                for level in levels
            ),
        )
        for convolution, policy in pairs
        if with_none or policy != "none"
    )


def spans(chosen: Sequence[str], levels: Sequence[str]) -> str:
    """Return the chosen of the levels as runs, such as "4, 16-128"; all and none of several in words."""
    if not levels:
        return "not measured"
    if not chosen:
        return "nowhere"
    runs: list[list[str]] = []
    for place, level in enumerate(levels):
        if level not in chosen:
            continue
        if runs and place and levels[place - 1] == runs[-1][-1]:
            runs[-1].append(level)
        else:
            runs.append([level])
    text = ", ".join(run[0] if len(run) == 1 else units.interval(run[0], run[-1]) for run in runs)
    return f"all ({text})" if len(chosen) == len(levels) > 1 else text
