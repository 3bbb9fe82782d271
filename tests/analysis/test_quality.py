"""The run tells on itself: outcomes, shares of time, overlaps, widths, changed computations."""

from __future__ import annotations

import numpy as np
import pytest

from gnn_checkpointing.analysis.quality import quality

from .tables import Table, changed, generated_graphs, table, without

CELL = "sbm-n500-d4-r0-GCN"


@pytest.fixture
def rows() -> Table:
    """Two cells of 3 seconds each, half of them measured, a second apart."""
    graphs = generated_graphs((500,), (4.0, 8.0), 1)
    return table(np.random.default_rng(0), graphs, convolutions=("GCN",))


def test_seconds_are_counted_once_a_cell(rows: Table) -> None:
    result = quality(rows, 0.03)
    assert (result.cells, result.rows) == (2, 6)
    assert (result.measured_seconds, result.wall_seconds, result.measured_share) == (3.0, 6.0, 0.5)
    assert result.outcomes == {"completed": 6}
    assert (result.failures, result.not_the_same, result.warnings) == ([], [], [])


def test_widths_are_relative_and_held_against_the_target(rows: Table) -> None:
    wide = changed(rows, CELL, "layers", time_ratio=2.0, time_ratio_low=1.8, time_ratio_high=2.2)
    result = quality(wide, 0.03)
    assert result.worst_half_width == pytest.approx(0.1)
    assert result.median_half_width == pytest.approx(0.02)
    assert result.within_target == 0.75


def test_failures_are_listed_with_what_was_said(rows: Table) -> None:
    result = quality(without(rows, CELL, "layers", "out_of_memory", "asked for 9 GiB"), 0.03)
    assert result.outcomes == {"completed": 5, "out_of_memory": 1}
    assert result.failures == [
        {"cell": CELL, "policy": "layers", "outcome": "out_of_memory", "message": "asked for 9 GiB"}
    ]


def test_cells_that_overlap_are_counted(rows: Table) -> None:
    assert quality(rows, 0.03).overlapping_cells == 0
    longer = [{**row, "ended": "2026-01-01T00:00:05+00:00"} if row["cell"] == CELL else row for row in rows]
    assert quality(longer, 0.03).overlapping_cells == 1


def test_cells_that_touch_do_not_overlap(rows: Table) -> None:
    touching = [{**row, "ended": "2026-01-01T00:00:04+00:00"} if row["cell"] == CELL else row for row in rows]
    assert quality(touching, 0.03).overlapping_cells == 0


def test_a_changed_computation_is_named_with_what_changed(rows: Table) -> None:
    result = quality(changed(rows, CELL, "layers", same_gradients=False, same_buffers=False), 0.03)
    assert result.not_the_same == [f"{CELL}, layers: gradients and buffers not within tolerance of none's"]


def test_a_sameness_that_was_not_recorded_is_not_taken_for_granted(rows: Table) -> None:
    assert len(quality(changed(rows, CELL, "layers", same_loss=None), 0.03).not_the_same) == 1


def test_a_warning_is_told_once_with_its_cells(rows: Table) -> None:
    """Two cells, two warnings each: one kind is in both, told by the first; the other is in one alone."""
    texts = {str(row["cell"]): f"load 1.{number % 2}" for number, row in enumerate(rows)}
    busy = [
        {**row, "warnings": texts[str(row["cell"])] + ("; layers changed" if row["cell"] == CELL else "")}
        for row in rows
    ]
    assert quality(busy, 0.03).warnings == [
        f"2 cells warn like {CELL}: {texts[CELL]}",
        f"layers changed (cell {CELL})",
    ]


def test_without_a_single_ratio_the_widths_are_said_to_be_unknown() -> None:
    rows = table(np.random.default_rng(0), generated_graphs((500,), (4.0,), 1), policies=("none",))
    result = quality(rows, 0.03)
    assert (result.median_half_width, result.worst_half_width, result.within_target) == (0.0, 0.0, 0.0)
    assert result.warnings == ["no time ratio was measured, so no width is known"]
