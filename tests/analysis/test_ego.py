"""Ego networks beside the graphs that they are from: one place a density, one point an input and policy."""

import numpy as np
import pytest

from gnn_checkpointing.analysis.effects import effects
from gnn_checkpointing.analysis.results.views import ego
from gnn_checkpointing.analysis.table import completed
from synthetic.graphs import generated_graphs
from synthetic.rows import LAWS, RESIDENT_BYTES, table
from synthetic.tables import ego_table


def points_of(rows):
    return ego(effects(completed(rows), "retaining", 0.95)[0]).points


def test_without_ego_networks_there_are_no_points():
    assert points_of(table(np.random.default_rng(0), generated_graphs())) == []


def test_each_input_has_its_place_beside_the_graph_alone():
    points = points_of(ego_table())
    # 2 densities x (1 + 2 x 2) inputs x 2 policies.
    assert len(points) == 20
    found = {(p.policy, p.degree, p.form, p.radius): p for p in points}
    bag = found["none", 8.0, "ego_networks", 2.0]
    assert (bag.num_nodes, bag.num_edges) == (65_000, 8000 * 65)
    law = LAWS["GCN", "none"][0]
    assert bag.peak_memory_bytes == pytest.approx(RESIDENT_BYTES + law.at(65_000, 8000 * 65), rel=1e-6)
    assert found["none", 2.0, "", None].num_nodes == 1000
    assert {point.origin for point in points} == {"sbm"}
