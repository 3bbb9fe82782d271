"""What a run comes to, worked out by hand from four stamps a cell."""

from __future__ import annotations

import pytest

from gnn_checkpointing.analysis.turns import run, turns_of

DAY = "2026-11-24T10:"


def row(cell: str, graph: str, *spans: tuple[str, str], outcome: str = "completed") -> dict[str, str]:
    """Return a row with its cell's turns, from minute:second to minute:second, process by process."""
    stamps = [(f"{DAY}{start}+00:00", f"{DAY}{end}+00:00") for start, end in spans]
    (started, ended), *again = stamps
    return {
        "cell": cell,
        "graph_label": graph,
        "outcome": outcome,
        "started": started,
        "ended": ended,
        "again_started": "; ".join(start for start, _ in again),
        "again_ended": "; ".join(end for _, end in again),
    }


ROWS = [
    row("b", "two", ("02:00", "03:00"), ("07:00", "07:30")),
    row("a", "one", ("00:00", "01:30"), ("05:00", "06:00")),
    row("a", "one", ("00:00", "01:30"), ("05:00", "06:00")),  # another policy of the same cell
]


def test_turns_follow_each_other_whatever_the_order_of_rows() -> None:
    found = turns_of(ROWS)
    assert [(turn.graph, turn.process) for turn in found] == [("one", 0), ("two", 0), ("one", 1), ("two", 1)]


def test_a_run_by_hand() -> None:
    """Four turns in 7.5 minutes, of which 90 + 60 + 60 + 30 seconds are turns and the rest lies between them."""
    found = run(ROWS)
    assert found is not None
    assert (found.turns, found.processes, found.seconds) == (4, 2, 450.0)
    assert found.idle_seconds == pytest.approx(450 - 90 - 60 - 60 - 30)
    assert [(graph.graph, graph.turns, graph.began_seconds, graph.ended_seconds) for graph in found.graphs] == [
        ("one", 2, 0.0, 360.0),
        ("two", 2, 120.0, 450.0),
    ]


def test_turns_that_overlap_leave_nothing_between_them() -> None:
    found = run([row("a", "one", ("00:00", "02:00")), row("b", "two", ("01:00", "03:00"))])
    assert found is not None
    assert found.idle_seconds == 0.0


def test_what_could_not_be_started_had_no_turn() -> None:
    assert run([row("a", "one", ("00:00", "00:00"), outcome="unavailable")]) is None


def test_time_between_turns_is_that_of_each_machine() -> None:
    """`a` waits a minute between its turns, `b` half a minute; from the last of `a` to the first of `b` nobody does."""
    rows = [
        row("a", "one", ("00:00", "01:00"), ("02:00", "03:00")) | {"hosts": "a; a"},
        row("b", "two", ("04:00", "05:00"), ("05:30", "06:00")) | {"hosts": "b; b"},
    ]
    found = run(rows)
    assert found is not None
    assert (found.idle_seconds, found.seconds) == (90.0, 360.0)
