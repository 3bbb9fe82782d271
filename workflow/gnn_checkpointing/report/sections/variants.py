"""Variants of graphs, models and inputs: families, real graphs, batches, deep stacks, ego networks."""

from collections.abc import Callable, Sequence

from gnn_checkpointing.analysis.results import Compared, Effect, Estimate
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.facts import Facts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import lines_over
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import Mark
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs, Row
from gnn_checkpointing.report.page import Figure, Panel, Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.report.sections import parts
from gnn_checkpointing.report.sections.parts import deep, family, in_order, line, lines_of, points, spans

_text = Texts("variants")


def densest(inputs: ReportInputs) -> tuple[int, str]:
    """Node count and level to draw: the densest level, at the largest size that has it."""
    found = max(inputs.effects.families, key=lambda effect: (float(effect.level), effect.num_nodes))
    return found.num_nodes, found.level


def families_figure(inputs: ReportInputs, name: str, quantity: str, noun: str) -> Figure:
    """Each policy's ratio to none on a graph of each family."""
    num_nodes, level = densest(inputs)
    marks = [
        (effect.convolution, Mark(family(effect.family), effect.policy, ratio.estimate))
        for effect in inputs.effects.families
        if (effect.num_nodes, effect.level) == (num_nodes, level) and (ratio := getattr(effect, f"{quantity}_ratio"))
    ]
    shown = _marked(inputs, marks, f"{noun} / none")
    return _text.figure(f"figure-families-{name}", EFFECTS, shown, noun=noun, num_nodes=num_nodes, level=level)


def _marked(inputs: ReportInputs, marks: Sequence[tuple[str, Mark]], axis: str) -> list[Panel]:
    """A panel for each convolution, with a mark for each policy on the row of each graph."""
    own = {name: [mark for of, mark in marks if of == name] for name in inputs.convolutions}
    return parts.marked(own, lambda _: looks(inputs.policies), axis, "policy")


def families_table(inputs: ReportInputs, name: str, quantity: str, noun: str) -> Table:
    """Table of ratios to none on the reference family, and of other families' ratios relative to them."""
    reference = str(inputs.effects.reference_family)
    known = [reference, *parts.NAMES]
    families = dict.fromkeys(effect.family for effect in inputs.effects.families)
    ordered = sorted(families, key=lambda name: known.index(name) if name in known else 99)
    effects = in_order(inputs, inputs.effects.families, "convolution", "policy", "num_nodes", "level")
    places = grouped(effects, lambda e: (e.convolution, e.policy, e.num_nodes, e.level))

    def column(each: str) -> Of[list[Effect]]:
        field, unit = ("over_reference", "relative") if each != reference else ("ratio", "/ none")

        def value(own: list[Effect]) -> Estimate | None:
            found = [effect for effect in own if effect.family == each]
            return getattr(found[0], f"{quantity}_{field}") if found else None

        return Of(family(each), value, units.ratio_estimate, unit)

    id, columns = f"table-families-{name}", map(column, ordered)
    return _text.table(inputs, id, EFFECTS, places.values(), *columns, noun=noun, reference=family(reference))


def real_rows(inputs: ReportInputs) -> list[Row]:
    """Rows on unmodified real graphs under the reference allocator, without policies that were not started."""
    return [
        row
        for row in inputs.rows
        if row["family"] == "real"
        and not row["derivation"]
        and row["allocator"] == inputs.reference
        and row["outcome"] not in ("refused", "unavailable")
    ]


def kept(row: Row) -> float | None:
    """A policy's activation memory as a fraction of none's; None for none itself."""
    return None if row["policy"] == "none" else number(row, "activation_ratio")


def real_figure(
    inputs: ReportInputs, name: str, axis: str, value: Callable[[Effect], Estimate | None]
) -> Figure | None:
    """A ratio to none on each real graph, sparse before dense; None if no graph has it."""
    marks = [
        (effect.convolution, Mark(effect.level, effect.policy, ratio.estimate))
        for effect in inputs.effects.real
        if (ratio := value(effect)) is not None
    ]
    shown = _marked(inputs, marks, axis)
    return _text.figure(name, EFFECTS, shown) if shown else None


def graded_figure(inputs: ReportInputs) -> Figure:
    """Each policy's ratio to none over density, a panel for each graph.

    Capped graphs are in the table only: they differ from thinned ones of the same degree in more than the edge count.
    """
    shown = [e for e in inputs.effects.graded if e.method != "capped"]
    effects = sorted(shown, key=lambda e: e.average_degree)
    y = scales.ratio_scale([effect.activation_ratio.estimate for effect in effects], "activation memory / none")
    x = scales.count_scale([effect.average_degree for effect in effects], "average degree (edges per node)")
    panels = parts.over_bases(inputs, effects, lambda e: e.average_degree, activation, x, y)
    return _text.figure("figure-graded", EFFECTS, panels)


def activation(effect: Effect) -> Estimate | None:
    """Activation memory divided by none's."""
    return effect.activation_ratio


def throughput(effect: Effect) -> Estimate | None:
    """Throughput divided by none's."""
    return effect.time_ratio and effect.time_ratio.inverse


def batch_effects(inputs: ReportInputs) -> list[Compared]:
    """Effects on batches of every size, by graph and sampler, full batches last."""
    by = ("base", lambda effect: (effect.method == "", effect.method), "size", "policy")
    return in_order(inputs, inputs.effects.batches, "convolution", *by)


def batches_figure(
    inputs: ReportInputs, name: str, axis: str, value: Callable[[Effect], Estimate | None]
) -> Figure | None:
    """A ratio to none over the number of sampled neighbours; None if no batch has it."""
    drawn = [effect for effect in inputs.effects.batches if effect.method == "neighbours" and effect.size]
    ratios = [ratio for effect in drawn if (ratio := value(effect)) is not None]
    if not ratios:
        return None
    y = scales.ratio_scale([end for ratio in ratios for end in (ratio.low, ratio.high)], axis)
    x = scales.degree_scale([effect.size or 1.0 for effect in drawn], "neighbours drawn a layer")
    return _text.figure(name, EFFECTS, parts.over_bases(inputs, drawn, lambda e: e.size or 0.0, value, x, y))


def batch_sizes(inputs: ReportInputs) -> Table:
    """Table of how much of its graph a batch of each size holds, and of what the last convolution needs under none."""
    plain = [e for e in batch_effects(inputs) if (e.convolution, e.policy) == (inputs.convolutions[-1], "none")]
    whole = {one.base: one.num_nodes for one in plain if not one.method}
    found = sorted(plain, key=lambda one: (one.method == "", one.method != "neighbours"))

    def share(one: Compared) -> float | None:
        return one.num_nodes / whole[one.base] if one.base in whole else None

    return _text.table(inputs, "table-batch-sizes", EFFECTS, found, share=share)


def payoffs(inputs: ReportInputs) -> list[tuple[Compared, str, str, str]]:
    """Batch sizes at which each policy is worth its time, costs time and saves time, with each group's first effect."""
    sampled = (e for e in inputs.effects.batches if e.method and e.policy != "none")
    by = ("base", lambda effect: effect.method != "neighbours", "size")
    drawn = in_order(inputs, sampled, "convolution", "policy", *by)
    found, pays = [], Facts(inputs).pays
    for own in grouped(drawn, lambda e: (e.convolution, e.policy, e.base, e.method)).values():
        timed = [(f"{e.size:g}", e.time_ratio) for e in own if e.time_ratio]
        saving = [f"{e.size:g}" for e in own if pays(e) == "supported"]
        slower = [size for size, ratio in timed if ratio.low > 1]
        faster = [size for size, ratio in timed if ratio.high < 1]
        sizes = [size for size, _ in timed]
        found.append((own[0], spans(saving, [f"{e.size:g}" for e in own]), spans(slower, sizes), spans(faster, sizes)))
    return found


def depth_figure(inputs: ReportInputs, name: str = "memory", *, time: bool = False) -> Figure:
    """Activation peak of every policy against the number of layers, or its time divided by none's."""

    def value(point: Effect) -> Estimate | None:
        return point.time_ratio if time else units.estimate_of(*3 * (point.activation_bytes,))

    found = [(point, estimate) for point in deep(inputs) if (estimate := value(point)) is not None]
    panels = grouped((point for point, _ in found), lambda point: (point.stack, point.num_nodes, point.level))
    ends = [end for _, estimate in found for end in (estimate.low, estimate.high)]
    x = scales.degree_scale([point.num_layers for point, _ in found], "layers")
    y = scales.ratio_scale(ends, "step time / none") if time else scales.size_scale(ends, "activation peak")
    order = inputs.compared if time else inputs.policies
    shown = (
        lines_over(
            f"{stack}, {units.count(num_nodes)} nodes, average degree {level}",
            lines_of(own, lambda p: p.policy, order, lambda p: p.num_layers, value),
            looks(inputs.policies),
            x,
            y,
            reference=1.0 if time else None,
            convolution=stack,
        )
        for (stack, num_nodes, level), own in panels.items()
    )
    return _text.figure(f"figure-depth-{name}", EFFECTS, shown)


def _named(point: Effect) -> str:
    """Name of an input in a figure, with its radius in brackets."""
    return _text.names("forms")[point.method] + ("" if point.size is None else f" ({point.size:g})")


def ego_figure(inputs: ReportInputs, name: str = "ego-memory") -> Figure:
    """Peak memory without checkpointing against density, one line per input."""
    found = [point for point in inputs.effects.ego if point.policy == "none"]
    shown = sorted(found, key=lambda point: (point.method, point.size or 0.0))
    names = list(dict.fromkeys(_named(point) for point in shown))
    x = scales.degree_scale([point.degree for point in found], "average degree of the graph itself")
    y = scales.size_scale([point.peak_memory_bytes for point in found], "peak memory without checkpointing")

    def panel(convolution: str, origin: str) -> Panel | None:
        own = [point for point in shown if (point.convolution, point.origin) == (convolution, origin)]
        lines = grouped(own, lambda point: _named(point))
        drawn = [line(each, of, lambda p: p.degree, lambda p: p.peak_memory_bytes) for each, of in lines.items()]
        return lines_over(convolution, drawn, looks(names), x, y, names="input")

    origins = dict.fromkeys(point.origin for point in found)
    panels = (panel(convolution, origin) for convolution in inputs.convolutions for origin in origins)
    return _text.figure(f"figure-{name}", EFFECTS, panels, "figure-ego-memory")


def cost_figure(inputs: ReportInputs) -> Figure:
    """Time and memory of counting the encodings against density, a line for each radius."""
    costs = inputs.effects.encodings
    x = scales.degree_scale([cost.average_degree for cost in costs])
    radii = grouped(sorted(costs, key=lambda cost: cost.radius), lambda cost: cost.radius)

    def shown(title: str, field: str, scale: Callable[[Sequence[float], str], Scale]) -> Panel | None:
        lines = [
            line(f"radius {radius}", own, lambda cost: cost.average_degree, lambda cost: getattr(cost, field))
            for radius, own in radii.items()
        ]
        y = scale([point.y for point in points([lines])], title.lower())
        return lines_over(title, lines, looks([each.policy for each in lines]), x, y, names="input")

    panels = shown("Seconds", "seconds", scales.time_scale), shown("Bytes at once", "peak_bytes", scales.size_scale)
    return _text.figure("figure-ego-cost", EFFECTS, panels)
