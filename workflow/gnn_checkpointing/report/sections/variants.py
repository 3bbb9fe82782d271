"""Other graphs than the plain ones: families, real graphs as they are and graded in density, and mini-batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gnn_checkpointing.analysis.results import SAVES_BELOW, BatchEffect, Effect, Estimate
from gnn_checkpointing.records.measurements_table import number
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import Mark
from gnn_checkpointing.report.inputs import EFFECTS, MEASUREMENTS, ReportInputs, Row
from gnn_checkpointing.report.page import Section, Table
from gnn_checkpointing.report.panels import Of, Shown, marks_on_rows
from gnn_checkpointing.report.sections.frontier import SAVES
from gnn_checkpointing.report.sections.parts import (
    NAMES,
    blocks,
    grouped,
    in_order,
    outcome_text,
    over_bases,
    spans,
    time_ratio,
)
from gnn_checkpointing.report.appendix import Texts

_families, _real, _batches = Texts("families"), Texts("real"), Texts("batches")

METHODS = {"": "as it is", "thinned": "thinned", "capped": "capped", "two_hop": "two-hop"}
_BATCHES = {"neighbours": "{} neighbours a layer", "clusters": "one of {} clusters", "": "full batch"}
_SAMPLERS = {"neighbours": "neighbours a layer", "clusters": "clusters, one of"}


def families_section(inputs: ReportInputs) -> Section | None:
    """Every family beside the one without structure, None where the study has only one."""
    found = inputs.variants
    if not found.families or found.reference_family is None:
        return None
    reference = NAMES.get(found.reference_family, found.reference_family)
    quantities = [("memory", "activation", "activation memory")]
    if any(effect.time_ratio for effect in found.families):
        quantities.append(("time", "time", "step time"))
    parts = blocks(
        _families("the-same-models-on-graphs", reference=reference),
        [_families_figure(inputs, *each) for each in quantities],
        [_families_table(inputs, *each) for each in quantities],
    )
    return Section("families", "Families of graphs", parts)


def densest(inputs: ReportInputs) -> tuple[int, str]:
    """The size and level that are drawn: the densest, on the largest graphs that have it."""
    found = max(inputs.variants.families, key=lambda effect: (float(effect.level), effect.num_nodes))
    return found.num_nodes, found.level


def _families_figure(inputs: ReportInputs, name: str, quantity: str, noun: str) -> Figure:
    num_nodes, level = densest(inputs)
    marks = [
        (effect.convolution, Mark(NAMES.get(effect.family, effect.family), effect.policy, ratio.estimate))
        for effect in inputs.variants.families
        if (effect.num_nodes, effect.level) == (num_nodes, level) and (ratio := getattr(effect, f"{quantity}_ratio"))
    ]
    shown = _marked(inputs, marks, f"{noun} / none's")
    return _families.figure(f"figure-families-{name}", EFFECTS, shown, noun=noun, num_nodes=num_nodes, level=level)


def _marked(inputs: ReportInputs, marks: Iterable[tuple[str, Mark]], axis: str) -> list[Shown | None]:
    """A panel for each convolution, with a mark for each policy on the line of each graph."""
    own = {name: [mark for of, mark in marks if of == name] for name in inputs.convolutions}
    values = [mark.value for each in own.values() for mark in each]
    x = scales.ratio_scale(values, axis) if values else None
    return [marks_on_rows(name, each, looks(inputs.policies), x, convolution=name) for name, each in own.items() if x]


def _families_table(inputs: ReportInputs, name: str, quantity: str, noun: str) -> Table:
    """Ratios to none on the reference family, and how those on each other family compare with them."""
    reference = str(inputs.variants.reference_family)
    known = [reference, *NAMES]
    families = dict.fromkeys(effect.family for effect in inputs.variants.families)
    ordered = sorted(families, key=lambda family: known.index(family) if family in known else 99)
    effects = in_order(inputs.variants.families, inputs, lambda e: e.num_nodes, lambda e: float(e.level))
    places = grouped(effects, lambda e: (e.convolution, e.policy, e.num_nodes, e.level))

    def column(family: str) -> Of[list[Effect]]:
        field, unit = ("over_reference", "relative") if family != reference else ("ratio", "/ none")

        def value(own: list[Effect]) -> Estimate | None:
            found = [effect for effect in own if effect.family == family]
            return getattr(found[0], f"{quantity}_{field}") if found else None

        return Of(NAMES.get(family, family), value, units.ratio_estimate, unit)

    return _families.table(
        inputs,
        f"table-families-{name}",
        EFFECTS,
        places.values(),
        *map(column, ordered),
        noun=noun.capitalize(),
        reference=NAMES.get(reference, reference),
    )


def real_section(inputs: ReportInputs) -> Section | None:
    """Every policy on every real graph, None where the study has none."""
    rows = [
        row
        for row in inputs.rows
        if row["family"] == "real"
        and not row["derivation"]
        and row["allocator"] == inputs.reference
        and row["outcome"] not in ("refused", "unavailable")
    ]
    if not rows:
        return None

    def kept(row: Row) -> float | None:
        return None if row["policy"] == "none" else number(row, "activation_ratio")

    def rate(row: Row) -> float | None:
        """Edges per second divided by none's: the inverse of the time ratio."""
        ratio = time_ratio(row)
        return None if ratio is None else 1 / ratio.estimate

    figures = [
        _real_figure(inputs, rows, "figure-real", "activation memory / none's", kept),
        _real_figure(inputs, rows, "figure-real-throughput", "throughput / none's", rate),
    ]
    shown = _real.table(inputs, "table-real", MEASUREMENTS, rows, kept=kept, time=time_ratio, outcome_text=outcome_text)
    return Section("real-graphs", "Real graphs", blocks(_real("the-same-models-and-policies"), figures, shown))


def _real_figure(
    inputs: ReportInputs, rows: list[Row], name: str, axis: str, value: Callable[[Row], float | None]
) -> Figure | None:
    """What each policy leaves of none's on each graph; what was not measured has no mark."""
    marks = [
        (str(row["convolution"]), Mark(str(row["graph_label"]), str(row["policy"]), found))
        for row in rows
        if (found := value(row))
    ]
    shown = _marked(inputs, marks, axis)
    return _real.figure(name, MEASUREMENTS, shown) if shown else None


def graded_section(inputs: ReportInputs) -> Section | None:
    """Real graphs with fewer or more edges, None where the study has none."""
    found = inputs.variants.graded
    if not found:
        return None

    def place(e: Effect) -> tuple[object, ...]:
        return inputs.convolutions.index(e.convolution), e.base, inputs.policies.index(e.policy), e.average_degree

    shown = _real.table(inputs, "table-graded", EFFECTS, sorted(found, key=place), method_of=_method_of)
    # A capped graph differs from a thinned one of the same degree in more than its edges' number: in the table only.
    effects = sorted((e for e in found if e.method != "capped"), key=lambda e: e.average_degree)
    y = scales.ratio_scale([effect.activation_ratio.estimate for effect in effects], "activation memory / none's")
    x = scales.count_scale([effect.average_degree for effect in effects], "average degree (edges per node)")
    panels = over_bases(inputs, effects, lambda e: e.average_degree, lambda e: e.activation_ratio, x, y)
    drawn = _real.figure("figure-graded", EFFECTS, panels)
    parts = blocks(_real("each-real-graph-keeps-its"), drawn, shown)
    return Section("graded-graphs", "Real graphs, graded in density", parts)


def _method_of(effect: Effect) -> str:
    return METHODS.get(effect.method, effect.method)


def batches_section(inputs: ReportInputs) -> Section | None:
    """Every policy on batches of every size, None where the study has none."""
    found = inputs.variants.batches
    if not found:
        return None
    drawn = [effect for effect in found if effect.sampler == "neighbours" and effect.size]
    figures = [
        _batches_figure(inputs, drawn, "figure-batches", "activation memory / none's", lambda e: e.activation_ratio),
        _batches_figure(inputs, drawn, "figure-batches-throughput", "throughput / none's", _throughput),
    ]

    def place(e: BatchEffect) -> tuple[object, ...]:
        convolution, policy = inputs.convolutions.index(e.convolution), inputs.policies.index(e.policy)
        return convolution, e.base, e.sampler == "", e.sampler, e.size or 0.0, policy

    every = _batches.table(
        inputs,
        "table-batches",
        EFFECTS,
        sorted(found, key=place),
        batch=lambda e: _BATCHES[e.sampler].format(units.digits(e.size or 0)),
    )
    parts = blocks(_batches("a-step-on-a-mini"), figures, _payoff_table(inputs), every)
    return Section("batches", "Mini-batches", parts)


def _batches_figure(
    inputs: ReportInputs,
    drawn: list[BatchEffect],
    name: str,
    axis: str,
    value: Callable[[Effect], Estimate | None],
) -> Figure | None:
    """A ratio to none over the neighbours drawn; None where no batch has it."""
    ratios = [ratio for effect in drawn if (ratio := value(effect)) is not None]
    if not ratios:
        return None
    y = scales.ratio_scale([end for ratio in ratios for end in (ratio.low, ratio.high)], axis)
    x = scales.degree_scale([effect.size or 1.0 for effect in drawn], "neighbours drawn a layer")
    return _batches.figure(name, EFFECTS, over_bases(inputs, drawn, lambda e: e.size or 0.0, value, x, y))


def _payoff_table(inputs: ReportInputs) -> Table:
    """At which sizes of batch each policy saves memory, and at which it costs or saves time."""
    drawn = in_order(
        (e for e in inputs.variants.batches if e.sampler and e.policy != "none"),
        inputs,
        lambda e: e.base,
        lambda e: e.sampler != "neighbours",
        lambda e: e.size or 0.0,
    )

    def sizes(chosen: Callable[[Estimate], bool]) -> Callable[[list[BatchEffect]], str]:
        def words(own: list[BatchEffect]) -> str:
            timed = [(f"{effect.size:g}", effect.time_ratio) for effect in own if effect.time_ratio]
            return spans([size for size, ratio in timed if chosen(ratio)], [size for size, _ in timed])

        return words

    def saving(own: list[BatchEffect]) -> str:
        saves = [f"{e.size:g}" for e in own if e.activation_ratio.estimate < SAVES_BELOW]
        return spans(saves, [f"{effect.size:g}" for effect in own])

    return _batches.table(
        inputs,
        "table-batch-payoff",
        EFFECTS,
        grouped(drawn, lambda e: (e.convolution, e.policy, e.base, e.sampler)).values(),
        saves=SAVES,
        batch=lambda own: _SAMPLERS[own[0].sampler],
        saving=saving,
        slower=sizes(lambda ratio: ratio.low > 1),
        faster=sizes(lambda ratio: ratio.high < 1),
    )


def _throughput(effect: Effect) -> Estimate | None:
    return units.inverse(effect.time_ratio)
