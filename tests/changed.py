"""Helpers that change files of a published folder, as another machine or a forger would."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gnn_checkpointing.artefacts import write_json
from gnn_checkpointing.packed import bounded_bytes

Table = list[dict[str, str]]


def in_json(folder: Path, name: str, change: Callable[[Any], object]) -> None:
    values = json.loads((folder / name).read_text())
    change(values)
    write_json(folder / name, values)


def in_table(folder: Path, change: Callable[[Table], object]) -> None:
    rows = table(folder)
    change(rows)
    stream = io.StringIO()
    writer = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (folder / "measurements.csv").write_text(stream.getvalue())


def table(folder: Path) -> Table:
    return list(csv.DictReader(io.StringIO((folder / "measurements.csv").read_text())))


def in_records(folder: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    path = folder / "records.jsonl"
    records = [json.loads(line) for line in bounded_bytes(path).splitlines()]
    change(records)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
