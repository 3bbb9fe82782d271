"""The run's own chart shows every turn at the machine, process by process, and says whether any two overlap."""

from __future__ import annotations

from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.page import Paragraph, Section, Table
from gnn_checkpointing.report.sections.instrument import run_section
from synthetic import inputs as synthetic

ROWS = [
    {
        **row,
        "started": f"2026-11-24T10:0{number}:00+00:00",
        "ended": f"2026-11-24T10:0{number}:30+00:00",
        "again_started": f"2026-11-24T10:1{number}:00+00:00",
        "again_ended": f"2026-11-24T10:1{number}:30+00:00",
        "cell": f"cell-{number}",
        "graph_label": f"graph {number // 2}",
    }
    for number, row in enumerate(synthetic.generated_rows()[:4])
]


def section(rows: list[synthetic.Row] | None = None, overlapping: int = 0) -> Section:
    rows = ROWS if rows is None else rows
    found = synthetic.inputs(rows)
    quality = found.quality.model_copy(update={"overlapping_cells": overlapping})
    made = run_section(synthetic.inputs(rows, quality=quality))
    assert made is not None
    return made


def test_every_turn_is_counted_and_the_graphs_follow_each_other() -> None:
    """Four cells of half a minute, a minute apart, and again ten minutes later: 13.5 minutes."""
    paragraph, figure, table = section().blocks
    assert isinstance(paragraph, Paragraph) and isinstance(figure, Figure) and isinstance(table, Table)
    assert paragraph.text.startswith("8 turns at the machine in 13.5")
    assert "no two of them overlap" in paragraph.text
    assert figure.panels[0].alternative == f"Gantt chart of the run: {paragraph.text}"
    assert [list(row) for row in table.rows] == [
        ["graph 0", "4", "0.00", "11.50"],
        ["graph 1", "4", "2.00", "13.50"],
    ]


def test_cells_that_overlap_are_told_of() -> None:
    (paragraph, *_) = section(overlapping=2).blocks
    assert isinstance(paragraph, Paragraph)
    assert "2 pairs of them overlap" in paragraph.text


def test_a_run_of_one_process_needs_no_colours() -> None:
    rows = [{**row, "again_started": "", "again_ended": ""} for row in ROWS]
    paragraph, figure, _ = section(rows).blocks
    assert isinstance(paragraph, Paragraph) and isinstance(figure, Figure)
    assert "4 cells in 1 process each" in paragraph.text
    assert "colour" not in figure.how_to_read


def test_nodes_that_measure_side_by_side_do_not_pass_for_one_machine_that_does_two_things() -> None:
    """One machine's bars above each other would be a fault; of two machines they are none."""
    for hosts, sentence in {
        "": "Overlapping bars would have been measured together.",
        "a; b": "Bars may overlap, since 2 machines measured side by side.",
    }.items():
        figure = section([{**row, "hosts": hosts} for row in ROWS]).blocks[1]
        assert isinstance(figure, Figure)
        assert figure.how_to_read.endswith(sentence)


def test_nothing_measured_has_no_run() -> None:
    rows = [{**row, "outcome": "unavailable"} for row in ROWS]
    assert run_section(synthetic.inputs(rows)) is None
