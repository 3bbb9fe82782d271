"""What the run says of itself: outcomes, turns, shares of time, overlaps, widths, changed computations."""

from typing import Any

import pytest

from gnn_checkpointing.analysis.quality import quality, run, turns_of
from gnn_checkpointing.analysis.results import Quality
from gnn_checkpointing.analysis.table import completed
from synthetic.changes import changed, without
from synthetic.frontier import NEEDS_ATTENTION, NEEDS_CUDA, frontier_table
from synthetic.graphs import generated_graphs
from synthetic.rows import Table, table

CELL = "sbm-n500-d4-r0-GCN"
DAY = "2026-11-24T10:"
ROWS = table(0, generated_graphs((500,), (4.0, 8.0), 1), convolutions=("GCN",))
"""Two cells of 3 seconds in each of two processes, a quarter of them measured, a second apart."""


def of_cell(here: dict[str, Any], elsewhere: dict[str, Any] | None = None) -> Table:
    return [{**row, **(here if row["cell"] == CELL else elsewhere or {})} for row in ROWS]


def judged(rows: Table) -> Quality:
    return quality(rows, completed(rows), "retaining", 0.03)


def test_a_run_without_fault_and_its_setting() -> None:
    result = judged(ROWS)
    assert (result.cells, result.rows) == (2, 6)
    assert (result.measured_seconds, result.wall_seconds, result.measured_share) == (3.0, 12.0, 0.25)
    assert result.outcomes == {"completed": 6}
    assert (result.failures, result.not_the_same, result.warnings) == ([], [], [])
    setting = result.setting
    assert (setting.devices, setting.threads, setting.num_layers, setting.hidden_channels) == (["cpu"], [1], [4], [16])
    unknown = judged([{**row, "heads": None, "device": ""} for row in ROWS]).setting
    assert (unknown.devices, unknown.heads) == ([], [])


def test_widths_are_relative_and_held_against_the_target() -> None:
    result = judged(changed(ROWS, CELL, "layers", time_ratio=2.0, time_ratio_low=1.8, time_ratio_high=2.2))
    assert (result.worst_half_width, result.median_half_width) == (pytest.approx(0.1), pytest.approx(0.02))
    assert result.within_target == 0.75
    none = judged([row for row in ROWS if row["policy"] == "none"])
    assert (none.median_half_width, none.worst_half_width, none.within_target) == (0.0, 0.0, 0.0)
    assert none.warnings == ["no time ratio was measured, so no width is known"]


def test_failures_are_listed_with_what_was_said() -> None:
    result = judged(without(ROWS, CELL, "layers", "out_of_memory", "asked for 9 GiB"))
    assert result.outcomes == {"completed": 5, "out_of_memory": 1}
    assert result.failures == [
        {"cell": CELL, "policy": "layers", "outcome": "out_of_memory", "message": "asked for 9 GiB"}
    ]


@pytest.mark.parametrize(
    ("ends", "here", "elsewhere", "overlaps"),
    [
        ("03", {}, {}, 0),
        ("04", {}, {}, 0),  # they touch
        ("05", {}, {}, 1),
        ("05", {"hosts": "a; a"}, {"hosts": "b; b"}, 0),  # both nodes of a cluster measure, each alone
        ("05", {"hosts": "a; a"}, {"hosts": "a; a"}, 1),
    ],
)
def test_cells_that_overlap_on_one_machine_are_counted(
    ends: str, here: dict[str, str], elsewhere: dict[str, str], overlaps: int
) -> None:
    moved = of_cell({"ended": f"2026-01-01T00:00:{ends}+00:00", **here}, elsewhere)
    assert judged(moved).overlapping_cells == overlaps


def test_a_changed_computation_is_named_with_what_changed_and_an_unrecorded_sameness_counts_as_one() -> None:
    result = judged(changed(ROWS, CELL, "layers", same_gradients=False, same_buffers=False))
    assert result.not_the_same == [f"{CELL}, layers: gradients and buffers not within tolerance of none's"]
    assert len(judged(changed(ROWS, CELL, "layers", same_loss=None)).not_the_same) == 1


def test_a_warning_is_given_once_with_its_cells() -> None:
    """Two cells, two warnings each: one kind is in both, quoted from the first; the other is in one alone."""
    busy = of_cell({"warnings": "load 1.0; layers changed"}, {"warnings": "load 1.1"})
    assert judged(busy).warnings == [f"2 cells warn like {CELL}: load 1.0", f"layers changed (cell {CELL})"]


def test_a_policy_that_was_never_started_is_no_failure_and_reasons_that_differ_in_numbers_are_one() -> None:
    """Three series at five degrees under two allocators: 30 cells lack CUDA; 20, no attention, are refused."""
    result = judged(frontier_table())
    assert result.failures == []
    (unavailable,), (refused,) = result.unavailable, result.refused
    assert (unavailable.policy, unavailable.cells, unavailable.reason) == ("offloaded", 30, NEEDS_CUDA)
    assert (refused.policy, refused.convolutions) == ("fused_edge_blocks", ["GCN", "GCN (spmm)"])
    assert (refused.cells, refused.reason) == (20, NEEDS_ATTENTION)
    rows = ROWS
    for number, cell in enumerate(sorted({str(row["cell"]) for row in rows})):
        rows = without(rows, cell, "layers", "unavailable", f"needs {number + 2} GPUs")
    (unavailable,) = judged(rows).unavailable
    assert (unavailable.cells, unavailable.reason) == (2, "needs 2 GPUs")


def test_readings_are_counted_and_their_disagreements_listed() -> None:
    """One of six high-water marks reads 10 % more and is not within tolerance; one was not taken."""
    exact = next(row["activation_bytes"] for row in ROWS if (row["cell"], row["policy"]) == (CELL, "layers"))
    read = changed(ROWS, CELL, "layers", high_water_bytes=exact * 11 // 10, high_water_agrees=False)
    result = judged(changed(read, CELL, "edge_blocks", high_water_bytes=None, high_water_agrees=None))
    high, fake = result.readings
    assert (high.instrument, high.read, high.judged, high.agree) == ("high_water_bytes", 5, 5, 4)
    assert high.worst_difference == pytest.approx(0.1, rel=1e-3)
    assert (high.worst_bytes, high.worst_at) == (exact * 11 // 10 - exact, f"{CELL}, layers")
    assert (fake.agree, fake.worst_bytes, fake.worst_at) == (6, 0, "")
    assert result.disagreements == [f"{CELL}, layers: high_water_bytes is +10.0 % off activation_bytes"]
    # A record of before a layer's bytes were known is judged by them.
    known = changed(ROWS, CELL, "layers", high_water_bytes=exact + 2**21 + 2**18, high_water_agrees=False)
    assert judged(known).disagreements == []
    assert len(judged(changed(known, CELL, "layers", high_water_bytes=exact + 2**22)).disagreements) == 1
    unread = dict.fromkeys(("high_water_bytes", "high_water_agrees", "fake_tensor_bytes"))
    assert judged([{**row, **unread} for row in ROWS]).readings == []


def test_steadiness_is_summarised_by_its_median_and_its_worst() -> None:
    drifting = of_cell({"sentinel_drift": 0.05}, {"sentinel_drift": 0.01})
    result = judged(changed(drifting, CELL, "layers", involuntary_switches=7.0))
    assert (result.sentinel_drift.values, result.sentinel_drift.worst) == (2, 0.05)
    assert result.sentinel_drift.median == pytest.approx(0.03)
    assert (result.involuntary_switches.median, result.involuntary_switches.worst) == (0.0, 7.0)


def row(cell: str, graph: str, *spans: str, outcome: str = "completed", hosts: str = "") -> dict[str, str]:
    """A row with its cell's turns, such as 00:00-01:30, process by process."""
    stamps = [[f"{DAY}{moment}+00:00" for moment in span.split("-")] for span in spans]
    (started, ended), *again = stamps
    starts, ends = ("; ".join(each) for each in zip(*again, strict=True)) if again else ("", "")
    cell_of = {"cell": cell, "graph_label": graph, "outcome": outcome, "started": started, "ended": ended}
    return cell_of | {"again_started": starts, "again_ended": ends} | ({"hosts": hosts} if hosts else {})


def test_turns_and_a_run_by_hand_whatever_the_order_of_rows() -> None:
    """Four turns in 7.5 minutes, of which 90 + 60 + 60 + 30 seconds are turns and the rest lies between them."""
    one = row("a", "one", "00:00-01:30", "05:00-06:00")
    rows = [row("b", "two", "02:00-03:00", "07:00-07:30"), one, one]  # two policies of one cell
    order = [(turn.graph, turn.process) for turn in turns_of(rows)]
    assert order == [("one", 0), ("two", 0), ("one", 1), ("two", 1)]
    found = run(rows)
    assert (found.turns, found.processes, found.seconds) == (4, 2, 450.0)
    assert found.idle_seconds == pytest.approx(450 - 90 - 60 - 60 - 30)
    assert [(graph.graph, graph.turns, graph.began_seconds, graph.ended_seconds) for graph in found.graphs] == [
        ("one", 2, 0.0, 360.0),
        ("two", 2, 120.0, 450.0),
    ]


def test_turns_that_overlap_leave_nothing_between_them_and_what_was_not_started_had_none() -> None:
    assert run([row("a", "one", "00:00-02:00"), row("b", "two", "01:00-03:00")]).idle_seconds == 0.0
    assert run([row("a", "one", "00:00-00:00", outcome="unavailable")]) is None


def test_time_between_turns_is_that_of_each_machine() -> None:
    """`a` waits a minute between its turns, `b` half a minute; from the last of `a` to the first of `b` nobody does."""
    rows = [
        row("a", "one", "00:00-01:00", "02:00-03:00", hosts="a; a"),
        row("b", "two", "04:00-05:00", "05:30-06:00", hosts="b; b"),
    ]
    found = run(rows)
    assert (found.idle_seconds, found.seconds) == (90.0, 360.0)
