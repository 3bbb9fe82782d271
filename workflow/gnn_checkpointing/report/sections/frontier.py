"""The frontier: memory against time, and the densities at which each policy starts or stops paying."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gnn_checkpointing.analysis.results import Absence, Estimate, Flatness, FrontierPoint, Payoff
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.frontier import Path, Place, frontier_panel, key_panel
from gnn_checkpointing.report.inputs import FRONTIER, ReportInputs
from gnn_checkpointing.report.page import Block, Cell, Column, Figure, Panel, Paragraph, Section, Table
from gnn_checkpointing.report.sections.density import degree_columns, estimate_cell


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
    blocks += [_memory_table(inputs), _time_table(inputs), _bytes_table(inputs), _payoff_table(inputs)]
    if inputs.frontier.best_segments:
        blocks.append(_segments_table(inputs))
    if inputs.frontier.flatness:
        blocks.append(_flatness_table(inputs))
    if inputs.quality.unavailable or inputs.quality.refused:
        blocks.append(Paragraph(_missing(inputs)))
    return Section("frontier", "Frontier of memory and time", tuple(blocks))


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


def turned(
    inputs: ReportInputs,
    cell: Callable[[FrontierPoint], Cell],
    points: Sequence[FrontierPoint],
    levels: Sequence[str],
    *,
    with_none: bool = False,
) -> tuple[tuple[Cell, ...], ...]:
    """Return one row a convolution and policy, one cell a level."""
    places = {(point.convolution, point.policy, point.level): point for point in points}
    pairs = list(dict.fromkeys((point.convolution, point.policy) for point in points))
    nothing = Cell(units.NOTHING)
    return tuple(
        (
            Cell(convolution, convolution),
            Cell(inputs.named(policy), policy),
            *(
                cell(places[convolution, policy, level]) if (convolution, policy, level) in places else nothing
                for level in levels
            ),
        )
        for convolution, policy in pairs
        if with_none or policy != "none"
    )


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
            "large); one shape a family of policies; the name stands at the densest point.",
            svg=key_panel("frontier-key", policies, levels),
            role="key",
        )
    ]
    panels += [
        Panel(
            id=f"frontier-{position}",
            title=convolution,
            alternative=_alternative(convolution, each),
            svg=frontier_panel(f"frontier-{position}", each, levels, x, y),
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
        "graph; one that turns right stops paying. Each name stands at the densest level; whiskers are "
        f"{units.confidence(inputs.effects.confidence)} intervals of time.{hollow}",
        panels=tuple(panels),
        source=FRONTIER,
        size="wide",
    )


def _alternative(convolution: str, paths: Sequence[Path]) -> str:
    parts = [
        f"{path.policy} {_spot(path.places[0])}" + (f", {_spot(path.places[-1])}" if len(path.places) > 1 else "")
        for path in paths
    ]
    return f"Scatter plot, {convolution}: activation memory / none's, and step time / none's. " + "; ".join(parts) + "."


def _spot(place: Place) -> str:
    time = Estimate(estimate=place.time, low=place.low, high=place.high)
    return f"{units.ratio(place.memory)} and {units.ratio_estimate(time)} at degree {place.level}"


def _memory_table(inputs: ReportInputs) -> Table:
    return Table(
        id="table-frontier-memory",
        caption="Activation memory of each policy / none, by average degree; below 1 saves.",
        columns=(Column("Convolution"), Column("Policy"), *degree_columns(frontier_levels(inputs))),
        rows=turned(inputs, _memory_cell, reference_points(inputs), frontier_levels(inputs)),
        source=FRONTIER,
    )


def _memory_cell(point: FrontierPoint) -> Cell:
    ratio = point.activation_ratio
    return Cell(units.NOTHING) if ratio is None else Cell(units.ratio(ratio.estimate), ratio.estimate)


def timed_levels(inputs: ReportInputs) -> list[str]:
    """Return the levels at which anything was timed under the reference allocator, sparse before dense."""
    return sorted({point.level for point in reference_points(inputs) if point.time_ratio}, key=float)


def _time_table(inputs: ReportInputs) -> Table:
    levels = timed_levels(inputs)
    return Table(
        id="table-frontier-time",
        caption=f"Step time of each policy / none under allocator {inputs.reference}, paired within cells, by average "
        f"degree, with {units.confidence(inputs.effects.confidence)} interval; below 1 is faster.",
        columns=(Column("Convolution"), Column("Policy"), *degree_columns(levels)),
        rows=turned(inputs, lambda point: estimate_cell(point.time_ratio), reference_points(inputs), levels),
        source=FRONTIER,
    )


def _bytes_table(inputs: ReportInputs) -> Table:
    densest: dict[tuple[str, str], FrontierPoint] = {(p.convolution, p.policy): p for p in reference_points(inputs)}
    return Table(
        id="table-frontier-bytes",
        caption="What the activation peak is made of at the densest level that each policy ran at: saved for the "
        "backward pass, and transient on top; and what the policy itself adds to the resident bytes.",
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Average degree", "edges per node", "number"),
            Column("Activation peak", "", "number"),
            Column("Saved", "", "number"),
            Column("Transient", "", "number"),
            Column("Policy's own", "", "number"),
            Column("Policy's own", "bytes per edge", "number"),
        ),
        rows=tuple(
            (
                Cell(point.convolution, point.convolution),
                Cell(inputs.named(point.policy), point.policy),
                Cell(units.plain(point.average_degree), point.average_degree),
                Cell(units.size(point.activation_bytes), point.activation_bytes),
                Cell(units.size(point.saved_activation_bytes), point.saved_activation_bytes),
                Cell(units.size(point.transient_bytes), point.transient_bytes),
                Cell(units.size(point.policy_resident_bytes), point.policy_resident_bytes),
                _per_edge(point),
            )
            for point in densest.values()
        ),
        source=FRONTIER,
    )


def _per_edge(point: FrontierPoint) -> Cell:
    value = point.policy_resident_bytes / point.num_edges if point.num_edges else 0.0
    return Cell(units.plain(value), value)


def _payoff_table(inputs: ReportInputs) -> Table:
    order = list(dict.fromkeys((point.convolution, point.policy) for point in reference_points(inputs)))
    payoffs = {(payoff.convolution, payoff.policy): payoff for payoff in inputs.frontier.payoffs}
    return Table(
        id="table-payoff",
        caption="The average degrees at which each policy saves more than 1 % of activation memory, at which its step "
        f"is longer or shorter than none's beyond its {units.confidence(inputs.effects.confidence)} interval, and at "
        "which no other policy beats it in both.",
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Saves memory at", "average degree"),
            Column("Costs time at", "average degree"),
            Column("Saves time at", "average degree"),
            Column("Unbeaten at", "average degree"),
        ),
        rows=tuple(_payoff_row(inputs, payoffs[pair]) for pair in order if pair in payoffs),
        source=FRONTIER,
    )


def _payoff_row(inputs: ReportInputs, payoff: Payoff) -> tuple[Cell, ...]:
    unbeaten = [
        best.level
        for best in inputs.frontier.pareto
        if best.convolution == payoff.convolution and payoff.policy in best.policies
    ]
    return (
        Cell(payoff.convolution, payoff.convolution),
        Cell(inputs.named(payoff.policy), payoff.policy),
        Cell(spans(payoff.saves_at, payoff.levels)),
        Cell(spans(payoff.slower_at, payoff.timed_levels)),
        Cell(spans(payoff.faster_at, payoff.timed_levels)),
        Cell(spans(unbeaten, payoff.timed_levels)),
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


def _segments_table(inputs: ReportInputs) -> Table:
    best = sorted(
        inputs.frontier.best_segments, key=lambda one: (inputs.convolutions.index(one.convolution), float(one.level))
    )
    return Table(
        id="table-segments",
        caption="The number of segments with the smallest activation peak, by measurement (of equals the faster).",
        columns=(
            Column("Convolution"),
            Column("Average degree", "edges per node", "number"),
            Column("Best"),
            Column("Activation memory", "/ none", "number"),
            Column("Step time", "/ none", "number"),
            Column("Tried", "", "prose"),
        ),
        rows=tuple(
            (
                Cell(one.convolution, one.convolution),
                Cell(one.level, float(one.level)),
                Cell(one.policy, one.policy),
                Cell(units.ratio(one.activation_ratio), one.activation_ratio),
                Cell(units.NOTHING) if one.time_ratio is None else Cell(units.ratio(one.time_ratio), one.time_ratio),
                Cell(", ".join(one.tried)),
            )
            for one in best
        ),
        source=FRONTIER,
    )


def _flatness_table(inputs: ReportInputs) -> Table:
    order = list(dict.fromkeys((point.convolution, point.policy) for point in reference_points(inputs)))
    found = {(flat.convolution, flat.policy): flat for flat in inputs.frontier.flatness}
    return Table(
        id="table-flatness",
        caption="How the activation peak grows with the edges at one number of nodes: least-squares slope over the "
        "levels that the policy and none both ran at, and the peak at the densest of them against the one nearest to "
        "average degree 8.",
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Slope", "bytes per edge", "number"),
            Column("Slope", "/ none", "number"),
            Column("Densest / sparse", "peak", "number"),
            Column("Degrees compared", "edges per node"),
        ),
        rows=tuple(_flatness_row(inputs, found[pair]) for pair in order if pair in found),
        source=FRONTIER,
    )


def _flatness_row(inputs: ReportInputs, flat: Flatness) -> tuple[Cell, ...]:
    ratio = flat.slope_ratio
    return (
        Cell(flat.convolution, flat.convolution),
        Cell(inputs.named(flat.policy), flat.policy),
        Cell(units.plain(flat.bytes_per_edge), flat.bytes_per_edge),
        Cell(units.NOTHING) if ratio is None else Cell(units.ratio(ratio), ratio),
        Cell(units.ratio(flat.peak_ratio), flat.peak_ratio),
        Cell(f"{flat.densest} / {flat.sparse}"),
    )


def _missing(inputs: ReportInputs) -> str:
    """Return which policies are not on the frontier and why, in one sentence each."""
    told = [_absence("unavailable here", absence) for absence in inputs.quality.unavailable]
    told += [_absence("refused", absence) for absence in inputs.quality.refused]
    return "Not on the frontier: " + "; ".join(told) + "."


def _absence(why: str, absence: Absence) -> str:
    return f"{absence.policy} with {', '.join(absence.convolutions)} ({why}: {absence.reason.rstrip('.')})"
