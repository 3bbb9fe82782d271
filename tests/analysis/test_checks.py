"""A table that contradicts itself is refused in one sentence that names the place."""

import re
from pathlib import Path

import pytest

from gnn_checkpointing.analysis.table import completed
from gnn_checkpointing.records.measurements_table import Value, read_table, write_table
from gnn_checkpointing.refusal import Refusal
from synthetic.changes import changed, without
from synthetic.graphs import generated_graphs
from synthetic.rows import Table, table

GRAPHS = generated_graphs(num_nodes=(500,), degrees=(4.0, 8.0), replicates=1)
ROWS = table(0, GRAPHS, convolutions=("GCN",))
CELL = "sbm-n500-d4-r0-GCN"


def test_a_sound_table_gives_every_completed_row_in_any_order_and_from_csv(tmp_path: Path) -> None:
    assert len(completed(ROWS)) == len(ROWS) == 6
    assert completed(ROWS[::-1]) == completed(ROWS)
    write_table(tmp_path / "measurements.csv", ROWS)
    for read, row in zip(completed(read_table(tmp_path / "measurements.csv")), completed(ROWS), strict=True):
        assert vars(row).items() <= vars(read).items()
    left = completed(without(ROWS, CELL, "layers", "out_of_memory"))
    assert [row.policy for row in left if row.cell == CELL] == ["none", "edge_blocks"]


ONE_STUDY = "in one row and 'other' in another; a table holds one study"


def of_cell(**values: Value) -> Table:
    return [{**row, **values} if row["cell"] == CELL else row for row in ROWS]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hardware": "other"}, f"hardware is 'test-machine' {ONE_STUDY}"),
        ({"study": "other"}, f"study is 'synthetic' {ONE_STUDY}"),
        ({"allocator": "default"}, "{row}: allocator is 'default', but 'retaining' for policy none of the same cell"),
        (
            {"aggregation": "spmm"},
            "{row}: aggregation is 'spmm', but 'gather_scatter' for policy none of the same cell",
        ),
        ({"step_time_seconds": None}, "{row}: step_time_seconds is given for one of it and none, not for both"),
        ({"step_time_seconds": float("nan")}, "{row}: step_time_seconds is nan, not a finite number"),
        ({"time_ratio": float("inf")}, "{row}: time_ratio is inf, not a finite number"),
        ({"peak_memory_bytes": -1}, "{row}: peak_memory_bytes is -1, below zero"),
        ({"step_time_seconds": -0.5}, "{row}: step_time_seconds is -0.5, below zero"),
        ({"step_time_seconds": 0.0}, "{row}: step_time_seconds is 0, but a step takes time"),
        ({"activation_bytes": None}, "{row}: completed, but activation_bytes is empty"),
        ({"time_ratio": None}, "{row}: completed beside none, but time_ratio is empty"),
        ({"num_edges": 7}, "{row}: num_edges is 7, but 2000 for policy none of the same cell"),
        ({"policy": "none"}, "{cell}, policy none: there are two rows of it"),
        ({"num_layers": 9}, "convolution GCN: num_layers is 4 in one row and 9 in another"),
        (of_cell(started="yesterday"), "{cell}: started is 'yesterday', not an ISO 8601 time"),
        (of_cell(ended="2025-01-01T00:00:00+00:00"), "{cell}: ended 2025-01-01T00:00:00+00:00 before it started"),
        (
            of_cell(requested_average_degree=None),
            "{cell}: family sbm, derivation none with requested_average_degree None;",
        ),
        ([], "no rows; measure something first"),
        (ROWS[1:], "{cell}: no row of policy none, with which"),
    ],
)
def test_a_contradiction_is_one_sentence(changes: dict | Table, sentence: str) -> None:
    """Of one row under `layers`, or of a whole table."""
    rows = changed(ROWS, CELL, "layers", **changes) if isinstance(changes, dict) else changes
    expected = re.escape("measurements.csv: " + sentence.format(cell=f"cell {CELL}", row=f"cell {CELL}, policy layers"))
    with pytest.raises(Refusal, match=f"^{expected}[^\n]*$"):
        completed(rows)
