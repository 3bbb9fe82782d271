"""What measured: a report of a GPU, and the run's own chart of every turn at the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gnn_checkpointing.analysis.results import Setting
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.sections.instrument import instrument_section, run_section
from gnn_checkpointing.report.sections.method import data_section, method_section
from synthetic import inputs as synthetic

from .reading import prose
from .test_report import appendix


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    wider = {"allocated_bytes": 10**9, "reserved_bytes": 2 * 10**9, "driver_bytes": 3 * 10**9, "driver_agrees": True}
    rows = [
        {**row, **wider, "device": "cuda", "device_time_seconds": 0.5, "device_allocations": 0.0}
        for row in synthetic.generated_rows()
    ]
    (mark,) = synthetic.quality(rows).readings
    fake = mark.model_copy(update={"instrument": "fake_tensor_bytes"})
    quality = synthetic.quality(rows).model_copy(update={"readings": [fake], "setting": Setting(devices=["cuda"])})
    by_hand = {"benchmark_seconds": None, "benchmark_max_rss_bytes": None}
    demonstration = synthetic.demonstration().model_copy(update=by_hand)
    return synthetic.inputs(rows, quality=quality, traces=[], demonstration=demonstration)


def test_the_method_says_what_bytes_and_seconds_are_there(inputs: ReportInputs) -> None:
    text = prose(method_section(inputs))
    assert "the caching allocator's own count of the bytes that it is asked for" in text
    assert "within 32.0\N{NO-BREAK SPACE}MiB" in text
    assert "atomic additions" in text
    assert "page faults" not in text and "sorting the indices" not in text
    assert "caching allocator's own count" not in prose(method_section(synthetic.inputs()))


def test_the_instrument_does_not_speak_of_a_mark_that_was_not_read(inputs: ReportInputs) -> None:
    text = prose(instrument_section(inputs))
    assert "a process's high-water mark says nothing of a device's memory" in text
    assert "as four instruments report it" in text and "benchmark" not in text
    assert "as five instruments report it" in prose(instrument_section(synthetic.inputs()))


@pytest.mark.parametrize("on_cuda", [True, False])
def test_the_data_dictionary_has_the_columns_of_the_table(inputs: ReportInputs, on_cuda: bool) -> None:
    rows = inputs.rows if on_cuda else synthetic.inputs().rows
    tables = {block.id: block for block in data_section({}, [], rows).blocks if isinstance(block, Table)}
    names = {row[0] for row in tables["table-dictionary"].rows}
    assert ("driver_bytes" in names) == on_cuda


def test_both_faces_come_out(inputs: ReportInputs, tmp_path: Path) -> None:
    html, pdf = appendix(tmp_path, inputs)
    assert "device_time_seconds" in html and pdf.startswith(b"%PDF")
    assert 'id="timeline"' not in html


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


def run_of(rows: list[synthetic.Row] = ROWS, overlapping: int = 0) -> Any:
    """Paragraph, figure and table of a run."""
    quality = synthetic.inputs(rows).quality.model_copy(update={"overlapping_cells": overlapping})
    return run_section(synthetic.inputs(rows, quality=quality)).blocks  # type: ignore[union-attr]


def test_every_turn_is_counted_and_the_graphs_follow_each_other() -> None:
    """Four cells of half a minute, a minute apart, and again ten minutes later: 13.5 minutes."""
    paragraph, figure, table = run_of()
    assert paragraph.text.startswith("8 turns at the machine in 13.5")
    assert "no two of them overlap" in paragraph.text
    assert figure.panels[0].alternative == f"Gantt chart of the run: {paragraph.text}"
    assert list(table.rows) == [("graph 0", "4", "0.00", "11.50"), ("graph 1", "4", "2.00", "13.50")]
    assert "2 pairs of them overlap" in run_of(overlapping=2)[0].text


def test_a_run_of_one_process_needs_no_colours() -> None:
    paragraph, figure, _ = run_of([{**row, "again_started": "", "again_ended": ""} for row in ROWS])
    assert "4 cells in 1 process each" in paragraph.text
    assert "colour" not in figure.how_to_read


def test_nodes_that_measure_side_by_side_do_not_pass_for_one_machine_that_does_two_things() -> None:
    """One machine's bars above each other would be a fault; of two machines they are none."""
    for hosts, sentence in {
        "": "Overlapping bars would have been measured together.",
        "a; b": "Bars may overlap, since 2 machines measured side by side.",
    }.items():
        figure = run_of([{**row, "hosts": hosts} for row in ROWS])[1]
        assert figure.how_to_read.endswith(sentence)


def test_nothing_measured_has_no_run() -> None:
    rows = [{**row, "outcome": "unavailable"} for row in ROWS]
    assert run_section(synthetic.inputs(rows)) is None
