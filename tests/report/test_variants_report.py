"""Families, graded graphs, batches and where the graphs are from: sections that say what was found, in both faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnn_checkpointing.records.graph_facts import Derivation, GraphFacts, Provenance
from gnn_checkpointing.report import units
from gnn_checkpointing.report.documents import documents
from gnn_checkpointing.report.inputs import ReportInputs
from gnn_checkpointing.report.page import Table
from gnn_checkpointing.report.sections.batches import batches_section
from gnn_checkpointing.report.sections.families import families_section
from gnn_checkpointing.report.sections.graphs import graphs_section
from gnn_checkpointing.report.sections.real import graded_section, real_section
from synthetic import inputs as synthetic
from synthetic.graphs import batches, families, graded
from synthetic.results import made
from synthetic.rows import table

from .reading import analysed, block, prose, texts
from .test_report import appendix, pdf_text

STRUCTURE = {
    "degree_quantiles": (2, 8, 15, 20, 41),
    "maximum_degree": 97,
    "isolated_nodes": 0,
    "clustering": 0.1234,
    "homophily": 0.75,
}
SIZES = {"num_nodes": 1000, "num_edges": 16_000, "num_features": 64, "average_degree": 16.0}


def facts(label: str, family: str = "real", **more: Any) -> GraphFacts:
    return made(GraphFacts, id=label, label=label, family=family, structure=STRUCTURE, **SIZES, **more)


GRAPHS = [
    facts(
        "X <b>",
        provenance=Provenance(
            source="https://example.org/x",
            licence="CC0",
            files={"x.npz": "ab12" * 16},
            projected_from=1433,
            self_loops_removed=3,
            notes=["nodes have several labels"],
        ),
    ),
    facts("X, thinned", derivation=Derivation(base="X <b>", base_label="X <b>", method="thinned", size=4.0)),
    facts("SBM, 1000 nodes, degree 16, replicate 0", family="sbm", requested_average_degree=16.0),
    facts("SBM, 1000 nodes, degree 16, replicate 1", family="sbm", requested_average_degree=16.0, replicate=1),
]


@pytest.fixture(scope="module")
def varied() -> ReportInputs:
    """The inputs of a study that has everything: families, graded graphs, batches."""
    rows = table(np.random.default_rng(4), [*families(), *graded(), *batches()])
    return analysed(rows, synthetic.study(), graphs=GRAPHS)


def test_families_stand_relative_to_the_one_without_structure(varied: ReportInputs) -> None:
    table = block(families_section(varied), "table-families-memory")
    assert [column.name for column in table.columns][4:] == ["Erdős-Rényi", "Block model", "R-MAT"]
    # GATv2 under layers at degree 32: (1,500 + 500 x 32) / (3,000 + 2,000 x 32), and the same in every family.
    assert texts(table, "GATv2", "layers", "1,000", "32") == ["0.26", "1.00", "1.00"]


def test_the_families_figure_has_a_line_a_family_at_the_densest_level(varied: ReportInputs) -> None:
    figure = block(families_section(varied), "figure-families-memory")
    assert "average degree 32" in figure.caption
    assert "layers on R-MAT 0.26" in figure.panels[-1].alternative or "layers on R-MAT" in figure.panels[0].alternative


def test_a_graded_graph_is_a_row_a_density(varied: ReportInputs) -> None:
    table = block(graded_section(varied), "table-graded")
    assert len(table.rows) == 4 * 3 * 2
    assert texts(table, "X", "two-hop", "64", "GATv2", "layers")[0] == "0.26"
    assert "capped" not in block(graded_section(varied), "figure-graded").panels[0].svg


def test_batches_say_where_a_policy_pays(varied: ReportInputs) -> None:
    section = batches_section(varied)
    payoff = block(section, "table-batch-payoff")
    assert texts(payoff, "GCN", "layers", "W", "neighbours a layer") == [f"all ({units.interval('5', '10')})"] * 2 + [
        "nowhere"
    ]
    drawn = {row[1] for panel in block(section, "figure-batches").panels for row in panel.drawn.rows}
    assert drawn == {5, 10}  # neighbours alone: clusters are no neighbours
    table = block(section, "table-batches")
    assert texts(table, "GCN", "W", "5 neighbours a layer", "1,000", "6,000", "500", "none")[0] == "1.00"


def test_the_real_section_has_neither_grades_nor_batches(varied: ReportInputs) -> None:
    table = block(real_section(varied), "table-real")
    assert {row[0] for row in table.rows} == {"X"}


def test_graphs_say_what_they_look_like_and_where_they_are_from(varied: ReportInputs) -> None:
    section = graphs_section(varied)
    structure = block(section, "table-graphs")
    assert texts(structure, "X <b>") == ["1,000", "16,000", "16", "2", "15", "41", "97", "0.123", "0.75"]
    assert len(structure.rows) == 3  # the second draw of the block model is left out
    origins = block(section, "table-origins")
    assert texts(origins, "X <b>") == [
        "https://example.org/x; licence: CC0",
        "x.npz: ab12ab12ab12",
        "1,433 features projected to 64 with fixed random signs; 3 self-loops removed; nodes have several labels",
    ]
    assert "Of 4 graphs, the first draw of each kind is shown" in prose(section)


def test_both_faces_have_every_section_and_escape_names(varied: ReportInputs, tmp_path: Path) -> None:
    html, _ = appendix(tmp_path, varied)
    text = "".join(pdf_text(tmp_path / "out" / "appendix.pdf").split())
    for id in ("families", "graded-graphs", "batches", "graphs"):
        assert f'id="{id}"' in html
    assert "X &lt;b&gt;" in html and "X <b>" not in html
    for shown in (each for section in documents(varied, {}).appendix.sections for each in section.blocks):
        if isinstance(shown, Table) and shown.id in (
            "table-families-memory",
            "table-batches",
            "table-graded",
            "table-graphs",
        ):
            assert "".join(shown.caption.split())[:60] in text
