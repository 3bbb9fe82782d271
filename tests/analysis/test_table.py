"""The rows of a table that count, in their order."""

from pathlib import Path

from gnn_checkpointing.analysis.table import completed
from gnn_checkpointing.records.measurements_table import read_table, write_table
from synthetic.changes import without
from synthetic.graphs import generated_graphs
from synthetic.rows import table

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
