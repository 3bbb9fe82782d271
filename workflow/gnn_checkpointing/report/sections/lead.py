"""Parts that only the report has: the figure on its first screen, and short tables."""

from collections.abc import Callable, Sequence
from functools import partial

from gnn_checkpointing.analysis.results import Effect
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.bars import Bar, bar_panel
from gnn_checkpointing.report.figures.lines import lines_over
from gnn_checkpointing.report.figures.palette import Look, by_convolution, looks
from gnn_checkpointing.report.figures.points import Mark
from gnn_checkpointing.report.inputs import EFFECTS, MEASUREMENTS, REGRESSIONS, ReportInputs
from gnn_checkpointing.report.page import Figure, Table
from gnn_checkpointing.report.sections import parts
from gnn_checkpointing.report.sections.frontier import frontier_figure
from gnn_checkpointing.report.sections.variants import densest, depth_figure, ego_figure

_text = Texts("lead")

_FIRST = ("layers", "edge_blocks")
_AXIS = "activation memory / none"
_MOST_GRAPHS = 12


def lead_figure(inputs: ReportInputs) -> Figure | None:
    """Leading figure, chosen by the study's results, mostly with a panel for each of two policies; None without any."""
    if inputs.effects.depths:
        return depth_figure(inputs, "lead")
    if inputs.effects.ego:
        return ego_figure(inputs, "lead")
    if inputs.leads_with_frontier:
        return frontier_figure(inputs, inputs.convolutions[:1], "lead")
    generated, about = inputs.effects.generated, "as a graph gets denser"
    return (
        _families(inputs)
        or _batches(inputs)
        or _lines(inputs, generated, lambda e: e.average_degree, "average degree (edges per node)", about)
        or _real(inputs)
        or _limit(inputs)
    )


def _looks(inputs: ReportInputs) -> dict[str, dict[str, Look]]:
    """Look of each convolution in the panels of two policies: layers and edge_blocks, or else the study's first two."""
    wanted = [policy for policy in _FIRST if policy in inputs.compared]
    policies = wanted if len(wanted) == len(_FIRST) else inputs.compared[: len(_FIRST)]
    colours = looks(inputs.policies)
    return {policy: by_convolution(inputs.convolutions, colours[policy].colour) for policy in policies}


def _families(inputs: ReportInputs) -> Figure | None:
    if not inputs.effects.families or inputs.effects.reference_family is None:
        return None
    place = densest(inputs)
    found = parts.in_order(inputs, inputs.effects.families, "convolution")
    chosen = [effect for effect in found if (effect.num_nodes, effect.level) == place]
    about = f"on families of graphs of average degree {place[1]}"
    return _marks(inputs, chosen, lambda effect: parts.family(effect.family), about)


def _batches(inputs: ReportInputs) -> Figure | None:
    found = [effect for effect in inputs.effects.batches if effect.method == "neighbours" and effect.size]
    base = found[0].base if found else ""
    own = [effect for effect in found if effect.base == base]
    about = f"as more neighbours are drawn from {parts.base_labels(found)(base)}"
    return _lines(inputs, own, lambda effect: effect.size or 0.0, "neighbours drawn a layer", about)


def _real(inputs: ReportInputs) -> Figure | None:
    found = parts.in_order(inputs, inputs.effects.real, "average_degree", "convolution")
    graphs = list(dict.fromkeys(effect.level for effect in found))[-_MOST_GRAPHS:]
    chosen = [effect for effect in found if effect.level in graphs]
    return _marks(inputs, chosen, lambda effect: effect.level, "on real graphs, sparse before dense")


def _lines(
    inputs: ReportInputs, effects: Sequence[Effect], place: Callable[[Effect], float], across: str, about: str
) -> Figure | None:
    """A panel for each policy, with a line for each convolution; None if there are fewer than two places along x."""
    own, order = grouped(effects, lambda effect: effect.policy), inputs.convolutions
    shown = {
        policy: parts.lines_of(own.get(policy, []), lambda e: e.convolution, order, place, lambda e: e.activation_ratio)
        for policy in _looks(inputs)
    }
    every = parts.points(shown.values())
    if len({point.x for point in every}) < 2:
        return None
    x, y = scales.degree_scale([p.x for p in every], across), scales.ratio_scale([p.y for p in every], _AXIS)
    panels = (
        lines_over(policy, shown[policy], own_looks, x, y, reference=1.0, names="convolution")
        for policy, own_looks in _looks(inputs).items()
    )
    return _text.figure("figure-lead", EFFECTS, panels, about=about, marks="one line per convolution")


def _marks(
    inputs: ReportInputs, effects: Sequence[Effect], label: Callable[[Effect], str], about: str
) -> Figure | None:
    """A panel for each policy, with a mark for each convolution on the row of each graph; None without marks."""
    shown = {
        policy: [
            Mark(label(e), e.convolution, e.activation_ratio.estimate)
            for e in effects
            if e.policy == policy and e.activation_ratio is not None
        ]
        for policy in _looks(inputs)
    }
    panels = parts.marked(shown, _looks(inputs).__getitem__, _AXIS, "convolution")
    marks = "one marker per convolution, one line per graph"
    return _text.figure("figure-lead", EFFECTS, panels, about=about, marks=marks) if panels else None


def _limit(inputs: ReportInputs) -> Figure | None:
    """Memory of each policy against the limit; None if there is no limit or nothing completed under it."""
    gib = inputs.study.measurement.memory_limit_gib
    if gib is None or not inputs.completed:
        return None
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
    return _text.figure("figure-lead", MEASUREMENTS, [bar_panel(bars, gib)], "figure-limit")


MOST_SERIES = 6


def short_tables(inputs: ReportInputs) -> list[Table]:
    """Every short table that the study has rows for."""
    facts = Facts(inputs)
    rates = facts.rates(inputs.few)
    names = list(dict.fromkeys(rate.convolution for rate in rates))[:MOST_SERIES]
    laws = [
        (memory, inputs.law(name, policy, "step_time_seconds"), facts.fastest(name, policy))
        for name in inputs.convolutions
        for policy in inputs.few
        if (memory := inputs.law(name, policy, "activation_bytes")) is not None
    ]
    ratios = {
        (*parts.pair_of(effect), effect.level): effect.activation_ratio.estimate
        for effect in parts.in_order(inputs, inputs.effects.generated)
        if effect.policy in inputs.compared
    }
    levels = sorted({level for *_, level in ratios}, key=float)
    reals = [*facts.plain_reals(), *(effect for policy in inputs.compared for effect in facts.reals(policy))]

    def compared(effect: Effect) -> Effect | None:
        return None if effect.policy == "none" else effect

    table = partial(_text.table, inputs, compared=compared)
    found = [
        parts.over_levels(_text, inputs, "table-memory-short", EFFECTS, ratios, levels, units.ratio),
        table("table-throughput", EFFECTS, (rate for rate in rates if rate.convolution in names)),
        table("table-winners", EFFECTS, facts.winners() if inputs.has_frontier else (), tie=facts.tie),
        table(
            "table-limit",
            MEASUREMENTS,
            inputs.rows if inputs.study.measurement.memory_limit_gib is not None else (),
            outcome_text=parts.outcome_text,
        ),
        table("table-edges", REGRESSIONS, laws, nanoseconds=lambda edge: edge.estimate / units.NANOSECOND),
        table(
            "table-real-short",
            EFFECTS,
            parts.in_order(inputs, reals, "average_degree", "convolution", "policy") if inputs.effects.real else (),
        ),
    ]
    return [one for one in found if one.rows]
