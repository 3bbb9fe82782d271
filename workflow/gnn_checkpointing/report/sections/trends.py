"""Memory and time against density: what each policy needs, and the densities at which it breaks even."""

from __future__ import annotations

from gnn_checkpointing.analysis.results import BreakEven
from gnn_checkpointing.analysis.results import Quantity as RatioName
from gnn_checkpointing.report import units
from gnn_checkpointing.report.inputs import TRENDS, ReportInputs
from gnn_checkpointing.report.page import Note, Section, Table
from gnn_checkpointing.report.panels import Of, table
from gnn_checkpointing.report.sections.density import (
    MEMORY,
    THROUGHPUT,
    TIME,
    Quantity,
    graded,
    level_figure,
    level_table,
)
from gnn_checkpointing.report.sections.parts import Columns, Part, blocks
from gnn_checkpointing.report.sections.ratios import ratio_figure, ratio_table
from gnn_checkpointing.report.texts import texts
from gnn_checkpointing.sourced import bare

_text = texts("trends")

_BREAK_EVENS: Columns = (
    Of("Convolution", lambda row: row[0][0]),
    Of("Policies", lambda row: ", ".join(row[1]), content="prose"),
    Of("Course", lambda row: row[0][1], content="prose"),
)


def memory_section(inputs: ReportInputs) -> Section:
    """Memory over density."""
    levels: list[Part] = [level_figure(inputs, MEMORY), level_table(inputs, MEMORY)] if inputs.generated else []
    ratios: list[Part] = []
    if inputs.effects.generated:
        ratios = [
            *_ratios(inputs, MEMORY, "Activation memory"),
            _break_even_table(inputs, "activation_ratio"),
            ratio_table(inputs, MEMORY, "memory_ratio", "Peak memory, resident included,"),
        ]
    parts = blocks(_text("memory"), levels, ratios, _text("no-graded-graphs", inputs=inputs))
    return Section("memory", "Memory against density", parts)


def time_section(inputs: ReportInputs) -> Section:
    """Step time over density."""
    quality = inputs.quality
    noisy = quality.worst_half_width and quality.within_target < 1
    levels: list[Part] = []
    if graded(inputs, TIME):
        levels = [level_figure(inputs, TIME), level_table(inputs, TIME), level_figure(inputs, THROUGHPUT)]
    elif inputs.generated:
        levels = [_text("nothing-timed")]
    timed = any(effect.time_ratio for effect in inputs.effects.generated)
    parts = blocks(
        _text("time"),
        Note(_text("wide-intervals", inputs=inputs)) if noisy else None,
        _text("allocator", inputs=inputs),
        levels,
        _ratios(inputs, TIME, "Step time") if timed else None,
        _break_even_table(inputs, "time_ratio"),
        _text("no-graded-graphs", inputs=inputs),
    )
    return Section("time", "Time against density", parts)


def _ratios(inputs: ReportInputs, quantity: Quantity, noun: str) -> list[Part]:
    """Ratios to none in a figure and a table, where the frontier does not show them."""
    if inputs.many_policies and inputs.has_frontier:
        return [_text(f"{quantity.id}-is-on-the-frontier")]
    return [ratio_figure(inputs, quantity), ratio_table(inputs, quantity, quantity.ratio, noun)]


def _break_even_table(inputs: ReportInputs, quantity: RatioName) -> Table | None:
    """Break-evens, a row for each convolution and course; None where there are none."""
    found = [each for each in inputs.trends.break_evens if each.quantity == quantity and each.policy in inputs.compared]
    if not found:
        return None
    rows: dict[tuple[str, str], list[str]] = {}
    words: dict[str, str] = {}
    for convolution in inputs.convolutions:
        own = [each for each in found if each.convolution == convolution]
        for each in sorted(own, key=lambda each: inputs.compared.index(each.policy)):
            # Courses that read alike are one row, whichever numbers they are made of.
            course = words.setdefault(bare(in_words(each)), in_words(each))
            rows.setdefault((convolution, course), []).append(inputs.named(each.policy))
    saving = f"{units.plain(100 * (1 - found[0].threshold))}{units.SPACE}%"
    caption = _text("table-break-even", quantity=quantity, saving=saving, confidence=inputs.trends.confidence)
    return table(f"table-break-even-{quantity.split('_')[0]}", caption, TRENDS, rows.items(), *_BREAK_EVENS)


def in_words(found: BreakEven) -> str:
    """The course of one policy's ratio, such as "stops saving above degree 41 (33-52)"."""
    text = _text(f"{found.quantity}-{found.course}", degree=_degree(found))
    if found.average_degree is None and found.course != "crosses" and not found.certain:
        return f"{text}, though not for certain at each"
    return text


def _degree(found: BreakEven) -> str:
    """Where it crosses and between which degrees for certain, open where the band leaves the measured levels."""
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
