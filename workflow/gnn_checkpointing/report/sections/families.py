"""Families of graphs: does the answer depend on more than nodes and edges?"""

from __future__ import annotations

from gnn_checkpointing.analysis.results import FamilyEffect
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import Mark
from gnn_checkpointing.report.inputs import EFFECTS, ReportInputs
from gnn_checkpointing.report.page import Section, Table
from gnn_checkpointing.report.panels import Of, figure, marks_on_rows, table
from gnn_checkpointing.report.sections.parts import blocks
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.study.families import FAMILIES

_text = texts("families")

NAMES = {family: row.name for family, row in FAMILIES.items()}


def families_section(inputs: ReportInputs) -> Section | None:
    """Every family beside the one without structure, None where the study has only one."""
    found = inputs.variants
    if not found.families or found.reference_family is None:
        return None
    reference = NAMES.get(found.reference_family, found.reference_family)
    timed = any(effect.time_ratio for effect in found.families)
    parts = blocks(
        _text("the-same-models-on-graphs", reference=reference),
        _figure(inputs, "memory", "activation", "activation memory"),
        _figure(inputs, "time", "time", "step time") if timed else None,
        _table(inputs, "memory", "activation", "Activation memory"),
        _table(inputs, "time", "time", "Step time") if timed else None,
    )
    return Section("families", "Families of graphs", parts)


def densest(inputs: ReportInputs) -> tuple[int, str]:
    """The size and level that are drawn: the densest, on the largest graphs that have it."""
    places = {(float(effect.level), effect.num_nodes, effect.level) for effect in inputs.variants.families}
    _, num_nodes, level = max(places)
    return num_nodes, level


def _figure(inputs: ReportInputs, name: str, quantity: str, noun: str) -> Figure:
    place = densest(inputs)
    marks = {
        convolution: [
            Mark(NAMES.get(effect.family, effect.family), effect.policy, ratio.estimate)
            for effect in inputs.variants.families
            if (effect.convolution, effect.num_nodes, effect.level) == (convolution, *place)
            and (ratio := getattr(effect, f"{quantity}_ratio")) is not None
        ]
        for convolution in inputs.convolutions
    }
    x = scales.ratio_scale([mark.value for own in marks.values() for mark in own], f"{noun} / none's")
    return figure(
        f"figure-families-{name}",
        _text("figure-families", noun=noun, num_nodes=place[0], level=place[1]),
        _text("one-line-a-family-one"),
        EFFECTS,
        (marks_on_rows(each, own, looks(inputs.policies), x, convolution=each) for each, own in marks.items()),
    )


def _table(inputs: ReportInputs, name: str, quantity: str, noun: str) -> Table:
    """Ratios to none on the reference family, and how those on each other family compare with them."""
    reference = str(inputs.variants.reference_family)
    known = [reference, *NAMES]
    families = dict.fromkeys(effect.family for effect in inputs.variants.families)
    ordered = sorted(families, key=lambda family: known.index(family) if family in known else 99)
    found: dict[tuple[str, str, int, str], dict[str, FamilyEffect]] = {}
    for e in inputs.variants.families:
        found.setdefault((e.convolution, e.policy, e.num_nodes, e.level), {})[e.family] = e
    places = sorted(
        found, key=lambda at: (inputs.convolutions.index(at[0]), inputs.policies.index(at[1]), at[2], float(at[3]))
    )

    def column(family: str) -> Of[tuple[str, str, int, str]]:
        field, unit = ("over_reference", "relative") if family != reference else ("ratio", "/ none")
        return Of(
            NAMES.get(family, family),
            lambda place: getattr(found[place].get(family), f"{quantity}_{field}", None),
            units.ratio_estimate,
            unit,
        )

    return table(
        f"table-families-{name}",
        _text("table-families", noun=noun, reference=NAMES.get(reference, reference), inputs=inputs),
        EFFECTS,
        places,
        Of("Convolution", lambda place: place[0]),
        Of("Policy", lambda place: inputs.named(place[1])),
        Of("Nodes", lambda place: place[2], units.count),
        Of("Average degree", lambda place: place[3], content="number"),
        *map(column, ordered),
    )
