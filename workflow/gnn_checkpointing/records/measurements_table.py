"""`measurements.csv`: its data dictionary (`columns.csv`), typed writing and reading, and the high-water verdict."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from gnn_checkpointing import artefacts
from gnn_checkpointing.refusal import Refusal, shown

Kind = Literal["text", "integer", "number", "truth"]


@dataclass(frozen=True)
class Column:
    """A column of `measurements.csv`."""

    name: str
    kind: Kind
    unit: str
    meaning: str
    flag: str = ""
    """`new`: older tables lack it, and are read as if it were empty; `cuda`: only rows measured on CUDA fill it, and
    tables without such rows leave it out; or empty."""


with Path(__file__).with_name("columns.csv").open(encoding="utf-8", newline="") as _stream:
    _, *_rows = csv.reader(_stream)
COLUMNS = tuple(Column(name, cast("Kind", kind), unit, meaning, flag) for name, kind, unit, meaning, flag in _rows)

HOSTS = Column("hosts", "text", "", "which machine each process of the cell ran on", "new")
"""Present only in tables from more than one machine, such as the nodes of a cluster; holds ids, not names."""

_LONGEST_TEXT = 10_000
"""Maximum length of a text field: the longest message of a compiler is shorter."""

_MOST_ROWS = 100_000
"""Maximum number of rows: an empty row of a hundred bytes takes a hundred times that in memory."""

SEPARATOR = "; "
"""Separates the values of several processes in one text column."""

Value = str | int | float | bool | None


def columns_of(rows: Sequence[Mapping[str, Value]]) -> tuple[Column, ...]:
    """Columns of a table: with the CUDA columns if a row was measured there, and with HOSTS if a row has it."""
    on_cuda = any(row.get("device") == "cuda" for row in rows)
    kept = tuple(column for column in COLUMNS if on_cuda or column.flag != "cuda")
    return (*kept, HOSTS) if any(row.get(HOSTS.name) for row in rows) else kept


def write_table(path: Path, rows: Sequence[Mapping[str, Value]]) -> None:
    """Write rows as CSV with every column of `columns_of`; None becomes an empty field."""
    stream = io.StringIO()
    names = [column.name for column in columns_of(rows)]
    left_out = {column.name for column in (*COLUMNS, HOSTS)} - set(names)
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _as_text(value) for name, value in row.items() if name not in left_out})
    artefacts.write_text(path, stream.getvalue())


def read_table(path: Path) -> list[dict[str, Value]]:
    """Read the rows of `measurements.csv`, with each column in the type that the data dictionary gives it."""
    try:
        text = artefacts.sealed_bytes(path).decode()
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise Refusal(f"{path}: not readable ({error}); make it with `collect`") from None
    if text.count("\n") > _MOST_ROWS:
        raise Refusal(f"{path}: more than {_MOST_ROWS} rows; it is not a file of this project")
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        names = list(reader.fieldnames or [])
        found = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        place = f", line {reader.line_num}" if reader.line_num > 1 else ""
        raise Refusal(f"{path}{place}: not readable as CSV ({error}); make it with `collect`") from None
    # Programs differ in how they read two columns of one name, or more values than names.
    known = {column.name for column in (*COLUMNS, HOSTS)}
    wrong = [name for place, name in enumerate(names) if name not in known or name in names[:place]]
    if wrong:
        what = "there twice" if wrong[0] in known else "none of this project's"
        raise Refusal(f"{path}: column {shown(wrong[0])} is {what}; make it with `collect`")
    missing = [column.name for column in COLUMNS if not column.flag and column.name not in names]
    if missing:
        raise Refusal(f"{path}: column {missing[0]} is missing ({len(missing)} in all); make it with `collect`")
    longer = next((line for line, row in found if None in row or None in row.values()), None)
    if longer:
        raise Refusal(f"{path}, line {longer}: not as many values as there are columns; make it with `collect`")
    if not found:
        raise Refusal(f"{path}: no rows; measure something first")
    rows = [
        {column.name: _as_value(path, line, column, row.get(column.name)) for column in (*COLUMNS, HOSTS)}
        for line, row in found
    ]
    return [row | {"visit": row["visit"] or 0} | throughput(row) for row in rows]


def per_second(count: float, step_time_seconds: float | None) -> float | None:
    """Throughput: nodes or edges processed per second of a step; None if there is no time."""
    return count / step_time_seconds if step_time_seconds else None


def throughput(row: Mapping[str, Value]) -> dict[str, Value]:
    """Throughput columns of a row; empty (None) if the row has no time."""
    counts = {"nodes_per_second": number(row, "num_nodes"), "edges_per_second": number(row, "num_edges")}
    seconds = number(row, "step_time_seconds") if "step_time_seconds" in row else None
    return {name: per_second(count, seconds) if count else None for name, count in counts.items()}


def turns(row: Mapping[str, Value]) -> list[tuple[str, str]]:
    """Start and end of each process's turn at the row's cell, as ISO 8601 times."""
    started, ended = (
        [str(row[first] or ""), *filter(None, str(row[again] or "").split(SEPARATOR))]
        for first, again in (("started", "again_started"), ("ended", "again_ended"))
    )
    if len(started) != len(ended):
        raise Refusal(f"cell {shown(row['cell'])}: {len(started)} beginnings and {len(ended)} ends; collect again")
    return list(zip(started, ended, strict=True))


def hosts(row: Mapping[str, Value]) -> list[str]:
    """Id of the machine of each of the row's turns; all "" if one machine measured everything."""
    found = str(row.get(HOSTS.name) or "")
    return found.split(SEPARATOR) if found else [""] * len(turns(row))


def number(row: Mapping[str, Value], column: str) -> float | None:
    """Numeric field of a row, or None if it is empty."""
    value = row[column]
    if isinstance(value, float):
        return value
    return value * 1.0 if isinstance(value, int) else None  # not float(value): that would lose its address


def numbers(row: Mapping[str, Value], *columns: str) -> list[float] | None:
    """Several numeric fields of a row, or None if any is empty."""
    found = [value for column in columns if (value := number(row, column)) is not None]
    return found if len(found) == len(columns) else None


def _as_text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return artefacts.text_cell(value)
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def _as_value(path: Path, line: int, column: Column, text: str | None) -> Value:
    if not text:
        return None if column.kind != "text" else ""
    try:
        match column.kind:
            case "integer":
                return artefacts.whole_number(text)
            case "number":
                return artefacts.real_number(text)
            case "truth":
                return {"true": True, "false": False}[text]
            case "text" if len(text) > _LONGEST_TEXT:
                raise ValueError
            case "text":
                return artefacts.without_addresses(artefacts.cell_text(text))
    except (ValueError, KeyError):
        raise Refusal(
            f"{path}, line {line}: {column.name} is {shown(repr(text))}, not a {column.kind}; collect again"
        ) from None


SORT_BYTES_PER_EDGE = 32
"""ATen sorts the indices of an index_add or scatter on CPU: keys, values and a copy of each, int64, which it allocates
in C++ and not with PyTorch's allocator (`cpu_scatter_reduce_expanded_index`). The high-water mark shows 31.7 to 32.0
bytes per edge."""

HIGH_WATER_SHARE = 0.02
"""Pages, page tables of the C library's big blocks, and Python's own allocations: at most 1 % for peaks over
100 MiB."""

HIGH_WATER_BYTES = 2 * 2**20
"""Blocks below the mapping threshold lie in a fragmented heap whose pages stay: up to 1.6 MiB, whatever the peak."""

LAYER_BYTES = 80 * 2**10
"""Bytes that each layer adds besides its tensors. Autograd's nodes take 15 to 17 KB of heap per layer (SAGE with
LayerNorm: 50, 100 and 200 layers hold 51, 51 and 53 KB per layer in blocks below the mapping threshold of 64 KiB,
36 KB of that in tensors). A recomputed layer frees its small tensors between gradients that stay: at that peak 26 to
32 KB of heap per layer were free but resident, less than the layer's 36 KB of small tensors."""


def high_water_agrees(high_water: float, activation_bytes: float, num_edges: float, num_layers: float) -> bool:
    """Whether the high-water mark agrees; `num_edges` counts those that the convolution reads, self-loops included."""
    allowed = HIGH_WATER_SHARE * activation_bytes + HIGH_WATER_BYTES
    above = allowed + SORT_BYTES_PER_EDGE * num_edges + LAYER_BYTES * num_layers
    return -allowed <= high_water - activation_bytes <= above


def high_water_verdict(row: Mapping[str, Value]) -> Value:
    """The recorded verdict; older ones ignored the bytes of layers, and become True if these explain the excess."""
    recorded = row["high_water_agrees"]
    nodes, edges, layers = (number(row, name) or 0.0 for name in ("num_nodes", "num_edges", "num_layers"))
    high_water, peak = number(row, "high_water_bytes"), number(row, "activation_bytes")
    if recorded is not False or high_water is None or peak is None:
        return recorded
    without, having = (high_water_agrees(high_water, peak, edges + nodes, each) for each in (0, layers))
    return having and not without
