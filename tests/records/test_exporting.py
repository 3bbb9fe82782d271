"""A published table in other tools' forms: the same values, with their units and descriptions."""

import csv
import hashlib
import json
from pathlib import Path

import pytest

from gnn_checkpointing.cli import main
from gnn_checkpointing.records.exporting import export
from gnn_checkpointing.records.measurements_table import read_table
from gnn_checkpointing.refusal import Refusal

PUBLISHED = next((Path(__file__).parents[2] / "report").glob("*/ten-million"))
ROWS = read_table(PUBLISHED / "measurements.csv")


def described(folder: Path) -> dict:
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    resource = package["resources"][0]
    content = (folder / resource["path"]).read_bytes()
    assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert resource["bytes"] == len(content)
    return {field["name"]: field for field in resource["schema"]["fields"]}


def test_parquet_has_values_units_and_descriptions(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(export(PUBLISHED, "parquet", tmp_path))
    fields = described(tmp_path)
    assert table.column_names == list(fields)
    for name in ("peak_memory_bytes", "step_time_seconds", "policy", "same_loss"):
        assert table[name].to_pylist() == [row[name] for row in ROWS]
    assert table.schema.field("peak_memory_bytes").metadata[b"unit"] == b"bytes"
    assert fields["peak_memory_bytes"]["unit"] == "bytes"
    assert b"live bytes" in table.schema.field("peak_memory_bytes").metadata[b"description"]


def test_csv_and_json_have_the_same_values(tmp_path: Path) -> None:
    with export(PUBLISHED, "csv", tmp_path / "csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["policy"] for row in rows] == [row["policy"] for row in ROWS]
    assert [int(row["peak_memory_bytes"]) if row["peak_memory_bytes"] else None for row in rows] == [
        row["peak_memory_bytes"] for row in ROWS
    ]
    assert {row["same_loss"] for row in rows} <= {"true", "false", ""}
    values = json.loads(export(PUBLISHED, "json", tmp_path / "json").read_text(encoding="utf-8"))
    assert [row["activation_ratio"] for row in values] == [row["activation_ratio"] for row in ROWS]
    assert described(tmp_path / "csv") == described(tmp_path / "json")


def test_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="choose one of parquet, csv, json"):
        export(PUBLISHED, "xlsx", tmp_path)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_where_the_table_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(PUBLISHED), "--format", "csv", "--output-folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'measurements.csv'}\n"
    assert main(["export", str(tmp_path / "nowhere"), "--output-folder", str(tmp_path)]) == 2
