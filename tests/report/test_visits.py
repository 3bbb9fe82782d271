"""A cell that was measured again later is no further cell of the report."""

from __future__ import annotations

from gnn_checkpointing.report.inputs import in_series
from gnn_checkpointing.sourced import counted, source_of, sourced
from synthetic import inputs as synthetic


def test_a_cell_that_was_visited_again_is_counted_once() -> None:
    rows = synthetic.generated_rows()[:2]
    again = in_series(sourced([{**rows[0], "visit": 0}, {**rows[0], "visit": 1}, {**rows[1], "visit": 0}], "m.csv#"))
    assert (counted(again), source_of(counted(again))) == (2, "count(m.csv# where visit = 0)")
    assert source_of(again[1]["activation_bytes"]) == "m.csv#/2/activation_bytes"
