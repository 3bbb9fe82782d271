"""Tables from column specifications: a column says its name, the value that it takes of an item, and how that reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from gnn_checkpointing.report import units
from gnn_checkpointing.report.page import Column, Table

Item = TypeVar("Item")


@dataclass(frozen=True)
class Of(Generic[Item]):
    """One column. `value` is a field's name or a function of the item; without `words` the value is a text."""

    name: str
    value: str | Callable[[Item], Any]
    words: Callable[..., str] | None = None
    unit: str = ""
    content: Literal["text", "number", "prose"] | None = None

    @property
    def column(self) -> Column:
        """How the table heads it: what has words of its own is a number unless said otherwise."""
        return Column(self.name, self.unit, self.content or ("number" if self.words else "text"))

    def cell(self, item: Item) -> str:
        """The item's value in words, a dash where it has none."""
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
