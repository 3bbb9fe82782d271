"""What measured: a report of a GPU, and the run's own chart of every turn at the machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gnn_checkpointing.analysis.quality import run
from gnn_checkpointing.analysis.results import Quality, Reading, Setting
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.sections import method
from synthetic import inputs as synthetic
from synthetic.results import made

from .reading import block, prose, tables


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    wider = {"allocated_bytes": 10**9, "reserved_bytes": 2 * 10**9, "driver_bytes": 3 * 10**9, "driver_agrees": True}
    rows = [
        {**row, **wider, "device": "cuda", "device_time_seconds": 0.5, "device_allocations": 0.0}
        for row in synthetic.generated_rows()
    ]
    counts = dict.fromkeys(("read", "judged", "agree"), len(rows))
    fake = made(Reading, instrument="fake_tensor_bytes", **counts, worst_at="sbm-n2000-d128-r0-GATv2, none")
    quality = made(Quality, readings=[fake], setting=Setting(devices=["cuda"]))
    by_hand = {"benchmark_seconds": None, "benchmark_max_rss_bytes": None}
    demonstration = synthetic.demonstration().model_copy(update=by_hand)
    return synthetic.inputs(rows, quality=quality, traces=[], demonstration=demonstration)


def test_a_report_of_a_gpu_says_what_was_read_there(inputs: ReportInputs) -> None:
    method, read = prose(section(inputs, "method")), prose(section(inputs, "method.instrument"))
    other_method, other_read = (prose(section(synthetic.inputs(), name)) for name in ("method", "method.instrument"))
    assert "the caching allocator's own count of the bytes that it is asked for" in method
    assert "within 32.0\N{NO-BREAK SPACE}MiB" in method
    assert "atomic additions" in method
    assert "page faults" not in method and "sorting the indices" not in method
    assert "caching allocator's own count" not in other_method
    assert "a process's high-water mark says nothing of a device's memory" in read
    assert "as four instruments report it" in read and "benchmark" not in read
    assert "as five instruments report it" in other_read
    for on_cuda, study in ((True, inputs), (False, synthetic.inputs())):
        columns = block(section(study, "method.data", checksums={}, figures=[]), "table-dictionary").rows
        assert {"driver_bytes", "device_time_seconds"}.issubset({row[0] for row in columns}) == on_cuda
    assert section(inputs, "timeline") is None
    # A job on another machine may have measured and nothing else.
    alone = section(replace(inputs, demonstration=None), "method.instrument")
    assert "No step of known memory was run on this machine" in prose(alone)
    assert all(table.id != "table-demonstration" for table in tables(alone))


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
    quality = made(Quality, cells=len(rows), run=run(rows), overlapping_cells=overlapping)
    return section(synthetic.inputs(rows, quality=quality), "method.run").blocks  # type: ignore[union-attr]


def test_every_turn_is_counted_and_the_graphs_follow_each_other() -> None:
    """Four cells of half a minute, a minute apart, and again ten minutes later: 13.5 minutes."""
    paragraph, figure, table = run_of()
    assert paragraph.text.startswith("8 turns at the machine in 13.5")
    assert "no two of them overlap" in paragraph.text
    assert figure.panels[0].alternative == f"Gantt chart of the run: {paragraph.text}"
    assert list(table.rows) == [("graph 0", "4", "0.00", "11.50"), ("graph 1", "4", "2.00", "13.50")]
    assert "2 pairs of them overlap" in run_of(overlapping=2)[0].text
    paragraph, figure, _ = run_of([{**row, "again_started": "", "again_ended": ""} for row in ROWS])
    assert "4 cells in 1 process each" in paragraph.text
    assert "colour" not in figure.how_to_read
    unavailable = made(Quality, run=run([{**row, "outcome": "unavailable"} for row in ROWS]))
    assert section(synthetic.inputs(quality=unavailable), "method.run") is None


@pytest.mark.parametrize(
    ("hosts", "sentence"),
    [
        ("", "Overlapping bars would have been measured together."),
        ("a; b", "Bars may overlap, since 2 machines measured side by side."),
    ],
)
def test_nodes_that_measure_side_by_side_do_not_pass_for_one_machine(hosts: str, sentence: str) -> None:
    """One machine's bars above each other would be a fault; of two machines they are none."""
    assert run_of([{**row, "hosts": hosts} for row in ROWS])[1].how_to_read.endswith(sentence)


def test_the_run_lists_the_longest_graphs_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of graphs of 11.5 and 11.6 minutes one is listed: the longer."""
    monkeypatch.setattr(method, "MOST_GRAPHS", 1)
    _, figure, table = run_of([*ROWS[:3], {**ROWS[3], "again_ended": "2026-11-24T10:13:36+00:00"}])
    assert [row[0] for row in table.rows] == ["graph 1"]
    caption = "When the 1 graphs that took longest, of 2, were measured, in minutes since the run began."
    assert table.caption == caption
    assert figure.how_to_read.startswith("A row is a graph, in the order")
