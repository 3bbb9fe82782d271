"""The frontier: memory against time, and the densities at which each policy starts or stops paying."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import Absence
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures import drawn, scales
from gnn_checkpointing.report.figures.frontier import Path, Place, frontier_panel, key_panel
from gnn_checkpointing.report.inputs import FRONTIER, ReportInputs
from gnn_checkpointing.report.page import Block, Figure, Panel, Paragraph, Section
from gnn_checkpointing.report.sections.frontier_points import frontier_levels, reference_points
from gnn_checkpointing.report.sections.frontier_tables import frontier_tables


def frontier_section(inputs: ReportInputs) -> Section | None:
    """Return the section on the frontier, None where too few policies were measured for one."""
    if not inputs.has_frontier:
        return None
    blocks: list[Block] = [
        Paragraph(
            f"Every policy on graphs of {units.count(inputs.frontier.num_nodes or 0)} nodes, against none in the same "
            f"cell, under allocator {inputs.reference}. A policy is worth its price where no other needs both less "
            "memory and less time."
        )
    ]
    paths = {convolution: _paths(inputs, convolution) for convolution in inputs.convolutions}
    if any(paths.values()):
        blocks.append(_figure(inputs, paths))
    blocks += frontier_tables(inputs)
    if inputs.quality.unavailable or inputs.quality.refused:
        blocks.append(Paragraph(_missing(inputs)))
    return Section("frontier", "Frontier of memory and time", tuple(blocks))


def _paths(inputs: ReportInputs, convolution: str) -> list[Path]:
    """Return each policy's places that have both ratios; none itself is where the dashed lines cross."""
    places: dict[str, list[Place]] = {}
    for point in reference_points(inputs):
        if point.convolution == convolution and point.policy != "none" and point.activation_ratio and point.time_ratio:
            time = point.time_ratio
            places.setdefault(point.policy, []).append(
                Place(point.level, point.activation_ratio.estimate, time.estimate, time.low, time.high)
            )
    others = inputs.quality.other_models
    return [
        Path(policy, f"{policy}*" if policy in others else policy, tuple(each), hollow=policy in others)
        for policy, each in places.items()
    ]


def _figure(inputs: ReportInputs, paths: dict[str, list[Path]]) -> Figure:
    places = [place for each in paths.values() for path in each for place in path.places]
    levels = [level for level in frontier_levels(inputs) if any(place.level == level for place in places)]
    x = scales.log_ratio_scale([place.memory for place in places], "activation memory / none's")
    y = scales.log_ratio_scale([end for place in places for end in (place.low, place.high)], "step time / none's")
    policies = [
        policy for policy in inputs.compared if any(p.policy == policy for each in paths.values() for p in each)
    ]
    panels = [
        Panel(
            id="frontier-key",
            title="Key",
            alternative=f"Key: colour and size from average degree {levels[0]} (gold, small) to {levels[-1]} (blue, "
            "large); one shape a family of policies; a name is at the densest point.",
            svg=key_panel("frontier-key", policies, levels),
            drawn=drawn.NOTHING,
            role="key",
        )
    ]
    panels += [
        Panel(
            id=f"frontier-{position}",
            title=convolution,
            alternative=_alternative(convolution, each),
            svg=frontier_panel(f"frontier-{position}", each, levels, x, y, _front(inputs, convolution, levels[-1])),
            drawn=drawn.of_paths(each, x, y),
            convolution=convolution,
        )
        for position, (convolution, each) in enumerate(paths.items())
        if each
    ]
    hollow = " Hollow, with an asterisk: another model than none's." if inputs.quality.other_models else ""
    return Figure(
        id="figure-frontier",
        caption="Activation memory against step time, both divided by none's in the same cell; a path a policy, from "
        "sparse to dense.",
        how_to_read="None stands where the dashed lines cross: left of it a policy saves memory, below it time. Both "
        "axes are logarithmic, and the same in every panel. A path that runs to the left saves more the denser the "
        "graph; one that turns right stops paying. The strong line joins the policies that no other beats in both at "
        "the densest level; these are named first, at most seven in all. Whiskers are "
        f"{units.confidence(inputs.effects.confidence)} intervals of time.{hollow}",
        panels=tuple(panels),
        source=FRONTIER,
        size="wide",
    )


def _front(inputs: ReportInputs, convolution: str, level: str) -> list[str]:
    """The policies that no other beats in memory and time at that level."""
    sets = [one.policies for one in inputs.frontier.pareto if (one.convolution, one.level) == (convolution, level)]
    return [policy for each in sets for policy in each]


def _alternative(convolution: str, paths: Sequence[Path]) -> str:
    parts = [
        f"{path.policy} {_spot(path.places[0])}" + (f", {_spot(path.places[-1])}" if len(path.places) > 1 else "")
        for path in paths
    ]
    return f"Scatter plot, {convolution}: activation memory / none's, and step time / none's. " + "; ".join(parts) + "."


def _spot(place: Place) -> str:
    time = units.estimate_of(place.time, place.low, place.high)
    return f"{units.ratio(place.memory)} and {units.ratio_estimate(time)} at degree {place.level}"


def _missing(inputs: ReportInputs) -> str:
    """Return which policies are not on the frontier and why, in one sentence each."""
    told = [_absence("unavailable here", absence) for absence in inputs.quality.unavailable]
    told += [_absence("refused", absence) for absence in inputs.quality.refused]
    return "Not on the frontier: " + "; ".join(told) + "."


def _absence(why: str, absence: Absence) -> str:
    return f"{absence.policy} with {', '.join(absence.convolutions)} ({why}: {absence.reason.rstrip('.')})"
