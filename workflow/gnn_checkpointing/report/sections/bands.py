"""Intervals that hold at all densities together, and the densities at which policies break even, in words."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import BreakEven, Estimate, Quantity
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import TRENDS, ReportInputs
from gnn_checkpointing.report.page import Column, Table
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import bare

_text = texts("bands")

Place = tuple[str, str, str]
"""A convolution, a policy and a level of density."""

_COURSES: dict[tuple[Quantity, str], str] = {
    ("activation_ratio", "below"): "saves at every density measured",
    ("activation_ratio", "above"): "saves at no density measured",
    ("activation_ratio", "rises"): "stops saving above degree {}",
    ("activation_ratio", "falls"): "starts to save above degree {}",
    ("activation_ratio", "crosses"): "saves at some densities, and not at others between them",
    ("time_ratio", "below"): "faster than none at every density measured",
    ("time_ratio", "above"): "slower than none at every density measured",
    ("time_ratio", "rises"): "faster than none below degree {}, slower above",
    ("time_ratio", "falls"): "slower than none below degree {}, faster above",
    ("time_ratio", "crosses"): "faster than none at some densities, and slower at others between them",
}


def simultaneous(inputs: ReportInputs, quantity: Quantity) -> dict[Place, Estimate]:
    """Return each level's ratio with the interval of its band; none at all where a drawn level has no band."""
    found = {
        (band.convolution, band.policy, point.level): point.ratio
        for band in inputs.trends.bands
        if band.quantity == quantity
        for point in band.points
    }
    drawn = {
        (effect.convolution, effect.policy, effect.level)
        for effect in inputs.effects.generated
        if getattr(effect, quantity) is not None
    }
    return found if drawn <= set(found) else {}


def break_even_table(inputs: ReportInputs, quantity: Quantity) -> tuple[Table, ...]:
    """Return the table of break-evens, a row for each convolution and course; nothing where there are none."""
    found = [each for each in inputs.trends.break_evens if each.quantity == quantity and each.policy in inputs.compared]
    if not found:
        return ()
    rows: dict[tuple[str, str], list[str]] = {}
    words: dict[str, str] = {}
    for convolution in inputs.convolutions:
        own = [each for each in found if each.convolution == convolution]
        for each in sorted(own, key=lambda each: inputs.compared.index(each.policy)):
            # Courses that read alike are one row, whichever numbers they are made of.
            course = words.setdefault(bare(in_words(each)), in_words(each))
            rows.setdefault((convolution, course), []).append(inputs.named(each.policy))
    level = units.confidence(inputs.trends.confidence)
    exact = quantity == "activation_ratio"
    ends = "the span over replicate graphs crosses" if exact else f"the simultaneous {level} band crosses"
    return (
        Table(
            id=f"table-break-even-{quantity.split('_')[0]}",
            caption=_text("by-the-ratios-and-between", threshold=_what(quantity, found[0].threshold), ends=ends),
            columns=(Column("Convolution"), Column("Policies", "", "prose"), Column("Course", "", "prose")),
            rows=tuple((convolution, ", ".join(policies), course) for (convolution, course), policies in rows.items()),
            source=TRENDS,
        ),
    )


def _what(quantity: Quantity, threshold: float) -> str:
    if quantity == "time_ratio":
        return _text("where-along-density-a-policy-2")
    saving = f"{units.plain(100 * (1 - threshold))}{units.SPACE}%"
    return _text("where-along-density-a-policy", saving=saving)


def in_words(found: BreakEven) -> str:
    """Return the course of one policy's ratio, such as "stops saving above degree 41 (33-52)"."""
    text = _COURSES[found.quantity, found.course].format(_degree(found))
    if found.average_degree is None and found.course != "crosses" and not found.certain:
        return f"{text}, though not for certain at each"
    return text


def _degree(found: BreakEven) -> str:
    """Return where it crosses and between which degrees for certain, open where the band leaves the measured levels."""
    where = found.average_degree
    if where is None:
        return ""
    low, high = units.plain(where.low), units.plain(where.high)
    reach = {
        "": units.interval(low, high),
        "sparse": f"{high} or less",
        "dense": f"{low} or more",
        "both": "by its band at any",
    }[found.open]
    exact = where.low == where.high and not found.open
    return units.plain(where.estimate) if exact else f"{units.plain(where.estimate)} ({reach})"
