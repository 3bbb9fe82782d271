"""A table that contradicts itself is refused in one sentence that names the place."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gnn_checkpointing.analysis.table import completed
from gnn_checkpointing.records.measurements_table import read_table, write_table
from gnn_checkpointing.refusal import Refusal
from synthetic.changes import changed, without
from synthetic.graphs import generated_graphs
from synthetic.rows import Table, table

GRAPHS = generated_graphs(num_nodes=(500,), degrees=(4.0, 8.0), replicates=1)
CELL = "sbm-n500-d4-r0-GCN"


@pytest.fixture
def rows() -> Table:
    return table(np.random.default_rng(0), GRAPHS, convolutions=("GCN",))


def test_a_sound_table_gives_every_completed_row(rows: Table) -> None:
    assert len(completed(rows)) == len(rows) == 6


def test_a_table_read_back_from_csv_gives_the_same_rows(rows: Table, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("table") / "measurements.csv"
    write_table(path, rows)
    assert completed(read_table(path)) == completed(rows)


def test_the_order_of_rows_does_not_matter(rows: Table) -> None:
    assert completed(rows[::-1]) == completed(rows)


def test_rows_that_did_not_complete_are_left_out(rows: Table) -> None:
    left = completed(without(rows, CELL, "layers", "out_of_memory"))
    assert [row.policy for row in left if row.cell == CELL] == ["none", "edge_blocks"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"hardware": "other"},
            "hardware is 'test-machine' in one row and 'other' in another; a table holds one study",
        ),
        ({"study": "other"}, "study is 'synthetic' in one row and 'other' in another; a table holds one study"),
        (
            {"allocator": "default"},
            "cell {cell}, policy layers: allocator is 'default', but 'retaining' for policy none of the same cell",
        ),
        (
            {"aggregation": "spmm"},
            "cell {cell}, policy layers: aggregation is 'spmm', but 'gather_scatter' for policy none of the same cell",
        ),
        (
            {"step_time_seconds": None},
            "cell {cell}, policy layers: step_time_seconds is given for one of it and none, not for both",
        ),
        (
            {"step_time_seconds": float("nan")},
            "cell {cell}, policy layers: step_time_seconds is nan, not a finite number",
        ),
        ({"time_ratio": float("inf")}, "cell {cell}, policy layers: time_ratio is inf, not a finite number"),
        ({"peak_memory_bytes": -1}, "cell {cell}, policy layers: peak_memory_bytes is -1, below zero"),
        ({"step_time_seconds": -0.5}, "cell {cell}, policy layers: step_time_seconds is -0.5, below zero"),
        ({"step_time_seconds": 0.0}, "cell {cell}, policy layers: step_time_seconds is 0, but a step takes time"),
        ({"activation_bytes": None}, "cell {cell}, policy layers: completed, but activation_bytes is empty"),
        ({"time_ratio": None}, "cell {cell}, policy layers: completed beside none, but time_ratio is empty"),
        ({"num_edges": 7}, "cell {cell}, policy layers: num_edges is 7, but 2000 for policy none of the same cell"),
        ({"policy": "none"}, "cell {cell}, policy none: there are two rows of it"),
        ({"num_layers": 9}, "convolution GCN: num_layers is 4 in one row and 9 in another"),
    ],
)
def test_a_contradiction_is_one_sentence(rows: Table, values: dict[str, object], sentence: str) -> None:
    expected = re.escape("measurements.csv: " + sentence.format(cell=CELL))
    with pytest.raises(Refusal, match=f"^{expected}[^\n]*$"):
        completed(changed(rows, CELL, "layers", **values))  # type: ignore[arg-type]


def test_a_cell_without_its_reference_is_refused(rows: Table) -> None:
    kept = [row for row in rows if (row["cell"], row["policy"]) != (CELL, "none")]
    with pytest.raises(Refusal, match=f"^measurements.csv: cell {CELL}: no row of policy none, with which"):
        completed(kept)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(Refusal, match=r"^measurements.csv: no rows; measure something first$"):
        completed([])


def test_a_bad_time_stamp_is_refused(rows: Table) -> None:
    broken = [{**row, "started": "yesterday"} if row["cell"] == CELL else row for row in rows]
    with pytest.raises(Refusal, match=f"^measurements.csv: cell {CELL}: started is 'yesterday', not an ISO 8601 time"):
        completed(broken)


def test_a_cell_that_ends_before_it_starts_is_refused(rows: Table) -> None:
    broken = [{**row, "ended": "2025-01-01T00:00:00+00:00"} if row["cell"] == CELL else row for row in rows]
    with pytest.raises(Refusal, match="before it started"):
        completed(broken)
