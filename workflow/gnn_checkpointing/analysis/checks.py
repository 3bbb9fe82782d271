"""What `measurements.csv` must fulfil before anything is computed from it; each refusal is one sentence."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from gnn_checkpointing.records.measurements_table import COLUMNS, Value
from gnn_checkpointing.refusal import Refusal

Row = Mapping[str, Value]
Rows = Sequence[Row]

OF_A_TABLE = ("hardware", "study", "device", "threads")
OF_A_CONVOLUTION = ("num_layers", "hidden_channels", "heads")
OF_A_CELL = (
    *("graph", "graph_label", "convolution", "aggregation", "model", "allocator", "num_nodes", "num_edges"),
    *("requested_average_degree", "average_degree", "derivation", "base", "derivation_size", "started", "ended"),
)
NEEDED = ("activation_bytes", "saved_activation_bytes")
MEMORY_RATIOS = ("memory_ratio", "activation_ratio")
TIME_RATIOS = ("time_ratio", "time_ratio_low", "time_ratio_high")
NUMERIC = tuple(column.name for column in COLUMNS if column.kind in ("integer", "number"))
AGAIN = "collect again"


def check(rows: Rows) -> None:
    """Refuse a table that is empty, mixed, doubled, without its reference, or holds an impossible number."""
    if not rows:
        raise _refusal("no rows", "measure something first")
    for text in _different(OF_A_TABLE, rows):
        raise _refusal(text, "a table holds one study on one machine under one setting, so collect them apart")
    cells: dict[str, dict[Value, Row]] = {}
    series: dict[tuple[Value, Value], list[Row]] = {}
    for row in rows:
        _check_numbers(row)
        if row["policy"] in cells.setdefault(str(row["cell"]), {}):
            raise _of_row(row, "there are two rows of it")
        cells[str(row["cell"])][row["policy"]] = row
        # No model was built, and so no layers counted, of what was not available.
        if row["outcome"] != "unavailable":
            series.setdefault((row["convolution"], row["model"]), []).append(row)
    for cell, policies in cells.items():
        if "none" not in policies:
            raise _refusal(f"cell {cell}: no row of policy none, with which the others are compared")
        for row in policies.values():
            _check_beside(row, policies["none"])
        _check_cell(cell, policies["none"])
    for (convolution, _), members in series.items():
        for text in _different(OF_A_CONVOLUTION, members):
            advice = "a study has one architecture per convolution and model, so collect them apart"
            raise _refusal(f"convolution {convolution}: {text}", advice)


def check_visits(rows: Rows) -> None:
    """Refuse a later visit that contradicts itself, or is of a cell that the study has not."""
    cells = {row["cell"] for row in rows if not row.get("visit")}
    again = [row for row in rows if row.get("visit")]
    for row in again:
        if row["cell"] not in cells:
            raise _of_row(row, f"visit {row['visit']} of a cell that was never measured first")
    for visit in dict.fromkeys(row["visit"] for row in again):
        check([row for row in again if row["visit"] == visit])


def check_compared(rows: Rows, allocator: str) -> None:
    """Refuse a table of one policy alone, or without a row under the reference allocator, which judges everything."""
    policies, allocators = (list(dict.fromkeys(str(row[name]) for row in rows)) for name in ("policy", "allocator"))
    if len(policies) == 1:
        text = f"every row is of policy {policies[0]}, which leaves nothing to compare"
        raise _refusal(text, "measure another policy beside it")
    if allocator not in allocators:
        text = f"no row under allocator {allocator}, the study's reference (found: {', '.join(allocators)})"
        raise _refusal(text, "measure again, or name it first in measurement.allocators")


def moment(stamp: str, name: str, cell: str) -> datetime:
    """A time stamp as a moment, or refuse naming the cell."""
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        raise _refusal(f"cell {cell}: {name} is {stamp!r}, not an ISO 8601 time") from None


def _refusal(text: str, advice: str = AGAIN) -> Refusal:
    return Refusal(f"measurements.csv: {text}; {advice}")


def _of_row(row: Row, text: str) -> Refusal:
    return _refusal(f"cell {row['cell']}, policy {row['policy']}: {text}")


def _different(
    names: Sequence[str], rows: Rows, words: str = "{} is {!r} in one row and {!r} in another"
) -> Iterator[str]:
    """In words, each column that should have one value throughout and has not: the first value and the next."""
    for name in names:
        found = list(dict.fromkeys(row[name] for row in rows))
        if len(found) > 1:
            yield words.format(name, *found[:2])


def _check_numbers(row: Row) -> None:
    for name in NUMERIC:
        value = row[name]
        if isinstance(value, (int, float)) and not 0 <= value < math.inf:
            text = f"{name} is {value}, {'below zero' if -math.inf < value < 0 else 'not a finite number'}"
            raise _of_row(row, text)
    if row["outcome"] != "completed":
        return
    for name in NEEDED:
        if row[name] is None:
            raise _of_row(row, f"completed, but {name} is empty")
    for name in ("step_time_seconds", *MEMORY_RATIOS, *TIME_RATIOS):
        if row[name] == 0:
            raise _of_row(row, f"{name} is 0, but a step takes time and memory")


def _check_beside(row: Row, none: Row) -> None:
    for text in _different(OF_A_CELL, (row, none), "{} is {!r}, but {!r} for policy none of the same cell"):
        raise _of_row(row, text)
    if row is none or row["outcome"] != "completed" or none["outcome"] != "completed":
        return
    timed = row["step_time_seconds"] is not None
    if timed != (none["step_time_seconds"] is not None):
        given = "step_time_seconds is given for one of it and none, not for both"
        raise _of_row(row, f"{given}; a cell is timed whole or not at all")
    for name in (*MEMORY_RATIOS, *(TIME_RATIOS if timed else ())):
        if row[name] is None:
            raise _of_row(row, f"completed beside none, but {name} is empty")


def _check_cell(cell: str, none: Row) -> None:
    started, ended = (moment(str(none[name]), name, cell) for name in ("started", "ended"))
    if ended < started:
        raise _refusal(f"cell {cell}: ended {none['ended']} before it started {none['started']}")
    if (none["family"] != "real" and not none["derivation"]) != (none["requested_average_degree"] is not None):
        raise _refusal(
            f"cell {cell}: family {none['family']}, derivation {none['derivation'] or 'none'} with "
            f"requested_average_degree {none['requested_average_degree']}; whole generated graphs have one, and they "
            "alone"
        )
