"""The graph that moves a law is named, and by how much is what a fit without it says."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from gnn_checkpointing.analysis.results import Influence
from gnn_checkpointing.analysis.robustness.influence import influence
from gnn_checkpointing.analysis.support import design, observed
from gnn_checkpointing.analysis.table import completed
from synthetic.changes import changed
from synthetic.graphs import generated_graphs
from synthetic.rows import Table, table

OUTLIER = "sbm-n2000-d128-r1"


def found(rows: Table) -> tuple[list[Influence], list[str]]:
    return influence(completed(rows), 0.95)


def gcn(seed: int = 0, noise: float = 0.0) -> Table:
    return table(np.random.default_rng(seed), convolutions=("GCN",), policies=("none",), noise=noise)


def heavier(rows: Table, extra: int) -> Table:
    """Return the table with more bytes on the densest graph."""
    (row,) = [row for row in rows if row["graph"] == OUTLIER]
    return changed(rows, str(row["cell"]), "none", activation_bytes=int(row["activation_bytes"] or 0) + extra)


def test_an_exact_law_hangs_on_no_graph() -> None:
    result, missing = found(gcn())
    assert missing == []
    assert [(one.response, one.shift_per_edge, one.cooks_distance) for one in result] == [
        ("activation_bytes", 0.0, 0.0),
        ("step_time_seconds", 0.0, 0.0),
    ]


def test_the_outlier_is_named_and_the_slope_moves_back_to_the_law_without_it() -> None:
    """Without the outlier the law is exact again: 120 bytes an edge, whatever the slope was with it."""
    rows = heavier(gcn(), 10_000_000)
    memory = found(rows)[0][0]
    cells = completed(rows)
    slope = float(np.linalg.lstsq(design(cells), observed(cells, "activation_bytes"), rcond=None)[0][2])
    assert slope > 125
    assert memory.graph == OUTLIER
    assert memory.shift_per_edge == pytest.approx(120 / slope - 1, rel=1e-6)


def test_cooks_distance_is_that_of_statsmodels() -> None:
    rows = heavier(gcn(), 10_000_000)
    cells = completed(rows)
    fit = OLS(observed(cells, "activation_bytes"), design(cells)).fit()
    distances = fit.get_influence().cooks_distance[0]
    assert found(rows)[0][0].cooks_distance == pytest.approx(distances.max(), rel=1e-6)


def test_noise_alone_moves_a_slope_by_little() -> None:
    (time,) = [one for one in found(gcn(2, noise=0.02))[0] if one.response == "step_time_seconds"]
    assert 0 < abs(time.shift_per_edge) < 0.02
    assert 0 < time.cooks_distance < 1


def test_a_law_that_is_flat_in_edges_has_no_share_to_move_by() -> None:
    rows = table(np.random.default_rng(0), convolutions=("GCN",), policies=("none", "edge_blocks"))
    assert found(rows)[1] == [
        "GCN, edge_blocks: no graph's influence on activation_bytes is told: the law does not grow with the edges, so "
        "nothing is a share of its slope."
    ]


def test_where_no_law_can_be_there_is_a_sentence() -> None:
    rows = table(
        np.random.default_rng(0), generated_graphs((500,), replicates=1), convolutions=("GCN",), policies=("none",)
    )
    result, missing = found(rows)
    assert result == []
    assert missing[0] == (
        "GCN, none: no graph's influence on activation_bytes is told: all graphs have 500 nodes, so bytes per node "
        "cannot be told from the constant."
    )
