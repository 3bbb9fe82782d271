"""A table that contradicts itself is refused in one sentence that names the place."""

from __future__ import annotations

import re
from pathlib import Path

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


def test_a_sound_table_gives_every_completed_row_in_any_order_and_from_csv(rows: Table, tmp_path: Path) -> None:
    assert len(completed(rows)) == len(rows) == 6
    assert completed(rows[::-1]) == completed(rows)
    write_table(tmp_path / "measurements.csv", rows)
    assert completed(read_table(tmp_path / "measurements.csv")) == completed(rows)
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


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"policy": "x"}, "cell {cell}: no row of policy none, with which"),
        ({"started": "yesterday"}, "cell {cell}: started is 'yesterday', not an ISO 8601 time"),
        ({"ended": "2025-01-01T00:00:00+00:00"}, "cell {cell}: ended 2025-01-01T00:00:00+00:00 before it started"),
    ],
)
def test_a_cell_that_cannot_be_is_refused(rows: Table, values: dict[str, str], sentence: str) -> None:
    broken = [{**row, **values} if row["cell"] == CELL else row for row in rows]
    if "policy" in values:
        broken = [row for row in rows if (row["cell"], row["policy"]) != (CELL, "none")]
    with pytest.raises(Refusal, match=f"^measurements.csv: {re.escape(sentence.format(cell=CELL))}"):
        completed(broken)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(Refusal, match=r"^measurements.csv: no rows; measure something first$"):
        completed([])
