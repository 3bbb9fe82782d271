"""What sections share: blocks put together, orders, columns that many tables have, and lines of figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, TypeVar

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Block, Paragraph, Table
from gnn_checkpointing.report.tables import Of, table

Item = TypeVar("Item")
Part = str | Block | Sequence["Part"] | None
Pair = tuple[str, str]
"""A convolution and a policy."""

CONVOLUTION: Of[Any] = Of("Convolution", "convolution")


def blocks(*parts: Part) -> tuple[Block, ...]:
    """The blocks of a section: a text is a paragraph, or several; what is None or empty is left out."""
    return tuple(_flat(parts))


def _flat(parts: Iterable[Part]) -> Iterator[Block]:
    for part in parts:
        if isinstance(part, str):
            yield from (Paragraph(text) for text in part.split("\n\n") if text)
        elif isinstance(part, Sequence):
            yield from _flat(part)
        elif part is not None:
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
