"""Depth as a factor: which models a study has, and what each policy needs at each depth, on a table of known ratios."""

import numpy as np
import pytest

from gnn_checkpointing.analysis.analyse import analyse
from gnn_checkpointing.analysis.effects import effects
from gnn_checkpointing.analysis.results.views import depths
from gnn_checkpointing.analysis.table import completed
from synthetic.changes import without
from synthetic.rows import table
from synthetic.tables import depth_table, protocol


def found(rows):
    return depths(effects(completed(rows), "retaining", 0.95)[0])


def test_one_depth_has_models_and_no_points():
    result = found(table(np.random.default_rng(0)))
    assert {model.convolution for model in result.models} == {"GCN", "SAGE", "GATv2"}
    assert result.points == []


def test_each_depth_is_a_series_and_a_model_of_its_own():
    result = found(depth_table())
    assert [(model.convolution, model.num_layers, model.parameters) for model in result.models] == [
        ("SAGE (50 layers)", 50, 5000),
        ("SAGE (100 layers)", 100, 10_000),
        ("SAGE (200 layers)", 200, 20_000),
    ]
    # 3 policies x 2 densities x 3 depths.
    assert len(result.points) == 18
    assert {point.stack for point in result.points} == {"SAGE"}


def test_ratios_are_those_of_the_table_and_another_model_has_its_place():
    points = {(p.policy, p.level, p.num_layers): p for p in found(depth_table()).points}
    deep = points["layers", "8", 200]
    assert deep.activation_ratio.estimate == pytest.approx((1 + 0.2 * 200) / 200)
    assert deep.time_ratio.estimate == pytest.approx(1.4)
    reversible = [points["reversible", "3", depth] for depth in (50, 200)]
    assert reversible[0].activation_bytes == reversible[1].activation_bytes
    assert all(point.other_model for point in reversible)


def test_without_none_there_are_bytes_and_no_ratios():
    rows = depth_table()
    cell = next(str(row["cell"]) for row in rows if row["num_layers"] == 200)
    result = found(without(rows, cell, "none", "out_of_memory"))
    lost = [p for p in result.points if p.num_layers == 200 and p.activation_ratio is None]
    assert {point.policy for point in lost} == {"layers", "reversible"}
    assert all(point.activation_bytes > 0 and point.time_ratio is None for point in lost)


def test_laws_are_fitted_for_each_depth_by_itself():
    laws = analyse(depth_table(degrees=(3.0, 8.0, 16.0, 32.0)), [], protocol()).effects.generated
    assert {effect.convolution for effect in laws} == {f"SAGE ({depth} layers)" for depth in (50, 100, 200)}
