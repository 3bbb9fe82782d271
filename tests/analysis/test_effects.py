"""Effects are paired ratios, averaged over the graphs of a level, with honest intervals."""

import math

import numpy as np
import pytest

from gnn_checkpointing.analysis.estimates import RATIO_KNOWN, noise, throughput, widened_tail
from gnn_checkpointing.analysis.results import Effect, Estimate
from gnn_checkpointing.analysis.table import completed
from gnn_checkpointing.records.measurements_table import per_second
from synthetic.changes import changed, without
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.results import the_one
from synthetic.rows import LAWS, Table, table
from synthetic.tables import effects_of

RATIOS = ("time_ratio", "time_ratio_low", "time_ratio_high")
ONE_A_LEVEL = table(0, generated_graphs(num_nodes=(500,), degrees=(4.0, 128.0), replicates=1))
RUN = 1.959964 * RATIO_KNOWN


def only(rows: Table, **keys: str) -> Effect:
    return the_one(effects_of(rows).generated, **keys)


def test_one_cell_keeps_its_exact_memory_ratio_its_own_time_interval_and_its_throughput() -> None:
    """GCN at 500 nodes, 2,000 edges: layers 64 + 500,000 + 200,000, none 64 + 750,000 + 240,000 bytes."""
    effect = only(ONE_A_LEVEL, convolution="GCN", policy="layers", level="4")
    ratio = effect.activation_ratio
    assert ratio.estimate == pytest.approx(700_064 / 990_064)
    assert ratio.low == ratio.high == ratio.estimate
    low, high = (math.log(end / effect.time_ratio.estimate) for end in (effect.time_ratio.low, effect.time_ratio.high))
    assert low == pytest.approx(-math.hypot(math.log(0.98), RUN), rel=1e-4)
    assert high == pytest.approx(math.hypot(math.log(1.02), RUN), rel=1e-4)
    assert effect.throughput_ratio.estimate == pytest.approx(1 / effect.time_ratio.estimate)
    assert effect.throughput_ratio.high == pytest.approx(1 / effect.time_ratio.low)
    (row,) = [r for r in ONE_A_LEVEL if (r["cell"], r["policy"]) == ("sbm-n500-d4-r0-GCN", "layers")]
    for name in ("nodes_per_second", "edges_per_second"):
        rate = getattr(effect, name)
        assert rate.estimate == pytest.approx(row[name])
        assert rate.low < rate.estimate < rate.high


def test_several_cells_give_the_geometric_mean_inside_its_interval() -> None:
    rows, place = table(0), ("GATv2", "layers", 32.0, 2000)
    effect = only(rows, convolution="GATv2", policy="layers", level="32")
    names = ("convolution", "policy", "requested_average_degree", "num_nodes")
    ratios = [float(row["time_ratio"] or 0) for row in rows if tuple(row[name] for name in names) == place]
    assert effect.cells == len(ratios) == 2
    assert effect.average_degree == 32.0
    assert effect.time_ratio.estimate == pytest.approx(math.prod(ratios) ** (1 / 2))
    assert effect.time_ratio.low < min(ratios) < max(ratios) < effect.time_ratio.high


def test_levels_run_from_sparse_to_dense_and_the_largest_size_is_the_headline() -> None:
    result = effects_of(table(0))
    order = dict.fromkeys((effect.convolution, effect.policy) for effect in result.generated)
    assert list(order) == [(name, policy) for name in ("GATv2", "GCN", "SAGE") for policy in ("layers", "edge_blocks")]
    assert [effect.level for effect in result.generated[:6]] == ["4", "8", "16", "32", "64", "128"]
    chosen = [e for e in result.at_sizes if (e.convolution, e.policy, e.degree) == ("GATv2", "layers", 128.0)]
    assert [(effect.num_nodes, effect.headline) for effect in chosen] == [(500, False), (1000, False), (2000, True)]
    assert {effect.num_nodes for effect in result.generated} == {2000}
    assert all(e.density == pytest.approx(e.num_edges / e.num_nodes / (e.num_nodes - 1)) for e in chosen)


def left(rows: Table) -> set[tuple[str, str, str]]:
    return {(e.convolution, e.policy, e.level) for e in effects_of(rows).generated}


@pytest.mark.parametrize("outcome", ["", "out_of_memory", "timed_out", "failed", "refused"])
def test_what_did_not_complete_or_changed_the_computation_is_no_effect_and_neither_is_what_has_no_none(
    outcome: str,
) -> None:
    cell = "sbm-n500-d4-r0-GCN"
    spoilt = without(ONE_A_LEVEL, cell, "layers", outcome)
    if not outcome:
        spoilt = changed(ONE_A_LEVEL, cell, "layers", same_buffers=False)
    assert left(ONE_A_LEVEL) - left(spoilt) == {("GCN", "layers", "4")}
    if outcome:
        lost = left(ONE_A_LEVEL) - left(without(ONE_A_LEVEL, "sbm-n500-d128-r0-GATv2", "none", outcome))
        assert lost == {("GATv2", "layers", "128"), ("GATv2", "edge_blocks", "128")}


def test_real_graphs_are_levels_of_their_own_and_have_their_ids_where_they_share_a_label() -> None:
    rows = table(0, real_graphs())
    result = effects_of(rows)
    assert result.generated == []
    assert [effect.level for effect in result.real[:2]] == ["Cora", "amherst41"]
    same = effects_of([{**row, "graph_label": "same"} for row in rows])
    assert {effect.level for effect in same.real} == {graph.id for graph in real_graphs()}


def test_intervals_of_time_hold_the_truth_of_other_runs() -> None:
    """300 runs, each off by its own factor of the size that two runs differed by, of two draws of 2 % scatter."""
    generator = np.random.default_rng(1)
    held = 0
    graphs = generated_graphs(num_nodes=(1000,), degrees=(4.0, 32.0, 128.0), replicates=2)
    none, layers = LAWS["GCN", "none"][2].at(1000, 128_000), LAWS["GCN", "layers"][2].at(1000, 128_000)
    for _ in range(300):
        run = float(np.exp(RATIO_KNOWN * generator.standard_normal()))
        rows = table(generator, graphs, convolutions=("GCN",), policies=("none", "layers"))
        for row in rows:
            row |= {name: float(row[name] or 0) * (run if row["policy"] == "layers" else 1.0) for name in RATIOS}
        ratio = effects_of(rows).generated[-1].time_ratio
        held += ratio.low <= layers / none <= ratio.high
    assert held / 300 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 300)


def test_bytes_have_a_span_and_no_interval() -> None:
    rows = table(0, generated_graphs(num_nodes=(500,), degrees=(4.0,), replicates=2))
    for row in rows:
        if row["policy"] == "layers":
            row["activation_ratio"] = 0.5 if "r0" in str(row["graph"]) else 0.72
    ratio = only(rows, convolution="GCN", policy="layers").activation_ratio
    assert (ratio.low, ratio.estimate, ratio.high) == pytest.approx((0.5, 0.6, 0.72))


def test_cells_that_agree_by_chance_claim_no_certainty() -> None:
    """Two equal ratios, each known to 2 % only: the mean is known to 2 % / sqrt(2), and run to run no better."""
    rows = table(0, generated_graphs((500,), (4.0,), 2), noise=0.0)
    cells = [row for row in completed(rows) if (row.convolution, row.policy) == ("GCN", "layers")]
    value = noise(0.95, [], rows, "retaining").time_ratio(cells)
    assert math.log(value.high / value.estimate) == pytest.approx(
        math.hypot(math.log(1.02) / math.sqrt(2), RUN), rel=1e-4
    )


def test_ratios_follow_the_law_they_were_made_from() -> None:
    graphs = generated_graphs(num_nodes=(2000,), degrees=(64.0,), replicates=1)
    for effect in effects_of(table(0, graphs, noise=0.0)).generated:
        policy, none = LAWS[effect.convolution, effect.policy], LAWS[effect.convolution, "none"]
        expected = policy[2].at(2000, 128_000) / none[2].at(2000, 128_000)
        assert effect.time_ratio.estimate == pytest.approx(expected)


def test_throughput_is_count_over_time_and_the_longest_step_is_the_lowest() -> None:
    assert throughput(1000, Estimate(estimate=2.0, low=1.0, high=4.0)) == Estimate(estimate=500, low=250, high=1000)
    assert (per_second(1000, 2.0), per_second(1000, None)) == (500.0, None)


def test_the_tail_of_a_bootstrap_of_six_values_is_widened_as_students_t_is() -> None:
    """t of 5 degrees of freedom is 2.5706, times sqrt(6 / 5) is 2.8159, beyond which lie 0.243 % of a normal."""
    assert widened_tail(6, 0.95) == pytest.approx(0.00243, rel=0.005)
