"""Laws along density and for prediction, their scores, break-evens in words, and the planner that uses the laws."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnn_checkpointing.analysis.results import BreakEven, Estimate, PredictiveLaw
from gnn_checkpointing.planning import Planner
from gnn_checkpointing.planning.knowledge import Knowledge
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.documents import documents
from gnn_checkpointing.report.figures import scales
from gnn_checkpointing.report.html import report_html
from gnn_checkpointing.report.inputs import EFFECTS, TRENDS, ReportInputs
from gnn_checkpointing.report.page import Block, Note, Paragraph, Table
from gnn_checkpointing.report.pdf import report_pdf
from gnn_checkpointing.report.plan_words import advice, cells
from gnn_checkpointing.report.sections import trends
from gnn_checkpointing.report.sections.predictions import in_words
from gnn_checkpointing.report.texts import TEMPLATES
from gnn_checkpointing.sourced import bare
from pages import whole
from synthetic import inputs as synthetic
from synthetic import planner as known
from synthetic.results import made

from .reading import HOSTILE, block, pdf_text, prose, tables, texts


def law(
    form: str, *pieces: dict[str, float], response: str = "activation_bytes", knee: float | None = None
) -> PredictiveLaw:
    return made(PredictiveLaw, form=form, pieces=pieces, response=response, knee=knee)


def test_a_law_reads_as_a_formula_with_units() -> None:
    space = units.SPACE
    one = law("blocks", {"constant": 1024.0, "nodes": 2048.0, "edges": 0.0, "edges_at_once": 96.0})
    assert in_words(one) == f"1.00{space}KiB + 2,048{space}B·N + 96.0{space}B·K"
    two = law("largest_of_two", {"constant": 0.0, "nodes": 0.0, "edges": 128.0}, {"nodes": 2048.0, "edges": 64.0})
    assert in_words(two) == f"larger of 128{space}B·E and 2,048{space}B·N + 64.0{space}B·E"
    bent = law(
        "knee",
        {"constant": 1e-3, "nodes": 0.0, "edges": 2e-9, "edges_over_knee": 1e-9},
        response="step_time_seconds",
        knee=40_000,
    )
    assert in_words(bent) == f"1.00{space}ms + 2.00{space}ns·E + 1.00{space}ns·(E {units.MINUS} 40,000)₊"
    power = law("power", {"constant": float(np.log(1024)), "log_nodes": 0.5, "log_edges": 0.8})
    assert in_words(power) == f"1.00{space}KiB·N^0.500·E^0.800"
    assert in_words(law("additive", {"constant": 0.0, "nodes": 0.0, "edges": 0.0})) == "0"


def test_candidates_and_counts_are_side_by_side(predicted: ReportInputs) -> None:
    """The synthetic GATv2 takes 2,000 bytes per edge; the count for 4 layers of 16 channels and 4 heads is 1,168."""
    found = section(predicted, "predictions")
    board = block(found, "table-leaderboard-activation")
    forms = ["additive", "additive, with blocks", "larger of two", "power law"]
    assert [column.name for column in board.columns][2:] == forms
    cells = texts(board, "GATv2", "layers")
    assert cells[0].endswith("(chosen)")
    assert cells[1] == units.NOTHING
    assert not cells[3].endswith("(chosen)")
    assert len(board.rows) == 9
    counted = block(found, "table-analytic")
    assert texts(counted, "GATv2", "none", "saved")[:3] == ["1,800.0", "1,800.0", "960"]
    assert texts(counted, "SAGE", "edge_blocks", "peak") == ["0.0", "0.0", "0", "0"]


def test_the_record_names_the_worst_graph_the_lost_cell_and_what_fits(predicted: ReportInputs) -> None:
    found = section(predicted, "predictions.scorecard")
    summary = block(found, "table-scorecard")
    assert [row[0] for row in summary.rows] == ["Activation memory", "Saved activations", "Step time"]
    assert {row[1] for row in summary.rows} == {"18"}
    assert [row[0] for row in block(found, "table-scorecard-graphs").rows] == ["Cora", "amherst41"]
    assert texts(block(found, "table-censored"), "SBM 4000, 128", "GATv2", "none") == [
        f"8.00{units.SPACE}GiB",
        units.size(64 + 3000 * 4000 + 2000 * 512_000 + 1e6),
        "no",
    ]
    assert prose(found).endswith("A law predicts 1 of 1 such measurements, and 0 of these above the limit.")
    capacity = block(found, "table-capacity")
    degree, gain = texts(capacity, "GATv2", "layers")
    assert degree.startswith("533") and degree.endswith("*")
    assert gain == "4.02"
    assert texts(capacity, "GATv2", "edge_blocks")[0] == "complete graph*"
    memory, time = (block(found, f"figure-scorecard-{name}") for name in ("memory", "time"))
    for figure in (memory, time):
        assert [panel.title for panel in figure.panels] == ["GCN", "SAGE", "GATv2"]
    assert "Policy layers: median" in time.panels[0].alternative


LIMITS = [
    {"size": "num_nodes", "low": 100, "high": 1000, "warning": "Nodes."},
    {"size": "num_edges", "low": 1000, "high": 100_000, "warning": "Edges."},
]


def printed(**changes: Any) -> tuple[Knowledge, tuple[Block, ...]]:
    found = known.knowledge(**{"limits": LIMITS, **changes})
    made = section(synthetic.inputs(knowledge=found), "planner")
    assert made is not None
    return found, made.blocks


def test_the_table_says_what_a_plan_of_a_large_dense_graph_says() -> None:
    found, (_, _, table, sentence) = printed()
    asked = {"num_nodes": 750, "num_edges": 66_000, "convolution": "GATv2"}
    most = max(one.peak.estimate for one in Planner(found).plan(**asked, memory_gib=1).policies)
    plan = Planner(found).plan(**asked, memory_gib=float(f"{most / 2 / 2**30:.2g}"))
    assert isinstance(table, Table) and isinstance(sentence, Paragraph)
    rows = [[bare(cell) for cell in row] for row in table.rows]
    assert rows == [["GATv2", *cells(one)] for one in plan.policies]
    assert bare(str(sentence.text)) == f"GATv2: {advice(plan)}"
    assert len({one.verdict for one in plan.policies}) > 1  # an example in which everything fits would teach nothing
    layers = {"size": "num_layers", "low": 3, "high": 3, "warning": "Layers."}
    *_, note = printed(limits=[*LIMITS, layers])[1]
    assert isinstance(note, Note)
    assert note.text == "Layers."  # a warning about sizes outside the measured range


def test_the_form_knows_what_planner_json_holds_and_hostile_names_stay_text(tmp_path: Path) -> None:
    graphs = [{"label": f"</script>{HOSTILE}", "num_nodes": 34, "num_edges": 156}]
    found = known.knowledge(limits=LIMITS, graphs=graphs)
    made = documents(synthetic.inputs(knowledge=found), {})
    (tmp_path / "report.html").write_text(report_html(made.report, TEMPLATES))
    html = whole(tmp_path / "report.html")
    planner = tuple(one for one in made.appendix.sections if one.id == "planner")
    (tmp_path / "appendix.pdf").write_bytes(report_pdf(replace(made.appendix, sections=planner), TEMPLATES))
    (inlined,) = re.findall(r'<script id="planner-knowledge" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert Knowledge.model_validate(json.loads(inlined)) == found
    assert html.count("<script") == 2
    assert "alert(1)</script>" not in html.replace(inlined, "")
    assert re.search(r"Take \w+: [\d.]+ MiB of", pdf_text(tmp_path / "appendix.pdf").replace("\u00a0", " "))


CROSSING, SPAN = Estimate(estimate=41.2, low=33.1, high=52.4), units.interval("33.1", "52.4")


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return synthetic.inputs(trends=synthetic.trends())


def test_the_whiskers_are_those_of_the_band(inputs: ReportInputs) -> None:
    """GATv2 under layers at degree 128: (1,500 + 500 x 128) / (3,000 + 2,000 x 128) = 0.2529, ± 10 %."""
    line = next(line for line in trends.ratio_lines(inputs, "GATv2", trends.MEMORY) if line.policy == "layers")
    last = line.points[-1]
    assert (last.y, last.low, last.high) == pytest.approx((0.25290, 0.22761, 0.27819), rel=1e-4)
    found = block(section(inputs, "trends.memory"), "figure-memory-ratio")
    assert found.source == TRENDS
    assert f"0.25 ({units.interval('0.23', '0.28')}) at degree 128" in found.panels[-1].alternative


def test_bytes_have_a_span_over_graphs_and_times_an_interval_that_holds_together(inputs: ReportInputs) -> None:
    of_memory, of_time = section(inputs, "trends.memory"), section(inputs, "trends.time")
    memory, time = block(of_memory, "figure-memory-ratio"), block(of_time, "figure-time-ratio")
    together, span = "simultaneous 95\N{NO-BREAK SPACE}% intervals", "span over replicate graphs"
    assert "with simultaneous intervals" in time.caption
    for text, other in (
        (time.how_to_read, memory.how_to_read),
        (time.panels[-1].alternative, memory.panels[-1].alternative),
    ):
        assert together in text and span not in text
        assert together not in other and span in other
    table = block(of_time, "table-time-step-ratio")
    assert table.source == EFFECTS
    assert "interval of each level alone" in table.caption
    assert "interval" not in block(of_memory, "table-memory-activation-ratio").caption


def test_without_a_band_for_every_level_each_level_has_its_own() -> None:
    bands = synthetic.trends().bands
    short = bands[0].model_copy(update={"points": bands[0].points[:-1]})
    made = synthetic.trends().model_copy(update={"bands": [short, *bands[1:]]})
    found = block(section(synthetic.inputs(trends=made), "trends.memory"), "figure-memory-ratio")
    assert found.source == EFFECTS
    assert "simultaneous" not in found.how_to_read + found.caption + found.panels[0].alternative


def test_an_interval_that_says_nothing_does_not_squeeze_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unbounded interval of a ratio of 0.7 is drawn from a third of the ratio to three times the ratio."""
    scaled: list[Sequence[float]] = []
    drawn = scales.ratio_scale
    monkeypatch.setattr(scales, "ratio_scale", lambda values, label: scaled.append(values) or drawn(values, label))
    made = synthetic.trends()
    first = next(band for band in made.bands if band.quantity == "time_ratio")
    others = [band for band in made.bands if band is not first]
    wild = first.points[0].model_copy(update={"ratio": Estimate(estimate=0.7, low=1e-6, high=1e6)})
    bands = [first.model_copy(update={"points": [wild, *first.points[1:]]}), *others]
    wide = synthetic.inputs(trends=made.model_copy(update={"bands": bands}))
    found = block(section(wide, "trends.time"), "figure-time-ratio")
    assert "run out of the panel" in found.how_to_read
    assert max(scaled[0]) == pytest.approx(2.1)
    assert min(scaled[0]) > 0.01


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "saves at every density measured"),
        ({"certain": False}, "saves at every density measured, though not for certain at each"),
        ({"course": "above"}, "saves at no density measured"),
        ({"course": "rises", "average_degree": CROSSING}, f"stops saving above degree 41.2 ({SPAN})"),
        (
            {"course": "falls", "average_degree": CROSSING, "open": "sparse"},
            "starts to save above degree 41.2 (52.4 or less)",
        ),
        (
            {"course": "rises", "average_degree": CROSSING, "open": "dense"},
            "stops saving above degree 41.2 (33.1 or more)",
        ),
        ({"course": "rises", "average_degree": Estimate(estimate=40, low=40, high=40)}, "stops saving above degree 40"),
        (
            {"quantity": "time_ratio", "course": "falls", "average_degree": CROSSING},
            f"slower than none below degree 41.2 ({SPAN}), faster above",
        ),
        ({"quantity": "time_ratio", "course": "above"}, "slower than none at every density measured"),
        ({"course": "crosses", "certain": False}, "saves at some densities, and not at others between them"),
    ],
)
def test_a_break_even_in_words(changes: dict[str, Any], expected: str) -> None:
    assert trends.in_words(made(BreakEven, **{"convolution": "GCN", **changes})) == expected


def test_policies_of_one_course_share_a_row(inputs: ReportInputs) -> None:
    table = block(section(inputs, "trends.memory"), "table-break-even-activation")
    assert "more than 1\N{NO-BREAK SPACE}% of none's" in table.caption
    assert texts(table, "GCN") == ["layers, edge_blocks", "saves at every density measured"]
    assert texts(table, "SAGE", "layers") == [f"stops saving above degree 41.2 ({SPAN})"]
    assert len(table.rows) == 4
    time = block(section(inputs, "trends.time"), "table-break-even-time")
    assert texts(time, "GCN", "layers") == ["slower than none at every density measured"]
    ids = [one.id for one in tables(section(synthetic.inputs(), "trends.memory"))]
    assert "table-memory-activation-ratio" in ids
    assert "table-break-even-activation" not in ids
