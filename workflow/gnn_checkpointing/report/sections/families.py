"""Families of graphs: does the answer depend on more than nodes and edges?"""

from __future__ import annotations

from collections.abc import Callable

from gnn_checkpointing.analysis.results import Estimate, FamilyEffect
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import Mark
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Block, Column, Paragraph, Section, Table
from gnn_checkpointing.report.panels import figure, marks_on_rows
from gnn_checkpointing.report.sections.density import estimate_cell
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.study.families import FAMILIES

_text = texts("families")

NAMES = {family: row.name for family, row in FAMILIES.items()}

Ratio = Callable[[FamilyEffect], Estimate | None]


def families_section(inputs: ReportInputs) -> Section | None:
    """Return the section on families, None where the study has only one."""
    found = inputs.variants
    if not found.families or found.reference_family is None:
        return None
    reference = NAMES.get(found.reference_family, found.reference_family)
    blocks: list[Block] = [
        Paragraph(_text("the-same-models-on-graphs", reference=reference)),
        _figure(inputs, "memory", "activation memory / none's", lambda effect: effect.activation_ratio),
    ]
    if any(effect.time_ratio for effect in found.families):
        blocks.append(_figure(inputs, "time", "step time / none's", lambda effect: effect.time_ratio))
    blocks.append(
        _table(
            inputs, "memory", "Activation memory", lambda e: e.activation_ratio, lambda e: e.activation_over_reference
        )
    )
    if any(effect.time_ratio for effect in found.families):
        blocks.append(_table(inputs, "time", "Step time", lambda e: e.time_ratio, lambda e: e.time_over_reference))
    return Section("families", "Families of graphs", tuple(blocks))


def densest(inputs: ReportInputs) -> tuple[int, str]:
    """Return the size and level that are drawn: the densest, on the largest graphs that have it."""
    places = {(float(effect.level), effect.num_nodes, effect.level) for effect in inputs.variants.families}
    _, num_nodes, level = max(places)
    return num_nodes, level


def _figure(inputs: ReportInputs, name: str, axis: str, ratio: Ratio) -> Figure:
    num_nodes, level = densest(inputs)
    chosen = [
        (effect, estimate)
        for effect in inputs.variants.families
        if (effect.num_nodes, effect.level) == (num_nodes, level) and (estimate := ratio(effect)) is not None
    ]
    x = scales.ratio_scale([estimate.estimate for _, estimate in chosen], axis)
    marks = {
        convolution: [
            Mark(NAMES.get(effect.family, effect.family), effect.policy, estimate.estimate)
            for effect, estimate in chosen
            if effect.convolution == convolution
        ]
        for convolution in inputs.convolutions
    }
    return figure(
        f"figure-families-{name}",
        f"{axis.capitalize()}, on graphs of {units.count(num_nodes)} nodes and average degree {level}, by family.",
        _text("one-line-a-family-one"),
        EFFECTS,
        (marks_on_rows(each, own, looks(inputs.policies), x, convolution=each) for each, own in marks.items()),
    )


def _table(inputs: ReportInputs, name: str, noun: str, ratio: Ratio, over: Ratio) -> Table:
    families = list(dict.fromkeys(effect.family for effect in inputs.variants.families))
    reference = inputs.variants.reference_family
    families.sort(key=lambda family: (family != reference, list(NAMES).index(family) if family in NAMES else 99))
    found = {(e.convolution, e.policy, e.num_nodes, e.level, e.family): e for e in inputs.variants.families}
    places = sorted(
        {key[:4] for key in found},
        key=lambda key: (inputs.convolutions.index(key[0]), inputs.policies.index(key[1]), key[2], float(key[3])),
    )
    return Table(
        id=f"table-families-{name}",
        caption=_text(
            "of-each-policy-none-on",
            noun=noun,
            reference=NAMES.get(str(reference), reference),
            confidence=inputs.effects.confidence,
        ),
        columns=(
            Column("Convolution"),
            Column("Policy"),
            Column("Nodes", "", "number"),
            Column("Average degree", "", "number"),
            Column(NAMES.get(str(reference), str(reference)), "/ none", "number"),
            *(Column(NAMES.get(family, family), "relative", "number") for family in families if family != reference),
        ),
        rows=tuple(
            (
                place[0],
                inputs.named(place[1]),
                units.count(place[2]),
                place[3],
                *(
                    estimate_cell(None if effect is None else (ratio if family == reference else over)(effect))
                    for family in families
                    for effect in [found.get((*place, family))]
                ),
            )
            for place in places
        ),
        source=EFFECTS,
    )
