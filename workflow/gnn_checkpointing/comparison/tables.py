"""The tables of a comparison: those of `texts.yaml` for each pair of machines, and the two of the overview."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gnn_checkpointing.comparison.checks import texts
from gnn_checkpointing.comparison.folders import COMPARISON
from gnn_checkpointing.comparison.results import Comparison, Pair
from gnn_checkpointing.report import units
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.panels import Of, table

_WORDS: dict[str, Callable[..., str]] = {
    **{name: getattr(units, name) for name in ("count", "share", "plain", "ratio_estimate", "general_estimate")},
    "million": lambda rate: units.fixed(rate.estimate / 1e6, 2),
    "nanoseconds": lambda time: units.scaled_estimate(time, units.NANOSECOND),
    "course": lambda course: texts()["courses"][course],
    "quantity": lambda quantity: texts()["quantities"][quantity],
    "value": lambda value: (
        value if isinstance(value, str) else units.count(value) if isinstance(value, int) else units.fixed(value, 3)
    ),
}


def pair_table(id: str, words: Mapping[str, Any], rows: list[Any], pair: Pair) -> Table:
    """A table as `texts.yaml` has it: a column is its name, the field of an item, how that reads, and its unit."""

    def column(name: str, field: str, how: str = "", unit: str = "") -> Of[Any] | None:
        found = {getattr(row, field) for row in rows} if field in ("allocator", "note") else set()
        if (field == "allocator" and len(found) == 1) or (field == "note" and found == {""}):
            return None
        title = name.format(first=pair.first, second=pair.second)
        return Of(title, field, _WORDS.get(how), unit, "prose" if how == "prose" else None)

    return table(id, words["caption"], COMPARISON, rows, *(column(*one) for one in words["columns"]))


def machines_table(found: Comparison) -> Table:
    """The machines and what each has published."""
    return table(
        "table-machines",
        "The machines, and the studies that each has published.",
        COMPARISON,
        found.machines,
        Of("Machine", "slug"),
        Of("Name", "label", content="prose"),
        Of("Studies", lambda one: ", ".join(one.studies), content="prose"),
    )


def overview_table(found: Comparison) -> Table:
    """One row for each study and pair of machines: what must be the same, and how the times agree."""

    def check(name: str, id: str) -> Of[Pair]:
        return Of(name, lambda pair: next(one.word for one in pair.checks if one.id == id))

    def over_all(name: str, unit: str, field: str) -> Of[Pair]:
        return Of(
            name, lambda pair: next((getattr(one, field) for one in pair.over_all), None), units.ratio_estimate, unit
        )

    return table(
        "table-overview",
        "Every study that two machines have published: what must be the same, and how the time ratios of all cells "
        "agree.",
        COMPARISON,
        found.pairs,
        Of("Study", "study"),
        Of("First", "first"),
        Of("Second", "second"),
        Of("Measurements on both", "rows", units.count),
        Of("Findings", "findings", units.count),
        *(check(id.replace("-", " ").capitalize(), id) for id in texts()["checks"]),
        over_all("Time ratios", "second / first, median", "quotient"),
        over_all("Rank agreement", "Kendall's tau", "rank_agreement"),
    )
