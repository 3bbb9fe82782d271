"""Predictive laws, their scores, the graphs that fit, and the planner that uses the laws."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from gnn_checkpointing.analysis.results import PredictiveLaw
from gnn_checkpointing.planning import Planner
from gnn_checkpointing.planning.knowledge import Knowledge
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Block, Note, Paragraph, Table
from gnn_checkpointing.report.plan_words import advice, cells
from gnn_checkpointing.report.sections.predictions import in_words
from gnn_checkpointing.sourced import bare
from pages import whole
from synthetic import inputs as synthetic
from synthetic import planner as known
from synthetic.results import made

from .reading import block, prose, texts
from .test_report import HOSTILE, pdf_text, render


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


def test_the_table_says_what_a_plan_of_the_densest_largest_graph_says() -> None:
    found, (_, _, table, sentence) = printed()
    asked = {"num_nodes": 1000, "num_edges": 100_000, "convolution": "GATv2"}
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
    render(tmp_path, synthetic.inputs(knowledge=found))
    html = whole(tmp_path / "out" / "report.html")
    (inlined,) = re.findall(r'<script id="planner-knowledge" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert Knowledge.model_validate(json.loads(inlined)) == found
    assert html.count("<script") == 2
    assert "alert(1)</script>" not in html.replace(inlined, "")
    assert re.search(r"Take \w+: [\d.]+ MiB of", pdf_text(tmp_path / "out" / "appendix.pdf").replace("\u00a0", " "))
