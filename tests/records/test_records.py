"""The table: types come back as they went, and a table that lies about itself is refused by line and column."""

from pathlib import Path

import pytest

from gnn_checkpointing.records.cell import read_cell, read_records
from gnn_checkpointing.records.measurements_table import COLUMNS, columns_of, hosts, read_table, write_table
from gnn_checkpointing.refusal import Refusal

ROW = {"hardware": "here", "policy": "none", "num_nodes": 7, "density": 0.1 + 0.2, "same_loss": True}


def test_values_come_back_exactly(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", [ROW])
    (row,) = read_table(tmp_path / "t.csv")
    assert {name: row[name] for name in ROW} == ROW
    assert row["peak_memory_bytes"] is None


def test_a_table_has_the_columns_of_cuda_where_something_ran_there(tmp_path: Path) -> None:
    of_cuda = {column.name for column in COLUMNS if column.flag == "cuda"}
    assert {"reserved_bytes", "driver_bytes", "device_time_seconds"} <= of_cuda
    for device in ("cpu", "cuda"):
        rows = [ROW | {"device": device, "reserved_bytes": None}, ROW | {"device": device, "reserved_bytes": 7}]
        write_table(tmp_path / "t.csv", rows)
        header = set((tmp_path / "t.csv").read_text().splitlines()[0].split(","))
        assert header == {column.name for column in columns_of(rows)}
        assert header & of_cuda == (of_cuda if device == "cuda" else set())
        found = [row["reserved_bytes"] for row in read_table(tmp_path / "t.csv")]
        assert found == ([None, 7] if device == "cuda" else [None, None])


def test_names_in_the_dictionary_are_unique_and_end_in_their_unit() -> None:
    names = [column.name for column in COLUMNS]
    assert len(set(names)) == len(names)
    for column in COLUMNS:
        if column.unit in {"bytes", "seconds"}:
            assert column.name.endswith(column.unit)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("hardware,study", "hardware", r"column study is missing"),
        ("7", "seven", r"line 2: num_nodes is 'seven'"),
        ("true", "yes", r"line 2: same_loss is 'yes'"),
    ],
)
def test_a_broken_table_is_refused(old: str, new: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(path, [ROW])
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(Refusal, match=words):
        read_table(path)


def test_a_record_of_another_form_is_refused_by_field(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"schema_version": 1, "policies": "none"}')
    with pytest.raises(Refusal, match=r"c\.json: field started"):
        read_cell(tmp_path / "c.json")
    (tmp_path / "r.jsonl").write_text("{}\n{}\n")
    with pytest.raises(Refusal, match=r"r\.jsonl, record 1: field started"):
        read_records(tmp_path / "r.jsonl")


def test_machines_are_a_column_only_where_there_are_several(tmp_path: Path) -> None:
    write_table(tmp_path / "one.csv", [ROW])
    assert read_table(tmp_path / "one.csv")[0]["hosts"] == ""
    assert "hosts" not in (tmp_path / "one.csv").read_text()
    write_table(tmp_path / "two.csv", [ROW | {"hosts": "a; b"}])
    (row,) = read_table(tmp_path / "two.csv")
    assert hosts(row) == ["a", "b"]
    assert (tmp_path / "two.csv").read_text().replace(",hosts", "").replace(",a; b", "") == (
        tmp_path / "one.csv"
    ).read_text()
