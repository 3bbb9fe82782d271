"""The run tells on itself: outcomes, shares of time, overlaps, widths, changed computations."""

from __future__ import annotations

import numpy as np
import pytest

from gnn_checkpointing.analysis.quality import quality
from gnn_checkpointing.analysis.results import Quality
from gnn_checkpointing.analysis.table import completed
from synthetic.changes import changed, without
from synthetic.frontier import NEEDS_ATTENTION, NEEDS_CUDA, frontier_table
from synthetic.graphs import generated_graphs
from synthetic.rows import Table, table

CELL = "sbm-n500-d4-r0-GCN"


@pytest.fixture
def rows() -> Table:
    """Two cells of 3 seconds in each of two processes, a quarter of them measured, a second apart."""
    graphs = generated_graphs((500,), (4.0, 8.0), 1)
    return table(np.random.default_rng(0), graphs, convolutions=("GCN",))


def told(rows: Table) -> Quality:
    return quality(rows, completed(rows), "retaining", 0.03)


def test_seconds_are_counted_once_a_cell(rows: Table) -> None:
    result = told(rows)
    assert (result.cells, result.rows) == (2, 6)
    assert (result.measured_seconds, result.wall_seconds, result.measured_share) == (3.0, 12.0, 0.25)
    assert result.outcomes == {"completed": 6}
    assert (result.failures, result.not_the_same, result.warnings) == ([], [], [])


def test_widths_are_relative_and_held_against_the_target(rows: Table) -> None:
    wide = changed(rows, CELL, "layers", time_ratio=2.0, time_ratio_low=1.8, time_ratio_high=2.2)
    result = told(wide)
    assert result.worst_half_width == pytest.approx(0.1)
    assert result.median_half_width == pytest.approx(0.02)
    assert result.within_target == 0.75


def test_failures_are_listed_with_what_was_said(rows: Table) -> None:
    result = told(without(rows, CELL, "layers", "out_of_memory", "asked for 9 GiB"))
    assert result.outcomes == {"completed": 5, "out_of_memory": 1}
    assert result.failures == [
        {"cell": CELL, "policy": "layers", "outcome": "out_of_memory", "message": "asked for 9 GiB"}
    ]


def test_cells_that_overlap_are_counted(rows: Table) -> None:
    assert told(rows).overlapping_cells == 0
    longer = [{**row, "ended": "2026-01-01T00:00:05+00:00"} if row["cell"] == CELL else row for row in rows]
    assert told(longer).overlapping_cells == 1


def test_cells_of_two_machines_do_not_overlap(rows: Table) -> None:
    """Both nodes of a cluster measure at the same time, each alone."""
    longer = [{**row, "ended": "2026-01-01T00:00:05+00:00"} if row["cell"] == CELL else row for row in rows]
    apart = [{**row, "hosts": "a; a" if row["cell"] == CELL else "b; b"} for row in longer]
    assert told(apart).overlapping_cells == 0
    together = [{**row, "hosts": "a; a"} for row in longer]
    assert told(together).overlapping_cells == 1


def test_cells_that_touch_do_not_overlap(rows: Table) -> None:
    touching = [{**row, "ended": "2026-01-01T00:00:04+00:00"} if row["cell"] == CELL else row for row in rows]
    assert told(touching).overlapping_cells == 0


def test_a_changed_computation_is_named_with_what_changed(rows: Table) -> None:
    result = told(changed(rows, CELL, "layers", same_gradients=False, same_buffers=False))
    assert result.not_the_same == [f"{CELL}, layers: gradients and buffers not within tolerance of none's"]


def test_a_sameness_that_was_not_recorded_is_not_taken_for_granted(rows: Table) -> None:
    assert len(told(changed(rows, CELL, "layers", same_loss=None)).not_the_same) == 1


def test_a_warning_is_told_once_with_its_cells(rows: Table) -> None:
    """Two cells, two warnings each: one kind is in both, told by the first; the other is in one alone."""
    texts = {str(row["cell"]): f"load 1.{number % 2}" for number, row in enumerate(rows)}
    busy = [
        {**row, "warnings": texts[str(row["cell"])] + ("; layers changed" if row["cell"] == CELL else "")}
        for row in rows
    ]
    assert told(busy).warnings == [
        f"2 cells warn like {CELL}: {texts[CELL]}",
        f"layers changed (cell {CELL})",
    ]


def test_without_a_single_ratio_the_widths_are_said_to_be_unknown() -> None:
    rows = table(np.random.default_rng(0), generated_graphs((500,), (4.0,), 1), policies=("none",))
    result = told(rows)
    assert (result.median_half_width, result.worst_half_width, result.within_target) == (0.0, 0.0, 0.0)
    assert result.warnings == ["no time ratio was measured, so no width is known"]


def test_a_policy_that_was_never_started_is_no_failure() -> None:
    """Three series at five degrees under two allocators: 30 cells lack CUDA; 20, no attention, are refused."""
    result = told(frontier_table())
    assert result.failures == []
    (unavailable,), (refused,) = result.unavailable, result.refused
    assert (unavailable.policy, unavailable.cells, unavailable.reason) == ("offloaded", 30, NEEDS_CUDA)
    assert (refused.policy, refused.convolutions) == ("fused_edge_blocks", ["GCN", "GCN (spmm)"])
    assert (refused.cells, refused.reason) == (20, NEEDS_ATTENTION)


def test_reasons_that_differ_in_numbers_alone_are_told_once(rows: Table) -> None:
    for number, cell in enumerate(sorted({str(row["cell"]) for row in rows})):
        rows = without(rows, cell, "layers", "unavailable", f"needs {number + 2} GPUs")
    (unavailable,) = told(rows).unavailable
    assert (unavailable.cells, unavailable.reason) == (2, "needs 2 GPUs")


def test_readings_are_counted_and_their_disagreements_listed(rows: Table) -> None:
    """One of six high-water marks reads 10 % more and is not within tolerance; one was not taken."""
    exact = next(row["activation_bytes"] for row in rows if (row["cell"], row["policy"]) == (CELL, "layers"))
    assert isinstance(exact, int)
    rows = changed(rows, CELL, "layers", high_water_bytes=exact * 11 // 10, high_water_agrees=False)
    rows = changed(rows, CELL, "edge_blocks", high_water_bytes=None, high_water_agrees=None)
    result = told(rows)
    high, fake = result.readings
    assert (high.instrument, high.read, high.judged, high.agree) == ("high_water_bytes", 5, 5, 4)
    assert high.worst_difference == pytest.approx(0.1, rel=1e-3)
    assert high.worst_bytes == exact * 11 // 10 - exact
    assert high.worst_at == f"{CELL}, layers"
    assert (fake.agree, fake.worst_bytes, fake.worst_at) == (6, 0, "")
    assert result.disagreements == [f"{CELL}, layers: high_water_bytes is +10.0 % off activation_bytes"]


def test_readings_that_were_never_taken_are_not_listed(rows: Table) -> None:
    unread = [{**row, "high_water_bytes": None, "high_water_agrees": None, "fake_tensor_bytes": None} for row in rows]
    assert told(unread).readings == []


def test_steadiness_is_summarised_by_its_median_and_its_worst(rows: Table) -> None:
    drifting = [{**row, "sentinel_drift": 0.05 if row["cell"] == CELL else 0.01} for row in rows]
    drifting = changed(drifting, CELL, "layers", involuntary_switches=7.0)
    result = told(drifting)
    assert result.sentinel_drift is not None
    assert (result.sentinel_drift.values, result.sentinel_drift.worst) == (2, 0.05)
    assert result.sentinel_drift.median == pytest.approx(0.03)
    assert result.involuntary_switches is not None
    assert (result.involuntary_switches.median, result.involuntary_switches.worst) == (0.0, 7.0)


def test_the_setting_holds_each_value_that_occurs_once(rows: Table) -> None:
    setting = told(rows).setting
    assert (setting.devices, setting.threads) == (["cpu"], [1])
    assert (setting.num_layers, setting.hidden_channels) == ([4], [16])


def test_what_no_row_tells_of_the_setting_is_left_empty(rows: Table) -> None:
    unknown = [{**row, "heads": None, "device": ""} for row in rows]
    setting = told(unknown).setting
    assert (setting.devices, setting.heads) == ([], [])
