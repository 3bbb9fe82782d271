"""Selections from the table of effects: depths, ego networks, families, graded graphs and batches, of known ratios."""

import numpy as np
import pytest

from gnn_checkpointing.analysis.effects import effects
from gnn_checkpointing.analysis.regression import laws
from gnn_checkpointing.analysis.table import completed
from synthetic.changes import without
from synthetic.graphs import batches, families, generated_graphs, graded
from synthetic.rows import LAWS, RESIDENT_BYTES, table
from synthetic.tables import depth_table, effects_of, ego_table


def found(graphs):
    rows = table(3, graphs)
    return rows, effects_of(rows)


def share(effect):
    """The ratio of activation bytes that the laws of the table give."""
    own, none = (
        LAWS[effect.convolution, name][0].at(effect.num_nodes, effect.num_edges) for name in (effect.policy, "none")
    )
    return pytest.approx(own / none, rel=1e-3)


def test_a_study_of_one_depth_and_family_has_models_and_nothing_to_compare():
    _, result = found(generated_graphs())
    assert {model.convolution for model in result.models} == {"GCN", "SAGE", "GATv2"}
    assert result.ego == result.depths == []
    assert result.reference_family is None
    assert result.families == result.graded == result.batches == []


def test_each_input_has_its_place_beside_the_graph_alone():
    points = effects_of(ego_table()).ego
    # 2 densities x (1 + 2 x 2) inputs x 2 policies.
    assert len(points) == 20
    by_place = {(p.policy, p.degree, p.method, p.size): p for p in points}
    bag = by_place["none", 8.0, "ego_networks", 2.0]
    assert (bag.num_nodes, bag.num_edges) == (65_000, 8000 * 65)
    law = LAWS["GCN", "none"][0]
    assert bag.peak_memory_bytes == pytest.approx(RESIDENT_BYTES + law.at(65_000, 8000 * 65), rel=1e-6)
    assert by_place["none", 2.0, "", None].num_nodes == 1000
    assert {point.origin for point in points} == {"sbm"}


def test_each_depth_is_a_series_and_a_model_of_its_own_with_the_ratios_of_the_table():
    result = effects_of(depth_table())
    assert [(model.convolution, model.num_layers, model.parameters) for model in result.models] == [
        ("SAGE (50 layers)", 50, 5000),
        ("SAGE (100 layers)", 100, 10_000),
        ("SAGE (200 layers)", 200, 20_000),
    ]
    points = {(p.policy, p.level, p.num_layers): p for p in result.depths}
    # 3 policies x 2 densities x 3 depths.
    assert len(points) == len(result.depths) == 18
    assert {point.stack for point in points.values()} == {"SAGE"}
    deep = points["layers", "8", 200]
    assert deep.activation_ratio.estimate == pytest.approx((1 + 0.2 * 200) / 200)
    assert deep.time_ratio.estimate == pytest.approx(1.4)
    reversible = [points["reversible", "3", depth] for depth in (50, 200)]
    assert reversible[0].activation_bytes == reversible[1].activation_bytes
    assert all(point.other_model for point in reversible)
    generated = effects_of(depth_table(degrees=(3.0, 8.0, 16.0, 32.0))).generated
    assert {effect.convolution for effect in generated} == {f"SAGE ({depth} layers)" for depth in (50, 100, 200)}


def test_without_none_there_are_bytes_and_no_ratios():
    rows = depth_table()
    cell = next(str(row["cell"]) for row in rows if row["num_layers"] == 200)
    result = effects_of(without(rows, cell, "none", "out_of_memory"))
    lost = [p for p in result.depths if p.num_layers == 200 and p.activation_ratio is None]
    assert {point.policy for point in lost} == {"layers", "reversible"}
    assert all(point.activation_bytes > 0 and point.time_ratio is None for point in lost)


def test_a_family_that_changes_nothing_is_1_and_one_that_matters_shows_by_how_much():
    rows, result = found(families())
    assert result.reference_family == "erdos_renyi"  # the one without structure
    # 3 convolutions x 2 policies x 2 levels x 3 families.
    assert len(result.families) == 36
    for effect in result.families:
        assert effect.activation_over_reference.estimate == pytest.approx(1)
        assert effect.time_over_reference.low < 1.1 and effect.time_over_reference.high > 0.9
        assert effect.activation_ratio.estimate == share(effect)
    for row in rows:
        if row["family"] == "rmat" and row["policy"] == "layers":
            row["activation_ratio"] = row["activation_ratio"] * 1.2
    shifted = [e for e in effects_of(rows).families if (e.family, e.policy) == ("rmat", "layers")]
    assert [e.activation_over_reference.estimate for e in shifted] == pytest.approx([1.2] * 6)


def test_a_graded_graph_is_compared_along_its_own_densities():
    _, result = found(graded())
    chosen = [e for e in result.graded if (e.convolution, e.policy) == ("GATv2", "layers")]
    assert {(e.method, e.average_degree) for e in chosen} == {("thinned", 4), ("capped", 8), ("", 16), ("two_hop", 64)}
    assert {e.base for e in chosen} == {"X"}
    assert all(effect.activation_ratio.estimate == share(effect) for effect in chosen)


def test_batches_stand_beside_the_full_batch_with_their_throughput():
    rows, result = found(batches())
    chosen = [e for e in result.batches if (e.convolution, e.policy) == ("GCN", "layers")]
    assert [(e.method, e.size, e.cells, e.num_edges) for e in chosen] == [
        ("", None, 1, 64_000),
        ("clusters", 8, 1, 4000),
        ("neighbours", 5, 2, 6000),
        ("neighbours", 10, 2, 24_000),
    ]
    place = (5.0, "GCN", "layers")
    own = [row for row in rows if (row["derivation_size"], row["convolution"], row["policy"]) == place]
    seconds = [row["step_time_seconds"] for row in own]
    # Half of the 1,000 nodes train.
    assert chosen[2].training_nodes_per_second == pytest.approx(500 / np.median(seconds))
    assert chosen[2].nodes_per_second.estimate == pytest.approx(np.exp(np.mean([np.log(1000 / s) for s in seconds])))
    assert chosen[2].edges_per_second.estimate == pytest.approx(6 * chosen[2].nodes_per_second.estimate)
    assert {e.policy for e in result.batches} == {"none", "layers", "edge_blocks"}


def test_graded_graphs_and_batches_are_no_part_of_the_laws():
    rows, plain = (
        completed(table(3, [*generated_graphs(), *graded()[:most], *batches()[:most]])) for most in (None, 1)
    )
    assert [law.cells for law in laws(rows, 0.95)[0]] == [law.cells for law in laws(plain, 0.95)[0]]
    assert {e.level for e in effects(rows, "retaining", 0.95)[0].real} == {"X"}
