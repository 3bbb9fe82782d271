"""The frontier: memory against time, and the densities at which each policy starts or stops paying."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_checkpointing.analysis.results import Absence
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure, Panel
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.frontier import Path, Place, drawn_paths, frontier_panel, key_panel
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Block, Paragraph, Section
from gnn_checkpointing.report.sections.frontier_points import frontier_levels, reference_points
from gnn_checkpointing.report.sections.frontier_tables import frontier_tables
from gnn_checkpointing.report.texts import texts

_text = texts("frontier")


def frontier_section(inputs: ReportInputs) -> Section | None:
    """Return the section on the frontier, None where too few policies were measured for one."""
    if not inputs.has_frontier:
        return None
    blocks: list[Block] = [
        Paragraph(
            _text("every-policy-on-graphs-of", num_nodes=inputs.frontier.num_nodes or 0, reference=inputs.reference)
        )
    ]
    figure = frontier_figure(inputs, inputs.convolutions)
    blocks += [figure] if figure else []
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


def frontier_figure(inputs: ReportInputs, convolutions: Sequence[str], name: str = "frontier") -> Figure | None:
    """The frontier of some convolutions, all on the same axes; None where nothing has both ratios."""
    paths = {convolution: _paths(inputs, convolution) for convolution in inputs.convolutions}
    places = [place for each in paths.values() for path in each for place in path.places]
    if not places:
        return None
    levels = [level for level in frontier_levels(inputs) if any(place.level == level for place in places)]
    x = scales.log_ratio_scale([place.memory for place in places], "activation memory / none's")
    y = scales.log_ratio_scale([end for place in places for end in (place.low, place.high)], "step time / none's")
    shown = {convolution: paths[convolution] for convolution in convolutions if paths[convolution]}
    policies = [p for p in inputs.compared if any(path.policy == p for each in shown.values() for path in each)]
    panels = [
        Panel(
            id=f"{name}-key",
            title="Key",
            alternative=_text("key-colour-and-size-from", levels=levels[0], levels2=levels[-1]),
            svg=key_panel(f"{name}-key", policies, levels),
            role="key",
        )
    ]
    panels += [
        Panel(
            id=f"{name}-{position}",
            title=convolution,
            alternative=_alternative(convolution, each),
            svg=frontier_panel(
                f"{name}-{position}", each, levels, x, y, _front(inputs, convolution, levels[-1]), convolution
            ),
            drawn=drawn_paths(each, x, y),
            convolution=convolution,
        )
        for position, (convolution, each) in enumerate(shown.items())
    ]
    hollow = " Hollow, with an asterisk: another model than none's." if inputs.quality.other_models else ""
    return Figure(
        id=f"figure-{name}",
        caption=_text("activation-memory-against-step-time"),
        how_to_read=_text("none-is-where-the-dashed", confidence=inputs.effects.confidence, hollow=hollow),
        panels=tuple(panels),
        source=EFFECTS,
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
