"""What `measurements.csv` must fulfil before anything is computed from it; each refusal is one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from gnn_checkpointing.records.measurements_table import COLUMNS, Value
from gnn_checkpointing.refusal import Refusal

Rows = Sequence[Mapping[str, Value]]

SOURCE = "measurements.csv"
ONE_OF_A_KIND = ("hardware", "study", "device", "threads")
OF_A_CONVOLUTION = ("num_layers", "hidden_channels", "heads")
OF_A_CELL = (
    "graph",
    "graph_label",
    "convolution",
    "aggregation",
    "model",
    "allocator",
    "num_nodes",
    "num_edges",
    "requested_average_degree",
    "average_degree",
    "derivation",
    "base",
    "derivation_size",
    "started",
    "ended",
)
NEEDED = ("activation_bytes", "saved_activation_bytes")
MEMORY_RATIOS = ("memory_ratio", "activation_ratio")
TIME_RATIOS = ("time_ratio", "time_ratio_low", "time_ratio_high")
NUMERIC = tuple(column.name for column in COLUMNS if column.kind in ("integer", "number"))


def check(rows: Rows) -> None:
    """Refuse a table that is empty, mixed, doubled, without its reference, or holds an impossible number."""
    if not rows:
        raise Refusal(f"{SOURCE}: no rows; measure something first")
    _check_one_run(rows)
    for row in rows:
        _check_numbers(row)
    _check_cells(rows)
    _check_convolutions(rows)


def check_visits(rows: Rows) -> None:
    """Refuse a later visit that contradicts itself, or is of a cell that the study has not."""
    cells = {row["cell"] for row in rows if not row.get("visit")}
    visits: dict[Value, list[Mapping[str, Value]]] = {}
    for row in rows:
        if row.get("visit"):
            visits.setdefault(row["visit"], []).append(row)
            if row["cell"] not in cells:
                raise Refusal(
                    f"{_where(row)}: visit {row['visit']} of a cell that was never measured first; collect again"
                )
    for part in visits.values():
        check(part)


def check_reference(rows: Rows, allocator: str) -> None:
    """Refuse a table without a row under the reference allocator, under which everything is judged."""
    found = list(dict.fromkeys(str(row["allocator"]) for row in rows))
    if allocator not in found:
        raise Refusal(
            f"{SOURCE}: no row under allocator {allocator}, the study's reference (found: {', '.join(found)}); measure "
            "again, or name it first in measurement.allocators"
        )


def check_compared(rows: Rows) -> None:
    """Refuse a table of one policy alone, which leaves nothing to compare."""
    found = {str(row["policy"]) for row in rows}
    if len(found) == 1:
        raise Refusal(
            f"{SOURCE}: every row is of policy {found.pop()}, which leaves nothing to compare; measure another policy "
            "beside it"
        )


def moment(stamp: str, name: str, cell: str) -> datetime:
    """A time stamp as a moment, or refuse naming the cell."""
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        raise Refusal(f"{SOURCE}: cell {cell}: {name} is {stamp!r}, not an ISO 8601 time; collect again") from None


def _check_one_run(rows: Rows) -> None:
    for name in ONE_OF_A_KIND:
        found = list(dict.fromkeys(row[name] for row in rows))
        if len(found) > 1:
            raise Refusal(
                f"{SOURCE}: {name} is {found[0]!r} in one row and {found[1]!r} in another; a table holds one study "
                "on one machine under one setting, so collect them apart"
            )


def _check_numbers(row: Mapping[str, Value]) -> None:
    for name in NUMERIC:
        value = row[name]
        if isinstance(value, (int, float)) and not math.isfinite(value):
            raise Refusal(f"{_where(row)}: {name} is {value}, not a finite number; collect again")
        if isinstance(value, (int, float)) and value < 0:
            raise Refusal(f"{_where(row)}: {name} is {value}, below zero; collect again")
    if row["outcome"] != "completed":
        return
    for name in NEEDED:
        if row[name] is None:
            raise Refusal(f"{_where(row)}: completed, but {name} is empty; collect again")
    for name in ("step_time_seconds", *MEMORY_RATIOS, *TIME_RATIOS):
        if row[name] == 0:
            raise Refusal(f"{_where(row)}: {name} is 0, but a step takes time and memory; collect again")


def _check_cells(rows: Rows) -> None:
    cells: dict[str, dict[str, Mapping[str, Value]]] = {}
    for row in rows:
        policies = cells.setdefault(str(row["cell"]), {})
        policy = str(row["policy"])
        if policy in policies:
            raise Refusal(f"{_where(row)}: there are two rows of it; collect again")
        policies[policy] = row
    for cell, policies in cells.items():
        if "none" not in policies:
            raise Refusal(
                f"{SOURCE}: cell {cell}: no row of policy none, with which the others are compared; collect again"
            )
        _check_cell(cell, policies)


def _check_cell(cell: str, policies: Mapping[str, Mapping[str, Value]]) -> None:
    none = policies["none"]
    for policy, row in policies.items():
        for name in OF_A_CELL:
            if row[name] != none[name]:
                raise Refusal(
                    f"{_where(row)}: {name} is {row[name]!r}, but {none[name]!r} for policy none of the same cell; "
                    "collect again"
                )
        if policy == "none" or row["outcome"] != "completed" or none["outcome"] != "completed":
            continue
        if (row["step_time_seconds"] is None) != (none["step_time_seconds"] is None):
            raise Refusal(
                f"{_where(row)}: step_time_seconds is given for one of it and none, not for both; a cell is timed "
                "whole or not at all; collect again"
            )
        timed = row["step_time_seconds"] is not None
        for name in (*MEMORY_RATIOS, *(TIME_RATIOS if timed else ())):
            if row[name] is None:
                raise Refusal(f"{_where(row)}: completed beside none, but {name} is empty; collect again")
    started, ended = (moment(str(none[name]), name, cell) for name in ("started", "ended"))
    if ended < started:
        raise Refusal(
            f"{SOURCE}: cell {cell}: ended {none['ended']} before it started {none['started']}; collect again"
        )
    if (none["family"] != "real" and not none["derivation"]) != (none["requested_average_degree"] is not None):
        raise Refusal(
            f"{SOURCE}: cell {cell}: family {none['family']}, derivation {none['derivation'] or 'none'} with "
            f"requested_average_degree {none['requested_average_degree']}; whole generated graphs have one, and they "
            "alone; collect again"
        )


def _check_convolutions(rows: Rows) -> None:
    seen: dict[tuple[Value, Value], Mapping[str, Value]] = {}
    for row in rows:
        if row["outcome"] == "unavailable":
            continue  # nobody built a model to count the layers of
        first = seen.setdefault((row["convolution"], row["model"]), row)
        for name in OF_A_CONVOLUTION:
            if row[name] != first[name]:
                raise Refusal(
                    f"{SOURCE}: convolution {row['convolution']}: {name} is {first[name]!r} in one row and "
                    f"{row[name]!r} in another; a study has one architecture per convolution and model, so collect "
                    "them apart"
                )


def _where(row: Mapping[str, Value]) -> str:
    return f"{SOURCE}: cell {row['cell']}, policy {row['policy']}"
