"""Throughput on density: times made of known exponents give them back, on either scale of density."""

from __future__ import annotations

import numpy as np
import pytest

from gnn_checkpointing.analysis.density import throughput_laws
from gnn_checkpointing.analysis.table import Row, completed, under
from planning.published import measured
from synthetic.graphs import generated_graphs
from synthetic.rows import table


def rows(num_nodes: tuple[int, ...], **changes: float | None) -> list[Row]:
    """Rows of steps of 1e-6 N^0.9 (E / N)^0.5 seconds."""
    made = table(np.random.default_rng(0), generated_graphs(num_nodes=num_nodes), convolutions=["GCN"])
    for row in made:
        nodes, edges = (float(row[name] or 0) for name in ("num_nodes", "num_edges"))
        row["step_time_seconds"] = 1e-6 * nodes**0.9 * (edges / nodes) ** 0.5
        row.update(changes)
    return under(completed(made), "retaining")


@pytest.mark.parametrize(("response", "elasticity", "nodes"), [("nodes", -0.5, 0.1), ("edges", 0.5, 0.1)])
def test_exponents_are_found_on_both_scales(response: str, elasticity: float, nodes: float) -> None:
    found, missing = throughput_laws(rows((500, 1000, 4000)), 0.95)
    assert not missing
    ours = {law.density: law for law in found if law.policy == "none" and law.response == f"{response}_per_second"}
    by_degree, by_density = ours["average_degree"], ours["density"]
    assert by_degree.elasticity.estimate == pytest.approx(elasticity, abs=1e-6)
    assert by_degree.nodes_elasticity is not None
    assert by_degree.nodes_elasticity.estimate == pytest.approx(nodes, abs=1e-6)
    # Of the same degree, twice the nodes are half as dense: the difference goes to the nodes.
    assert by_density.elasticity.estimate == pytest.approx(elasticity, abs=1e-6)
    assert by_density.nodes_elasticity is not None
    assert by_density.nodes_elasticity.estimate == pytest.approx(nodes + elasticity, abs=1e-3)
    assert by_degree.elasticity.low <= by_degree.elasticity.estimate <= by_degree.elasticity.high


def test_one_size_leaves_density_alone_and_untimed_cells_are_told() -> None:
    found, _ = throughput_laws(rows((1000,)), 0.95)
    assert found and all(law.nodes_elasticity is None for law in found)
    nothing, missing = throughput_laws(rows((1000,), step_time_seconds=None), 0.95)
    assert nothing == [] and missing == []


def test_too_few_graphs_are_a_sentence_and_repeats_of_a_graph_are_one_draw() -> None:
    few = [row for row in rows((1000,)) if row.average_degree < 9]
    found, missing = throughput_laws(few * 3, 0.95)
    assert found == []
    assert missing[0].startswith("GCN, none: throughput is not regressed on density: 4 timed graphs at 2 levels")


def test_real_graphs_are_regressed_where_no_graph_was_drawn() -> None:
    found, _ = throughput_laws(measured("real"), 0.95)
    assert {law.convolution for law in found} == {"GCN", "SAGE", "GATv2"}
    for law in found:
        if (law.response, law.density) == ("nodes_per_second", "average_degree"):
            assert -1.1 < law.elasticity.low < law.elasticity.high < 0  # denser graphs have fewer nodes a second
