"""Effects are paired ratios, averaged over the graphs of a level, with honest intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gnn_checkpointing.analysis.effects import drawing, effects, geometric_mean
from gnn_checkpointing.analysis.results import Effect, Effects
from gnn_checkpointing.analysis.table import completed

from .tables import LAWS, Table, changed, generated_graphs, real_graphs, table, without

ONE_A_LEVEL = generated_graphs(num_nodes=(500,), degrees=(4.0, 128.0), replicates=1)


def found(rows: Table, seed: int = 0) -> Effects:
    return effects(completed(rows), 0.95, 500, np.random.default_rng(seed))


def only(values: list[Effect], **keys: str) -> Effect:
    (value,) = [value for value in values if all(getattr(value, name) == key for name, key in keys.items())]
    return value


def test_one_cell_keeps_its_exact_memory_ratio_and_its_own_time_interval() -> None:
    """GCN at 500 nodes, 2,000 edges: layers 64 + 500,000 + 200,000, none 64 + 750,000 + 240,000 bytes."""
    rows = table(np.random.default_rng(0), ONE_A_LEVEL)
    effect = only(found(rows).generated, convolution="GCN", policy="layers", level="4")
    ratio = effect.activation_ratio
    assert ratio.estimate == pytest.approx(700_064 / 990_064)
    assert ratio.low == ratio.high == ratio.estimate
    assert effect.time_ratio.low == pytest.approx(0.98 * effect.time_ratio.estimate)
    assert effect.time_ratio.high == pytest.approx(1.02 * effect.time_ratio.estimate)


def test_several_cells_give_the_geometric_mean_inside_its_interval() -> None:
    rows = table(np.random.default_rng(0))
    effect = only(found(rows).generated, convolution="GATv2", policy="layers", level="32")
    ratios = [
        float(row["time_ratio"] or 0)
        for row in rows
        if (row["convolution"], row["policy"], row["requested_average_degree"]) == ("GATv2", "layers", 32.0)
    ]
    assert effect.cells == len(ratios) == 6
    assert effect.average_degree == 32.0
    assert effect.time_ratio.estimate == pytest.approx(math.prod(ratios) ** (1 / 6))
    assert min(ratios) < effect.time_ratio.low < effect.time_ratio.estimate < effect.time_ratio.high < max(ratios)


def test_levels_run_from_sparse_to_dense_within_each_convolution_and_policy() -> None:
    order = [(effect.convolution, effect.policy) for effect in found(table(np.random.default_rng(0))).generated]
    assert list(dict.fromkeys(order)) == [
        (name, policy) for name in ("GATv2", "GCN", "SAGE") for policy in ("layers", "edge_blocks")
    ]
    levels = [effect.level for effect in found(table(np.random.default_rng(0))).generated[:6]]
    assert levels == ["4", "8", "16", "32", "64", "128"]


def test_a_policy_that_changes_the_computation_is_no_win() -> None:
    rows = changed(table(np.random.default_rng(0), ONE_A_LEVEL), "sbm-n500-d4-r0-GCN", "layers", same_buffers=False)
    left = [(e.convolution, e.policy, e.level) for e in found(rows).generated]
    assert ("GCN", "layers", "4") not in left
    assert ("GCN", "layers", "128") in left
    assert ("GCN", "edge_blocks", "4") in left


@pytest.mark.parametrize("outcome", ["out_of_memory", "timed_out", "failed", "refused"])
def test_a_policy_that_did_not_complete_is_left_out(outcome: str) -> None:
    rows = without(table(np.random.default_rng(0), ONE_A_LEVEL), "sbm-n500-d4-r0-GCN", "layers", outcome)
    assert ("GCN", "layers", "4") not in [(e.convolution, e.policy, e.level) for e in found(rows).generated]


def test_without_the_reference_there_is_no_effect() -> None:
    rows = without(table(np.random.default_rng(0), ONE_A_LEVEL), "sbm-n500-d128-r0-GATv2", "none", "out_of_memory")
    left = {(e.convolution, e.level) for e in found(rows).generated}
    assert ("GATv2", "128") not in left
    assert ("GATv2", "4") in left


def test_real_graphs_are_levels_of_their_own() -> None:
    result = found(table(np.random.default_rng(0), real_graphs()))
    assert result.generated == []
    assert [effect.level for effect in result.real[:2]] == ["Cora", "amherst41"]


def test_real_graphs_that_share_a_label_are_told_apart_by_their_ids() -> None:
    rows = [{**row, "graph_label": "same"} for row in table(np.random.default_rng(0), real_graphs())]
    assert {effect.level for effect in found(rows).real} == {graph.id for graph in real_graphs()}


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """400 levels of 6 graphs: a true coverage of 95 % shows 91 % or more with probability 0.999; plain percentiles
    cover 87 %."""
    generator = np.random.default_rng(1)
    nothing = np.zeros(6)
    covered = 0
    for _ in range(400):
        value = geometric_mean(0.1 * generator.standard_normal(6), nothing, nothing, 0.95, drawing(400, generator))
        covered += value.low <= 1 <= value.high
    assert 0.905 <= covered / 400 <= 0.985


def test_cells_that_agree_by_chance_claim_no_certainty() -> None:
    """Two equal ratios, each known to 2 % only: the mean is known to 2 % / sqrt(2)."""
    two = np.zeros(2)
    value = geometric_mean(two, two - 0.02, two + 0.02, 0.95, drawing(200, np.random.default_rng(0)))
    assert math.log(value.high) == pytest.approx(0.02 / math.sqrt(2))
    assert math.log(value.low) == pytest.approx(-0.02 / math.sqrt(2))


def test_ratios_follow_the_law_they_were_made_from() -> None:
    graphs = generated_graphs(num_nodes=(2000,), degrees=(64.0,), replicates=1)
    result = found(table(np.random.default_rng(0), graphs, noise=0.0))
    for effect in result.generated:
        policy, none = LAWS[effect.convolution, effect.policy], LAWS[effect.convolution, "none"]
        expected = policy[2].at(2000, 128_000) / none[2].at(2000, 128_000)
        assert effect.time_ratio.estimate == pytest.approx(expected)
