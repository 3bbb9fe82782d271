"""Figures made from panels, and tables made from columns.

A column has a name, takes a value from each item, and formats it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

from gnn_checkpointing.report import units
from gnn_checkpointing.report.figures import svg
from gnn_checkpointing.report.page import Column, Figure, Panel, Table

Item = TypeVar("Item")


def figure(
    id: str,
    caption: str,
    how_to_read: str,
    source: str,
    panels: Iterable[Panel | None],
    size: Literal["small", "wide"] = "small",
) -> Figure:
    """Figure of the panels that are not None, keys first; each panel's id is made from the figure's id and a number."""
    there = sorted(filter(None, panels), key=lambda one: one.role != "key")
    keys = sum(one.role == "key" for one in there)
    numbers = ("key" if one.role == "key" else str(place - keys) for place, one in enumerate(there))
    ids = [f"{id.removeprefix('figure-')}-{number}" for number in numbers]
    named = (replace(one, id=own, svg=svg.named(one.svg, own)) for one, own in zip(there, ids, strict=True))
    return Figure(id, caption, how_to_read, tuple(named), source, size)


@dataclass(frozen=True)
class Of(Generic[Item]):
    """One column. `value` is a field's name or a function of the item; without `words` the value is printed as text."""

    name: str
    value: str | Callable[[Item], Any]
    words: Callable[..., str] | None = None
    unit: str = ""
    content: Literal["text", "number", "prose"] | None = None

    @property
    def column(self) -> Column:
        """Heading of the column; a column with `words` holds numbers unless `content` says otherwise."""
        return Column(self.name, self.unit, self.content or ("number" if self.words else "text"))

    def cell(self, item: Item) -> str:
        """The item's formatted value; a dash if it is None or ""."""
        value = getattr(item, self.value) if isinstance(self.value, str) else self.value(item)
        if value is None or value == "":
            return units.NOTHING
        if self.words is not None:
            return self.words(value)
        return value if isinstance(value, str) else str(value)


def table(id: str, caption: str, source: str, items: Iterable[Item], *columns: Of[Item] | None) -> Table:
    """A table with a row for each item; a column that is None is left out."""
    kept = [column for column in columns if column is not None]
    rows = tuple(tuple(column.cell(item) for column in kept) for item in items)
    return Table(id, caption, tuple(column.column for column in kept), rows, source)
