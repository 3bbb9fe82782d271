"""What sections share: blocks put together, orders, columns that many tables have, and lines of figures."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, product
from typing import Any, TypeVar

from gnn_checkpointing.analysis.results import Effect, Estimate
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Fact, Figure
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.scales import Scale
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Block, Facts, Paragraph, Table
from gnn_checkpointing.report.panels import Of, Shown, figure, lines_over, scattered, table

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
Part = str | Block | Mapping[str, str] | Sequence["Part"] | None
Columns = tuple[Of[Any], ...]
Pair = tuple[str, str]
"""A convolution and a policy."""

CONVOLUTION: Of[Any] = Of("Convolution", "convolution")


def blocks(*parts: Part) -> tuple[Block, ...]:
    """The blocks of a section: a text is a paragraph, or several, a mapping has facts.

    None and tables without rows are left out.
    """
    return tuple(_flat(parts))


def _flat(parts: Iterable[Part]) -> Iterator[Block]:
    for part in parts:
        if isinstance(part, str):
            yield from (Paragraph(text) for text in part.split("\n\n") if text)
        elif isinstance(part, Mapping):
            yield Facts(tuple(Fact(name, value) for name, value in part.items()))
        elif isinstance(part, Sequence):
            yield from _flat(part)
        elif part is not None and not (isinstance(part, Table) and not part.rows):
            yield part


def of_policy(inputs: ReportInputs) -> Of[Any]:
    """The column of policies, marked where one trains another model."""
    return Of("Policy", "policy", inputs.named, content="text")


def of_ratio(name: str, field: str, unit: str = "/ none") -> Of[Any]:
    """A column of ratios with their intervals."""
    return Of(name, field, units.ratio_estimate, unit)


def in_order(items: Iterable[Item], convolutions: Sequence[str], policies: Sequence[str]) -> list[Item]:
    """What has a convolution and a policy, in the order of these; other pairs last, as they come."""
    places = {pair: place for place, pair in enumerate(product(convolutions, policies))}
    return sorted(items, key=lambda one: places.get(_pair(one), len(places)))


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """The items of each key, keys and items in their order."""
    found: dict[Key, list[Item]] = {}
    for one in items:
        found.setdefault(key(one), []).append(one)
    return found


def by_pair(items: Iterable[Item]) -> dict[Pair, Item]:
    """What has a convolution and a policy, by both."""
    return {_pair(one): one for one in items}


def _pair(one: Any) -> Pair:
    return one.convolution, one.policy


def over_levels(
    id: str,
    caption: str,
    source: str,
    cells: Mapping[tuple[str, str, Any], Any],
    levels: Iterable[Any],
    words: Callable[[Any], str],
    *,
    named: Callable[[str], str] = lambda policy: policy,
    heading: Callable[[Any], str] = str,
    unit: str = "degree",
) -> Table:
    """A table with a row for each convolution and policy, a column for each level, and the cells of all three."""

    def at(level: Any) -> Callable[[Pair], Any]:
        return lambda pair: cells.get((*pair, level))

    return table(
        id,
        caption,
        source,
        dict.fromkeys((convolution, policy) for convolution, policy, _ in cells),
        Of("Convolution", lambda pair: pair[0]),
        Of("Policy", lambda pair: named(pair[1])),
        *(Of(heading(level), at(level), words, unit) for level in levels),
    )


def line(
    name: str,
    items: Iterable[Item],
    x: Callable[[Item], float],
    y: Callable[[Item], Estimate | float | None],
    cell: Callable[[Item], str] = lambda _: "",
) -> Line:
    """A line through what the items have as y, in the order of x; an item without y has no point."""
    found = [(x(one), y(one), cell(one)) for one in sorted(items, key=x)]
    return Line(
        name,
        tuple(
            Point.of(place, value, of) if isinstance(value, Estimate) else Point(place, value, value, value, of)
            for place, value, of in found
            if value is not None
        ),
    )


def points(panels: Iterable[Sequence[Line]]) -> list[Point]:
    """Every point of the lines of some panels."""
    return [point for lines in panels for line in lines for point in line.points]


def spans(chosen: Sequence[str], levels: Sequence[str]) -> str:
    """The chosen of the levels as runs, such as "4, 16-128"; all and none of several in words."""
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
) -> Iterator[Shown | None]:
    """A panel for each convolution and graph that others were made from: each policy's ratio to none over a place."""
    for convolution, base in product(inputs.convolutions, dict.fromkeys(effect.base for effect in effects)):
        own = [effect for effect in effects if (effect.convolution, effect.base) == (convolution, base)]
        lines = [line(policy, [e for e in own if e.policy == policy], place, value) for policy in inputs.compared]
        title, colours = f"{convolution}, {base}", looks(inputs.policies)
        yield lines_over(title, lines, colours, x, y, reference=1.0, convolution=convolution)


def scatter(
    inputs: ReportInputs,
    id: str,
    words: tuple[str, str, str],
    panels: Mapping[str, Sequence[Line]],
    told: Callable[[str], str],
    scales: tuple[Scale, Scale],
    *,
    diagonal: bool = False,
) -> Figure:
    """Marks of several policies, a panel for each convolution; `words` are caption, how to read it, and source."""
    shown = (
        scattered(name, lines, looks(inputs.policies), *scales, told(name), diagonal=diagonal)
        for name, lines in panels.items()
        if lines
    )
    return figure(id, *words, shown)
