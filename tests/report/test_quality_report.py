"""Sections on the instrument, on robustness checks of the answer, and on their results."""

from dataclasses import replace
from typing import Any

import pytest

from gnn_checkpointing.analysis.quality import run
from gnn_checkpointing.analysis.results import Quality, Reading, Setting, StoppingRule
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import Texts, section
from gnn_checkpointing.report.documents import documents
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Note, Section
from gnn_checkpointing.report.sections import method
from gnn_checkpointing.report.sections.parts import reasons
from gnn_checkpointing.sourced import bare
from synthetic import inputs as synthetic
from synthetic import results
from synthetic.results import left_out, made

from .reading import block, prose, tables, texts


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
    # A job on another machine may only have measured.
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
    """Four cells of half a minute, one per minute, and again ten minutes later: 13.5 minutes in all."""
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
    """Overlapping turns would be a fault on one machine, but not on two."""
    assert run_of([{**row, "hosts": hosts} for row in ROWS])[1].how_to_read.endswith(sentence)


def test_the_run_lists_the_longest_graphs_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two graphs, with 11.5 and 11.6 minutes, only the longer is listed."""
    monkeypatch.setattr(method, "MOST_GRAPHS", 1)
    _, figure, table = run_of([*ROWS[:3], {**ROWS[3], "again_ended": "2026-11-24T10:13:36+00:00"}])
    assert [row[0] for row in table.rows] == ["graph 1"]
    caption = "When the 1 graphs that took longest, of 2, were measured, in minutes since the run began."
    assert table.caption == caption
    assert figure.how_to_read.startswith("A row is a graph, in the order")


SPACE = "\N{NO-BREAK SPACE}"


def tried(**found: Any) -> Section | None:
    return section(synthetic.inputs(robustness=results.tried(**found)), "quality.robustness")


def test_each_trial_has_a_row() -> None:
    found = tried()
    ids = [each.id for each in documents(synthetic.inputs(robustness=results.tried()), {}).appendix.sections]
    assert ids.index("robustness") > ids.index("laws")
    assert not [each for each in found.blocks if isinstance(each, Note)] if found else False
    for name, heads, cells in (
        ("family-factor", ("Time", "GCN", "layers", "R-MAT"), "4.3 % | < 0.001"),
        ("replicates", ("Step time", "162"), "1.2 % | 11 % | GCN, none, sbm of 500 nodes, degree 4"),
        ("drift", ("GCN", "none"), "-2.1 % (-3.4 % to -0.8 %) | 0.003"),
        ("influence", ("Step time", "GCN", "layers", "sbm-n2000-d128-r0"), "-4.1 % | 0.83"),
        ("stopping", (f"3.0{SPACE}%",), "94.8 % | 95.1 % | 15 | 97 %"),
        ("not-tried", ("The family as a factor is not tried",), "all generated graphs are of one family, sbm"),
    ):
        shown = " | ".join(texts(block(found, f"table-{name}"), *heads))
        assert shown.replace(SPACE, " ").replace(units.MINUS, "-") == cells


def test_a_statement_that_turns_comes_first_with_its_graphs() -> None:
    steady = left_out(policy="edge_blocks", lowest=0.5, highest=1.5)
    turned = left_out(side="holds", changes=["one", "two", "three"])
    found = tried(left_out=[steady, turned])
    table = block(found, "table-left-out")
    assert [row[5] for row in table.rows] == ["one, two and 1 more", "no graph"]
    assert "The conclusion changes for 1 of them" in prose(found)
    assert "No conclusion changes." in prose(tried(left_out=[steady]))


def test_long_tables_show_the_worst_and_name_the_file_and_bytes_read_as_bytes() -> None:
    items = [left_out(policy="layers", highest=0.9 + number / 1000) for number in range(30)]
    table = block(tried(left_out=items), "table-left-out")
    assert len(table.rows) == 12
    assert "The 12 worst of 30; all are in analysis/robustness.json." in bare(table.caption)
    assert table.rows[0][4] == units.interval("0.89", "0.93")
    ends = {"boundary": 0.0, "whole": synthetic.estimate(-1500.0), "lowest": -1510.0, "highest": -1495.0}
    table = block(tried(left_out=[left_out(statement="difference_per_edge", **ends)]), "table-left-out")
    shown = " | ".join(table.rows[0][3:5]).replace(units.MINUS, "-")
    assert shown == "-1,500 (-1,530 to -1,470) | -1,510 to -1,500"


def test_a_rule_that_costs_coverage_is_a_note_and_heavy_tails_are_said_to_be_heavy() -> None:
    short = made(StoppingRule, noise=0.1, covered=0.88, fixed_covered=0.94)
    found = tried(stopping=[made(StoppingRule, distribution="heavy_tailed"), short])
    (note,) = [each.text for each in found.blocks if isinstance(each, Note)] if found else []
    assert f"88.0{SPACE}% of the simulations" in note
    assert f"94.0{SPACE}% with as many rounds fixed beforehand" in note
    assert block(found, "table-stopping").rows[0][0] == f"3.0{SPACE}%, one round in ten ten times that"


ALIKE = "no law is fitted: only 3 comparable cells"
MANY = [f"GCN, segments({k}): no step was timed." for k in range(7)]


@pytest.mark.parametrize(
    ("sentences", "rows"),
    [
        (
            [f"GCN, none: {ALIKE}.", "GCN, layers: all equal.", f"GCN, edge_blocks: {ALIKE}.", f"SAGE, none: {ALIKE}."],
            [("GCN: none, edge_blocks; SAGE: none", ALIKE), ("GCN, layers", "all equal")],
        ),
        (MANY[:6], [(f"GCN: {', '.join(f'segments({k})' for k in range(6))}", "no step was timed")]),
        (MANY, [(f"GCN: {', '.join(f'segments({k})' for k in range(6))}; and more", "no step was timed")]),
        (["Nothing was measured."], [(units.NOTHING, "Nothing was measured")]),
        (
            ["The spread is not tried: one draw.", "The family is not tried: one draw.", "GCN, none: one draw."],
            [("The spread is not tried; The family is not tried; GCN: none", "one draw")],
        ),
    ],
)
def test_what_was_left_out_is_listed_by_its_reason(sentences: list[str], rows: list[tuple[str, str]]) -> None:
    """Pairs with one reason share a row, which names the first of many; a text that is no pair is printed unchanged."""
    file = "analysis/regressions.json"
    found = reasons(Texts("predictions"), synthetic.inputs(), "table-not-fitted", file, sentences)
    assert list(found.rows) == rows
