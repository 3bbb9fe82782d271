"""The rows of `measurements.csv` as values, which of them count, and the settings fixed before seeing any of them."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Self, TypeVar

from gnn_checkpointing.analysis.results import Estimate
from gnn_checkpointing.records.measurements_table import Value, numbers
from gnn_checkpointing.refusal import Refusal

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Protocol:
    """The study's settings of the analysis as plain values, so that the statistics do not depend on `Study`.

    `processes` is the number of fresh processes in which each cell is timed; `rounds`, the fewest and the most of a
    cell, are divided among them. `large_graphs` are ids of graphs beyond the grids, which are used for laws only.
    `memory_forms` and `time_forms` name the forms of law to be tried for bytes and for seconds (`laws/series.py`);
    among equals, the first is preferred.
    """

    reference_allocator: str
    confidence: float
    resamples: int
    ratio_half_width: float
    seed: int
    memory_forms: Sequence[str]
    time_forms: Sequence[str]
    rounds: tuple[int, int]
    processes: int
    timeout_seconds: float
    capacity_gib: Sequence[float]
    large_graphs: frozenset[str] = frozenset()


class Row(SimpleNamespace):
    """One cell x policy whose step completed; its attributes are the columns of the table.

    Ratios are None where policy none did not complete, times where they were not taken. `convolution` names the series:
    a convolution under another aggregation, or in another model, is another series. `stack` does not depend on the
    model. `num_classes` belongs to the graph and is in no table: None where it is not known.
    """

    def but(self, **values: Value) -> Self:
        """The same row with other values."""
        return type(self)(**{**vars(self), **values})

    @property
    def is_real(self) -> bool:
        """Whether the graph is a real one as it was loaded."""
        return self.family == "real" and not self.derivation

    @property
    def is_drawn(self) -> bool:
        """Whether the graph is a whole generated one, with a requested density."""
        return self.requested_average_degree is not None

    @property
    def degree(self) -> float:
        """The requested average degree, or the actual one if none was requested."""
        return float(self.requested_average_degree if self.is_drawn else self.average_degree)

    @property
    def changes(self) -> tuple[str, ...]:
        """Which of loss, gradients and buffers the policy was not shown to leave unchanged.

        Empty for policies that declare that they train another model.
        """
        asked = () if self.policy == "none" or self.other_model else ("loss", "gradients", "buffers")
        return tuple(name for name in asked if getattr(self, f"same_{name}") is not True)

    @property
    def is_uncompared(self) -> bool:
        """Whether the policy could not be compared, because policy none did not complete in its cell."""
        known = (self.same_loss, self.same_gradients, self.same_buffers)
        return bool(self.changes) and all(same is None for same in known)


def first_visits(rows: Sequence[Mapping[str, Value]]) -> list[Mapping[str, Value]]:
    """The rows without repeat measurements, which are not additional cells."""
    return [row for row in rows if not row.get("visit")]


def completed(rows: Sequence[Mapping[str, Value]]) -> list[Row]:
    """The completed rows of first visits, sorted."""
    chosen = [
        Row(**row | {"num_classes": None, "convolution": series(row), "stack": series({**row, "model": ""})})
        for row in map(dict, first_visits(rows))
        if row["outcome"] == "completed"
    ]
    return sorted(chosen, key=lambda row: (row.convolution, policy_order(row.policy), row.graph, row.cell))


def check_compared(rows: Sequence[Mapping[str, Value]], allocator: str) -> None:
    """Refuse a table with a single policy or without rows under the reference allocator, on which all results rest."""
    policies, allocators = (list(dict.fromkeys(str(row[name]) for row in rows)) for name in ("policy", "allocator"))
    if len(policies) == 1:
        raise Refusal(
            f"measurements.csv: every row is of policy {policies[0]}, which leaves nothing to compare; measure another "
            "policy beside it"
        )
    if allocator not in allocators:
        raise Refusal(
            f"measurements.csv: no row under allocator {allocator}, the study's reference (found: "
            f"{', '.join(allocators)}); measure again, or name it first in measurement.allocators"
        )


def moment(stamp: str, name: str, cell: str) -> datetime:
    """A time stamp as a moment, or refuse naming the cell."""
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        raise Refusal(
            f"measurements.csv: cell {cell}: {name} is {stamp!r}, not an ISO 8601 time; collect again"
        ) from None


def comparable(rows: Iterable[Row]) -> list[Row]:
    """The rows whose policy was shown to compute the same as none."""
    return [row for row in rows if not row.changes and not row.other_model]


def drawn(rows: Iterable[Row]) -> list[Row]:
    """The comparable rows of whole generated graphs, on which laws rest."""
    return [row for row in comparable(rows) if row.is_drawn]


def by_series(rows: Iterable[Row]) -> list[tuple[tuple[str, str], list[Row]]]:
    """The rows of each convolution and policy."""
    return list(grouped(rows, lambda row: (row.convolution, row.policy)).items())


def under(rows: Iterable[Row], allocator: str) -> list[Row]:
    """The rows measured under one allocator; policies are never compared across allocators."""
    return [row for row in rows if row.allocator == allocator]


def time_ratio(row: Mapping[str, Value]) -> Estimate | None:
    """A policy's time / none's in one cell; None for policy none itself and for cells that were not timed."""
    found = numbers(row, "time_ratio", "time_ratio_low", "time_ratio_high")
    if row["policy"] == "none" or found is None:
        return None
    # Not validated again: that would drop the addresses attached to the numbers.
    return Estimate.model_construct(estimate=found[0], low=found[1], high=found[2])


def series(row: Mapping[str, Value]) -> str:
    """Name of the row's series: its convolution, with aggregation and model unless they are the default."""
    aggregation = "" if row["aggregation"] == "gather_scatter" else row["aggregation"]
    notes = ", ".join(str(note) for note in (aggregation, row.get("model")) if note)
    return f"{row['convolution']} ({notes})" if notes else str(row["convolution"])


def policy_order(policy: str) -> tuple[bool, bool, str]:
    """A sorting key: none first, whole layers next, then by name."""
    return policy != "none", policy != "layers", policy


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Items grouped by key; keys and items keep their order."""
    found: dict[Key, list[Item]] = {}
    for one in items:
        found.setdefault(key(one), []).append(one)
    return found
