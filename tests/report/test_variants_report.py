"""Families, graded graphs, batches and where the graphs are from: sections that say what was found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gnn_checkpointing.records.graph_facts import Derivation, GraphFacts, Provenance
from gnn_checkpointing.report import units
from gnn_checkpointing.report.appendix import section
from gnn_checkpointing.report.inputs import ReportInputs
from synthetic import inputs as synthetic
from synthetic.graphs import batches, families, graded
from synthetic.results import made
from synthetic.rows import table

from .reading import analysed, block, prose, texts

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


def test_families_are_relative_to_the_one_without_structure(varied: ReportInputs) -> None:
    found = section(varied, "variants.families")
    table, figure = block(found, "table-families-memory"), block(found, "figure-families-memory")
    assert [column.name for column in table.columns][4:] == ["Erdős-Rényi", "Block model", "R-MAT"]
    # GATv2 under layers at degree 32: (1,500 + 500 x 32) / (3,000 + 2,000 x 32), and the same in every family.
    assert texts(table, "GATv2", "layers", "1,000", "32") == ["0.26", "1.00", "1.00"]
    assert "average degree 32" in figure.caption
    assert "layers on R-MAT 0.26" in figure.panels[-1].alternative


def test_real_graphs_are_apart_from_graded_ones_and_batches(varied: ReportInputs) -> None:
    assert {row[0] for row in block(section(varied, "variants.real-graphs"), "table-real").rows} == {"X"}
    found = section(varied, "variants.graded-graphs")
    table = block(found, "table-graded")
    assert len(table.rows) == 4 * 3 * 2
    assert texts(table, "X", "two-hop", "64", "GATv2", "layers")[0] == "0.26"
    assert "capped" not in block(found, "figure-graded").panels[0].svg


def test_batches_say_where_a_policy_pays(varied: ReportInputs) -> None:
    found = section(varied, "variants.batches")
    every = f"all ({units.interval('5', '10')})"
    assert texts(block(found, "table-batch-payoff"), "GCN", "layers", "W", "neighbours a layer") == [
        every,
        every,
        "nowhere",
    ]
    drawn = {row[1] for panel in block(found, "figure-batches").panels for row in panel.drawn.rows}
    assert drawn == {5, 10}  # neighbours alone: clusters are no neighbours
    table = block(found, "table-batches")
    assert texts(table, "GCN", "W", "5 neighbours a layer", "1,000", "6,000", "500", "none")[0] == "1.00"


def test_graphs_say_what_they_look_like_and_where_they_are_from(varied: ReportInputs) -> None:
    found = section(varied, "method.graphs")
    structure = block(found, "table-graphs")
    assert texts(structure, "X <b>") == ["1,000", "16,000", "16", "2", "15", "41", "97", "0.123", "0.75"]
    assert len(structure.rows) == 3  # the second draw of the block model is left out
    assert texts(block(found, "table-origins"), "X <b>") == [
        "https://example.org/x; licence: CC0",
        "x.npz: ab12ab12ab12",
        "1,433 features projected to 64 with fixed random signs; 3 self-loops removed; nodes have several labels",
    ]
    assert "Of 4 graphs, the first draw of each kind is shown" in prose(found)
