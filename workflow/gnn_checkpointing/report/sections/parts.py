"""Helpers that sections share: orders, tables of several forms, and lines and panels of figures."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, product
from typing import Any, TypeVar

from gnn_checkpointing.analysis.results import SAVES_BELOW, Effect, Estimate
from gnn_checkpointing.analysis.table import grouped
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.figures.lines import Line, Point, lines_over
from gnn_checkpointing.report.figures.palette import Look, looks
from gnn_checkpointing.report.figures.points import Mark, marks_on_rows, scattered, thinning
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import ReportInputs, Row
from gnn_checkpointing.report.page import Figure, Panel, Table
from gnn_checkpointing.report.panels import Of
from gnn_checkpointing.sourced import sourced
from gnn_checkpointing.study.families import FAMILIES

Item = TypeVar("Item")

NAMES = {family: row.name for family, row in FAMILIES.items()}
"""Readers' names of the families of graphs."""

NORMS = {"batch": "BatchNorm", "layer": "LayerNorm"}
"""Readers' names of the norms."""

SAVES = units.share(1 - sourced(SAVES_BELOW, "gnn_checkpointing/analysis/results/frontier.py#/SAVES_BELOW"))
"""A policy counts as saving memory if it saves more than this."""

LISTED = sourced(12, "gnn_checkpointing/report/sections/parts.py#/LISTED")
"""Number of items that tables (the worst) and lists (the first) show."""
_NAMED = 6
"""Maximum number of pairs of convolution and policy that are named; the table's source file has all."""


def in_order(inputs: ReportInputs, items: Iterable[Item], *by: str | Callable[[Item], Any]) -> list[Item]:
    """Sort by fields or functions: convolutions and policies in the study's order, levels and sizes as numbers."""
    known = {"convolution": inputs.convolutions, "policy": inputs.policies}
    places = {name: {one: place for place, one in enumerate(order)} for name, order in known.items()}

    def place(one: Item, by: str | Callable[[Item], Any]) -> Any:
        value = getattr(one, by) if isinstance(by, str) else by(one)
        if by in known:
            return places[by].get(value, len(places[by]))
        return float(value or 0) if by in ("level", "size") else value

    return sorted(items, key=lambda one: [place(one, each) for each in by or known])


def deep(inputs: ReportInputs) -> list[Effect]:
    """Effects on deep stacks, by stack, density, depth and policy."""
    found = in_order(inputs, inputs.effects.depths, "convolution")
    stacks = list(dict.fromkeys(point.stack for point in found))
    return in_order(inputs, found, lambda point: stacks.index(point.stack), "level", "num_layers", "policy")


def additions(stack: Any) -> list[str]:
    """Parts of a stack other than convolutions, such as dropout, for an architecture or a model measured beside it."""
    given = {"dropout": stack.dropout, NORMS.get(stack.norm, ""): stack.norm in NORMS}
    given |= {"residual connections": stack.residual, "self-loops in attention": stack.self_loops}
    return [name for name, has in given.items() if has]


def pair_of(one: Any) -> tuple[str, str]:
    """An item's convolution and policy."""
    return one.convolution, one.policy


def by_pair(items: Iterable[Item]) -> dict[tuple[str, str], Item]:
    """Items by their convolution and policy."""
    return {pair_of(one): one for one in items}


def over_levels(
    text: Texts,
    inputs: ReportInputs,
    id: str,
    source: str,
    cells: Mapping[tuple[str, str, Any], Any],
    levels: Iterable[Any],
    words: Callable[[Any], str],
    *,
    heading: Callable[[Any], str] = str,
    unit: str = "degree",
    **values: Any,
) -> Table:
    """Table with a row for each convolution and policy and a column for each level; `cells` is keyed by all three."""

    def at(level: Any) -> Of[tuple[str, str]]:
        return Of(heading(level), lambda pair: cells.get((*pair, level)), words, unit)

    pairs = dict.fromkeys((convolution, policy) for convolution, policy, _ in cells)
    return text.table(inputs, id, source, pairs, *map(at, levels), **values)


def reasons(text: Texts, inputs: ReportInputs, id: str, source: str, sentences: Sequence[str]) -> Table:
    """Table of sentences of the form "what: why", with one row per reason."""
    found: dict[str, list[str]] = {}
    for sentence in sentences:
        what, _, why = sentence.partition(": ")
        found.setdefault((why or sentence).rstrip("."), []).append(what if why else "")
    return text.table(inputs, id, source, [(_what(names), why) for why, names in found.items()])


def _what(names: Sequence[str]) -> str:
    named = [name for name in names if name]
    if len(named) < 2:
        return "".join(named)
    policies: dict[str, list[str]] = {}
    for name in named[:_NAMED]:
        convolution, comma, policy = name.rpartition(", ")
        policies.setdefault(convolution if comma else name, []).extend([policy] if comma else [])
    listed = [f"{name}: {', '.join(those)}" if those else name for name, those in policies.items()]
    return "; ".join(listed + (["and more"] if len(named) > _NAMED else []))


def outcome_text(row: Row) -> str:
    """An outcome as words."""
    return str(row["outcome"]).replace("_", " ")


def without_replicate(label: str) -> str:
    """A graph's label without the number of its replicate, for places where only the first replicate is shown."""
    return re.sub(r", replicate \d+", "", label)


def base_labels(effects: Iterable[Any]) -> Callable[[str], str]:
    """Function that labels the graphs others were made from: without the replicate, unless labels would coincide."""
    bases = {effect.base for effect in effects}
    return without_replicate if len(set(map(without_replicate, bases))) == len(bases) else str


def family(name: str) -> str:
    """Reader's name of a family of graphs; other names stay unchanged."""
    return NAMES.get(name, name)


def line(
    name: str,
    items: Iterable[Item],
    x: Callable[[Item], float],
    y: Callable[[Item], Estimate | float | None],
    cell: Callable[[Item], str] = lambda _: "",
) -> Line:
    """Line through the items' values of y, in the order of x; an item whose y is None has no point."""
    found = [(x(one), y(one), cell(one)) for one in sorted(items, key=x)]
    return Line(name, tuple(Point.of(place, value, of) for place, value, of in found if value is not None))


def lines_of(
    items: Iterable[Item],
    name: Callable[[Item], str],
    order: Iterable[str],
    x: Callable[[Item], float],
    y: Callable[[Item], Estimate | float | None],
    cell: Callable[[Item], str] = lambda _: "",
) -> list[Line]:
    """Lines of the items by name, in the given order, without lines that have no points."""
    own = grouped(items, name)
    lines = (line(each, own[each], x, y, cell) for each in order if each in own)
    return [each for each in lines if each.points]


def points(panels: Iterable[Sequence[Line]]) -> list[Point]:
    """Every point of the lines of some panels."""
    return [point for lines in panels for line in lines for point in line.points]


def marked(
    panels: Mapping[str, Sequence[Mark]], own_looks: Callable[[str], Mapping[str, Look]], axis: str, names: str
) -> list[Panel]:
    """A panel for each title that has marks, all on one axis of ratios; `names` says what the marks stand for."""
    values = [mark.value for marks in panels.values() for mark in marks]
    x = scales.ratio_scale([*values, 1.0], axis)
    return [marks_on_rows(title, marks, own_looks(title), x, names) for title, marks in panels.items() if marks]


def spans(chosen: Sequence[str], levels: Sequence[str]) -> str:
    """Chosen levels as ranges, such as "4, 16-128"; also "all (4-128)", "nowhere", or "not measured" without levels."""
    if not levels:
        return "not measured"
    if not chosen:
        return "nowhere"
    runs = [list(run) for is_chosen, run in groupby(levels, key=lambda level: level in chosen) if is_chosen]
    text = ", ".join(run[0] if len(run) == 1 else units.interval(run[0], run[-1]) for run in runs)
    return f"all ({text})" if len(chosen) == len(levels) > 1 else text


def over_bases(
    inputs: ReportInputs,
    effects: Sequence[Effect],
    place: Callable[[Effect], float],
    value: Callable[[Effect], Estimate | None],
    x: Scale,
    y: Scale,
) -> Iterator[Panel | None]:
    """A panel for each convolution and base graph: each policy's ratio to none over `place`."""
    label = base_labels(effects)
    for convolution, base in product(inputs.convolutions, dict.fromkeys(effect.base for effect in effects)):
        own = [effect for effect in effects if (effect.convolution, effect.base) == (convolution, base)]
        lines = lines_of(own, lambda effect: effect.policy, inputs.compared, place, value)
        title, colours = f"{convolution}, {label(base)}", looks(inputs.policies)
        yield lines_over(title, lines, colours, x, y, reference=1.0, convolution=convolution)


def scatter(
    text: Texts,
    inputs: ReportInputs,
    id: str,
    source: str,
    panels: Mapping[str, Sequence[Line]],
    axes: tuple[Scale, Scale],
    told: Callable[[str], str],
    *,
    diagonal: bool = False,
    **values: Any,
) -> Figure:
    """Marks of several policies, a panel for each convolution; in the text, `thinned` says what is not drawn."""
    own = looks(inputs.policies)
    shown = (scattered(name, each, own, *axes, told(name), diagonal=diagonal) for name, each in panels.items() if each)
    return text.figure(id, source, shown, thinned=thinning(panels.values()), **values)
