"""A figure says where its numbers are and how they were made; one leads the page; residuals have Q-Q plots."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.packed import bounded_bytes
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.documents import Documents, documents
from gnn_checkpointing.report.page import Figure, Panel
from gnn_checkpointing.report.provenance import provenance
from gnn_checkpointing.report.sections.lead import lead_figure
from synthetic import inputs as synthetic
from synthetic.findings import analysed
from synthetic.rows import LAWS, table

CHECKSUMS = {
    "measurements.csv": "a" * 64,
    "study.json": "b" * 64,
    "trainings.json": "c" * 64,
    "graphs.json": "e" * 64,
    "records.jsonl": "d" * 64,
}


@pytest.fixture(scope="module")
def page() -> Documents:
    return documents(synthetic.inputs(), CHECKSUMS)


def test_every_figure_has_a_rule_a_command_and_hashes(page: Documents) -> None:
    for figure in page.figures():
        found = figure.provenance
        assert found is not None
        assert found.rule in ("analyse", "collect")
        assert found.command.startswith(("python -m gnn_checkpointing analyse", "snakemake --cores 8"))
        assert all(len(fact.value) == 64 for fact in found.inputs)
        assert found.data == f"figures/{figure.id}.csv"


def test_a_figure_of_an_unknown_file_is_an_error() -> None:
    figure = Figure("figure-x", "", "", (), source="elsewhere.json")
    with pytest.raises(ValueError, match=r"no rule is known to make elsewhere\.json"):
        provenance(figure, synthetic.inputs().study, {})


def test_the_files_hold_what_is_drawn(rendered: Path) -> None:
    drawn = bounded_bytes(rendered / "figures/figure-memory-level.csv").decode()
    rows = list(csv.DictReader(io.StringIO(drawn)))
    assert set(rows[0]) == {"panel", "policy", "average degree (edges per node)", "activation memory", "low", "high"}
    one = [row for row in rows if (row["panel"], row["policy"]) == ("GATv2", "layers")]
    assert [float(row["average degree (edges per node)"]) for row in one] == list(synthetic.DEGREES)
    slope = (float(one[-1]["activation memory"]) - float(one[0]["activation memory"])) / (2000 * (128 - 4))
    assert slope == pytest.approx(LAWS["GATv2", "layers"][0].per_edge, rel=0.05)


def test_the_first_screen_has_a_panel_for_layers_and_one_for_edge_blocks(page: Documents) -> None:
    lead = page.report.lead
    assert lead is not None
    assert [panel.title for panel in lead.panels] == ["layers", "edge_blocks"]
    drawn = lead.panels[0].drawn
    assert drawn.columns[0] == "convolution"
    assert {row[0] for row in drawn.rows} == set(synthetic.CONVOLUTIONS)


def test_a_study_of_real_graphs_leads_with_them(page: Documents) -> None:
    lead = lead_figure(synthetic.real_inputs())
    assert lead is not None
    assert "real graphs" in lead.caption
    assert {row[0] for row in lead.panels[0].drawn.rows} == {"Cora", "amherst41", "tolokers"}


def test_residuals_stand_against_a_normal_distribution() -> None:
    """Standardised residuals that are normal quantiles themselves lie on the diagonal."""
    inputs = synthetic.inputs()
    laws = [
        law.model_copy(
            update={
                "residuals": [
                    residual.model_copy(update={"standardised": place / 10, "normal_quantile": place / 10})
                    for place, residual in enumerate(law.residuals)
                ]
            }
        )
        for law in inputs.regressions.laws
    ]
    made = section(synthetic.inputs(regressions=inputs.regressions.model_copy(update={"laws": laws})), "laws")
    figures = [block for block in made.blocks if isinstance(block, Figure) and "quantiles" in block.id]
    assert len(figures) == 2
    panel: Panel = figures[0].panels[0]
    assert all(math.isclose(float(row[1]), float(row[2])) for row in panel.drawn.rows)
    assert "furthest from the diagonal" in panel.alternative


def test_laws_that_are_exact_have_no_quantiles() -> None:
    exact = analysed(table(np.random.default_rng(0), noise=0.0))
    made = section(synthetic.inputs(regressions=exact.regressions), "laws")
    assert not [block for block in made.blocks if isinstance(block, Figure) and "quantiles" in block.id]
