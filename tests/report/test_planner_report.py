"""The planner's section: the form with what it knows, its answer beside it in both faces, hostile names as text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gnn_checkpointing.planning import Planner
from gnn_checkpointing.planning.knowledge import Knowledge
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.page import Block, Note, Paragraph, Table
from gnn_checkpointing.report.plan_words import advice, cells
from gnn_checkpointing.sourced import bare
from pages import whole
from synthetic import inputs as synthetic
from synthetic import planner as known

from .test_report import HOSTILE, pdf_text, render

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
    assert len({one.verdict for one in plan.policies}) > 1  # an example that fits everything would teach nothing
    layers = {"size": "num_layers", "low": 3, "high": 3, "warning": "Layers."}
    *_, note = printed(limits=[*LIMITS, layers])[1]
    assert isinstance(note, Note)
    assert note.text == "Layers."  # what lies outside of the measured is warned of


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
