"""Laws that predict, their record and what fits: tables that say what the findings say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gnn_checkpointing.analysis.results import PredictiveLaw
from gnn_checkpointing.report import units
from gnn_checkpointing.report.figure import Figure
from gnn_checkpointing.report.inputs import ReportInputs, in_series
from gnn_checkpointing.report.page import Paragraph
from gnn_checkpointing.report.sections.law_words import in_words
from gnn_checkpointing.report.sections.predictions import predictions_section
from gnn_checkpointing.report.sections.scorecard import scorecard_section
from pages import whole
from synthetic import inputs as synthetic
from synthetic.changes import without
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import table
from synthetic.tables import protocol

from .test_frontier_report import block, texts
from .test_report import appendix, pdf_text


def law(
    form: str, *pieces: dict[str, float], response: str = "activation_bytes", knee: float | None = None
) -> PredictiveLaw:
    return PredictiveLaw.model_validate(
        {
            "convolution": "GCN",
            "policy": "none",
            "response": response,
            "form": form,
            "pieces": pieces,
            "knee": knee,
            "cells": 36,
            "num_nodes": (500, 2000),
            "num_edges": (2000, 256_000),
            "num_features": 32,
            "half_width": 0.01,
            "median_relative_residual": 0.0,
            "worst_relative_residual": 0.0,
            "residuals": [],
        }
    )


@pytest.fixture(scope="module")
def made() -> ReportInputs:
    """Return the inputs of a study of generated and real graphs, one cell of which ran out of memory."""
    from gnn_checkpointing.analysis.laws.predictions import predictions
    from gnn_checkpointing.analysis.table import completed

    graphs = [*generated_graphs(num_nodes=(500, 1000, 4000), replicates=1), *real_graphs()]
    rows = table(np.random.default_rng(4), graphs)
    rows = without(rows, "sbm-n4000-d128-r0-GATv2", "none", "out_of_memory")
    found = predictions(rows, completed(rows), protocol(), np.random.default_rng(0))
    return synthetic.inputs(in_series(rows), predictions=found)


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


def test_studies_without_laws_have_neither_section() -> None:
    plain = synthetic.inputs()
    assert predictions_section(plain) is None
    assert scorecard_section(plain) is None


def test_the_leaderboard_shows_losers_and_names_the_chosen(made: ReportInputs) -> None:
    board = block(predictions_section(made), "table-leaderboard-activation")
    assert [column.name for column in board.columns][2:] == [
        "additive",
        "additive, with blocks",
        "larger of two",
        "power law",
    ]
    cells = texts(board, "GATv2", "layers")
    assert cells[0].endswith("(chosen)")
    assert cells[1] == units.NOTHING
    assert not cells[3].endswith("(chosen)")
    assert len(board.rows) == 9


def test_bytes_an_edge_stand_three_times_side_by_side(made: ReportInputs) -> None:
    """The synthetic table's GATv2 takes 2,000 bytes an edge; 4 layers of 16 channels and 4 heads would take 1,168."""
    found = block(predictions_section(made), "table-analytic")
    assert texts(found, "GATv2", "none", "saved")[:3] == ["1,800.0", "1,800.0", "960"]
    assert texts(found, "SAGE", "edge_blocks", "peak") == ["0.0", "0.0", "0", "0"]


def test_the_record_names_the_worst_graph_and_the_cell_out_of_memory(made: ReportInputs) -> None:
    section = scorecard_section(made)
    summary = block(section, "table-scorecard")
    assert [row[0] for row in summary.rows] == ["Activation memory", "Saved activations", "Step time"]
    assert {row[1] for row in summary.rows} == {"18"}
    per_graph = block(section, "table-scorecard-graphs")
    assert [row[0] for row in per_graph.rows] == ["Cora", "amherst41"]
    lost = block(section, "table-censored")
    assert texts(lost, "SBM 4000, 128", "GATv2", "none") == [
        f"8.00{units.SPACE}GiB",
        units.size(64 + 3000 * 4000 + 2000 * 512_000 + 1e6),
        "no",
    ]
    assert section is not None
    told = [each.text for each in section.blocks if isinstance(each, Paragraph)]
    assert any(
        text.endswith("Of 1 such cells under a policy a law could be asked of 1, and put 0 above the limit.")
        for text in told
    )


def test_what_fits_is_told_with_its_gain(made: ReportInputs) -> None:
    found = block(scorecard_section(made), "table-capacity")
    degree, gain = texts(found, "GATv2", "layers")
    assert degree.startswith("533") and degree.endswith("*")
    assert gain == "4.02"
    assert texts(found, "GATv2", "edge_blocks")[0] == "complete graph*"


def test_errors_are_drawn_for_each_convolution_with_words_for_who_does_not_see_them(made: ReportInputs) -> None:
    section = scorecard_section(made)
    assert section is not None
    memory, time = [each for each in section.blocks if isinstance(each, Figure)]
    assert (
        [panel.title for panel in memory.panels] == [panel.title for panel in time.panels] == ["GCN", "SAGE", "GATv2"]
    )
    assert "Policy layers: median" in time.panels[0].alternative


def test_both_faces_print_the_laws(made: ReportInputs, tmp_path: Path) -> None:
    appendix(tmp_path, made)
    html, text = whole(tmp_path / "out" / "appendix.html"), pdf_text(tmp_path / "out" / "appendix.pdf")
    for id in ("predictions", "scorecard"):
        assert f'id="{id}"' in html
    for words in ("Laws that predict", "conformal quantile of errors", "complete graph"):
        assert words in html
        assert words.split()[0] in text
