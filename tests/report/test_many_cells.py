"""A report of ten thousand cells draws some of them, and the page says which are not drawn."""

import re

import numpy as np
import pytest

from gnn_checkpointing.report.figures import bars, scales
from gnn_checkpointing.report.figures.bars import Turn, gantt_panel, graphs_a_row
from gnn_checkpointing.report.figures.lines import Line, Point
from gnn_checkpointing.report.figures.palette import looks
from gnn_checkpointing.report.figures.points import drawn_marks, scattered, thinning
from gnn_checkpointing.report.inputs import in_series
from gnn_checkpointing.sourced import counted, source_of, sourced
from synthetic import inputs as synthetic


def cells(count: int, policy: str = "none") -> Line:
    values = np.random.default_rng(0).normal(size=(count, 2)).tolist()
    return Line(policy, tuple(Point(x, y, y, y) for x, y in values))


def test_few_marks_are_all_drawn_and_nothing_is_said() -> None:
    lines = [cells(150), cells(150, "layers")]
    assert drawn_marks(lines) == lines
    assert thinning([lines]) == ""


def test_of_many_marks_the_outermost_are_kept_and_the_page_says_so() -> None:
    lines = [cells(5000), cells(100, "layers")]
    thinned, whole = drawn_marks(lines)
    assert whole is lines[1]
    assert len(thinned.points) == 150
    assert set(thinned.points) < set(lines[0].points)
    for extreme in (min, max):
        assert extreme(p.y for p in thinned.points) == extreme(p.y for p in lines[0].points)
    assert "are drawn, and the figure's CSV file has all" in thinning([[cells(10)], lines])


def test_a_panel_of_many_cells_takes_no_more_room_than_one_of_some_hundred() -> None:
    x, y = scales.deviation_scale([-4.0, 4.0], "x"), scales.deviation_scale([-4.0, 4.0], "y")
    panels = [scattered("a", [cells(count)], looks(["none"]), x, y, "told") for count in (300, 30_000)]
    svgs = [panel.svg for panel in panels if panel]
    (marks,) = re.findall('class="marks" d="(.*?)"', svgs[0])
    assert marks.count("M") >= 300
    assert len(svgs[1]) < 1.05 * len(svgs[0])


def test_graphs_share_rows_and_bars_that_touch_are_one() -> None:
    """1,200 graphs of a minute each in two processes: ten per row, so 120 rows with one bar per process."""
    assert (graphs_a_row(120), graphs_a_row(121), graphs_a_row(1200)) == (1, 2, 10)
    turns = [
        Turn(row, row + 2000 * process, row + 2000 * process + 0.9, process)
        for row in range(1200)
        for process in (0, 1)
    ]
    joined = bars._shared(turns)
    assert [(bar.row, bar.process) for bar in joined] == [(row, process) for row in range(120) for process in (0, 1)]
    assert joined[3] == Turn(1, 2010, pytest.approx(2019.9), 1)  # type: ignore[arg-type]
    assert len(gantt_panel(turns, list(map(str, range(1200))), "told").svg) < 30_000


def test_bars_that_do_not_touch_stay_apart() -> None:
    turns = [Turn(row, 10 * row, 10 * row + 1, 0) for row in range(240)]
    assert len(bars._shared(turns)) == 240


def test_points_without_a_line_are_nothing_to_thin() -> None:
    assert thinning([]) == "" == thinning([[]])
    assert drawn_marks([]) == []


def test_a_cell_that_was_visited_again_is_counted_once() -> None:
    rows = synthetic.generated_rows()[:2]
    again = in_series(sourced([{**rows[0], "visit": 0}, {**rows[0], "visit": 1}, {**rows[1], "visit": 0}], "m.csv#"))
    assert (counted(again), source_of(counted(again))) == (2, "count(m.csv# where visit = 0)")
    assert source_of(again[1]["activation_bytes"]) == "m.csv#/2/activation_bytes"
