"""A report of a GPU says what its numbers are there, prints the columns it has, and goes without byte traces."""

from __future__ import annotations

from pathlib import Path

import pytest

from gnn_checkpointing.analysis.results import Setting
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.sections.instrument import instrument_section
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
