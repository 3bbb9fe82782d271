"""The frontier's numbers are those of the known laws, and only the reference allocator decides anything."""

import pytest

from gnn_checkpointing.analysis.analyse import Findings
from gnn_checkpointing.analysis.results import Effect, Effects, Flatness
from gnn_checkpointing.refusal import Refusal
from synthetic.changes import changed, without
from synthetic.findings import analysed
from synthetic.frontier import FRONTIER_SHARES, frontier_table
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.results import the_one
from synthetic.rows import table
from synthetic.tables import effects_of

CELL = "sbm-n2000-d{}-r0-GATv2-gather_scatter-retaining"
DENSE = CELL.format(128)
ROWS = frontier_table(noise=0.0)


@pytest.fixture(scope="module")
def whole() -> Findings:
    return analysed(ROWS)


@pytest.fixture(scope="module")
def found(whole: Findings) -> Effects:
    return whole.effects


def point(found: Effects, policy: str, level: str, convolution: str = "GATv2") -> Effect:
    return the_one(found.points, convolution=convolution, policy=policy, level=level, allocator="retaining")


def flat(found: Effects, policy: str, convolution: str = "GATv2") -> Flatness:
    return the_one(found.flatness, convolution=convolution, policy=policy)


def test_a_point_holds_what_its_cell_measured(found: Effects) -> None:
    """GATv2, layers, degree 128: 5,000 + 0.6 x 14,000 x 2,000 + 0.25 x 7,500 x 256,000 bytes.

    In these tables forward and loss take two fifths of every step.
    """
    layers = point(found, "layers", "128")
    assert layers.activation_bytes == 5_000 + 16_800_000 + 480_000_000
    assert layers.saved_activation_bytes + layers.transient_bytes == layers.activation_bytes
    assert layers.activation_ratio.estimate == pytest.approx(496_805_000 / 1_948_005_000)
    assert layers.time_ratio.estimate == pytest.approx(1.42 * 128**-0.02)
    assert point(found, "edge_blocks", "128").policy_resident_bytes == 12 * 256_000
    assert point(found, "none", "128").forward_share == pytest.approx(0.4)
    assert found.num_nodes == 2000
    assert {p.policy for p in found.points if p.convolution == "GATv2"} == set(FRONTIER_SHARES) - {"offloaded"}


def test_a_level_that_was_not_timed_has_bytes_and_no_time(found: Effects) -> None:
    densest = point(found, "edge_blocks", "512")
    assert densest.activation_ratio is not None
    assert (densest.time_ratio, densest.step_time_seconds, densest.page_faults) == (None, None, None)
    assert point(found, "none", "512").forward_share is None
    assert not [effect for effect in found.allocators if effect.level == "512"]
    layers = {e.level: e for e in found.generated if (e.convolution, e.policy) == ("GATv2", "layers")}
    assert layers["512"].time_ratio is None
    assert layers["512"].activation_ratio.estimate == pytest.approx(0.25, abs=0.01)
    assert layers["128"].time_ratio is not None


def test_two_aggregations_are_two_series_each_against_its_own_none(found: Effects) -> None:
    """The sparse product's none keeps 9,000 bytes a node and 50 an edge, not 500."""
    assert {p.convolution for p in found.points} == {"GCN", "GCN (spmm)", "GATv2"}
    assert point(found, "none", "128", "GCN (spmm)").activation_bytes == 5_000 + 18_000_000 + 12_800_000
    ratio = point(found, "layers", "128", "GCN (spmm)").activation_ratio
    assert ratio.estimate == pytest.approx((5_000 + 10_800_000 + 3_200_000) / 30_805_000)


def test_the_best_number_of_segments_has_the_smallest_peak_and_of_equals_the_least_time() -> None:
    two = next(row for row in ROWS if (row["cell"], row["policy"]) == (DENSE, "segments(2)"))
    same = {name: two[name] for name in ("activation_bytes", "activation_ratio")}
    for each, policy in ((ROWS, "segments(3)"), (changed(ROWS, DENSE, "segments(3)", **same), "segments(2)")):
        best = next(one for one in effects_of(each).best_segments if (one.convolution, one.level) == ("GATv2", "128"))
        assert (best.policy, best.tried) == (policy, ["segments(2)", "segments(3)"])


def test_where_a_policy_pays_is_listed_level_by_level() -> None:
    """`layers` is made to save 1 % exactly at degree 8, and to take as long as none within its interval at 32."""
    rows = changed(ROWS, CELL.format(8), "layers", activation_ratio=0.99)
    rows = changed(rows, CELL.format(32), "layers", time_ratio=1.0, time_ratio_low=0.99, time_ratio_high=1.01)
    payoffs = {(payoff.convolution, payoff.policy): payoff for payoff in effects_of(rows).payoffs}
    layers = payoffs["GATv2", "layers"]
    assert layers.levels == ["4", "8", "32", "128", "512"]
    assert layers.saves_at == ["4", "32", "128", "512"]
    assert layers.timed_levels == ["4", "8", "32", "128"]
    assert (layers.slower_at, layers.faster_at) == (["4", "8", "128"], [])
    assert payoffs["GATv2", "fused_edge_blocks"].faster_at == ["4", "8", "32", "128"]
    assert ("GATv2", "none") not in payoffs


def test_the_pareto_set_holds_what_nothing_beats_in_both(found: Effects) -> None:
    """Fused edge blocks are the smallest and the fastest but for nested blocks, smaller, and no other model counts."""
    sets = {(one.convolution, one.level): one.policies for one in found.pareto}
    assert sets["GATv2", "128"] == ["fused_edge_blocks"]
    assert sets["GCN", "128"] == ["compiled_edge_blocks", "layers+edge_blocks", "memory_budget(0.5)"]
    assert not any("reversible" in policies for policies in sets.values())


def test_flatness_is_the_slope_against_nones_at_one_number_of_nodes_and_the_levels_of_both(found: Effects) -> None:
    """edge_blocks keeps 0.002 of none's 7,500 bytes per edge; at degree 512, 5,000 + 19.6 M + 15 x 1,024,000 in all."""
    blocks = flat(found, "edge_blocks")
    assert blocks.bytes_per_edge == pytest.approx(15)
    assert blocks.slope_ratio == pytest.approx(0.002)
    assert (blocks.densest, blocks.sparse) == ("512", "8")
    assert blocks.peak_ratio == pytest.approx((19_605_000 + 15_360_000) / (19_605_000 + 240_000))
    assert flat(found, "none").slope_ratio == pytest.approx(1)
    without_densest = effects_of(without(ROWS, CELL.format(512), "none", "out_of_memory"))
    assert flat(without_densest, "edge_blocks").levels == ["4", "8", "32", "128"]
    lost = point(without_densest, "edge_blocks", "512")
    assert lost.activation_ratio is None and lost.activation_bytes > 0


def test_a_ratio_under_another_allocator_is_split_into_its_factors(found: Effects) -> None:
    """GATv2 at degree 128: none takes 0.516 s, and 4 s a GiB of 1,948,005,000 bytes more under `default`."""
    effect = the_one(found.allocators, convolution="GATv2", policy="edge_blocks", level="128")
    assert (effect.reference, effect.allocator) == ("retaining", "default")
    assert effect.on_none == pytest.approx(1 + 4 * 1_948_005_000 / 2**30 / 0.516)
    assert effect.checkpointing.estimate > 1 > effect.observed.estimate
    assert effect.observed.estimate == pytest.approx(effect.checkpointing.estimate * effect.on_policy / effect.on_none)
    assert effect.page_faults == 23_445_000 // 4096
    assert (effect.reference_page_faults, effect.reference_system_share) == (0.0, 0.0)
    assert effect.system_share == pytest.approx(1 - 1 / effect.on_policy)


def test_nothing_but_the_comparison_of_allocators_comes_from_another_allocator(whole: Findings) -> None:
    """A table without the rows of `default` gives the same effects, laws, sets and tables to the last digit."""
    alone = analysed([row for row in ROWS if row["allocator"] == "retaining"])
    for name in ("generated", "best_segments", "payoffs", "pareto", "flatness"):
        assert getattr(whole.effects, name) == getattr(alone.effects, name), name
    assert whole.regressions == alone.regressions
    assert whole.effects.allocators and not alone.effects.allocators
    assert whole.quality.median_half_width == alone.quality.median_half_width
    assert [p for p in whole.effects.points if p.allocator == "retaining"] == alone.effects.points
    with pytest.raises(Refusal, match="no row under allocator retaining, the study's reference \\(found: default\\)"):
        analysed([row for row in ROWS if row["allocator"] == "default"])


def test_another_model_is_on_the_frontier_alone_and_a_changed_computation_nowhere(whole: Findings) -> None:
    found = whole.effects
    assert all(p.other_model == (p.policy == "reversible") for p in found.points)
    assert point(found, "reversible", "128").activation_ratio is not None
    assert "reversible" not in {effect.policy for effect in found.generated}
    assert (whole.quality.not_the_same, whole.quality.other_models) == ([], ["reversible"])
    spoilt = effects_of(changed(ROWS, DENSE, "layers", same_gradients=False))
    assert {p.policy for p in found.points} == {p.policy for p in spoilt.points}
    with pytest.raises(ValueError, match="not enough values"):
        point(spoilt, "layers", "128")


def test_laws_of_bytes_know_the_untimed_level_and_laws_of_time_do_not() -> None:
    small = {"convolutions": ("GCN",), "aggregations": ("gather_scatter",), "allocators": ("retaining",)}
    small |= {"policies": ("none", "layers"), "degrees": (4, 8, 32, 64), "untimed": 64}
    rows = [row for nodes in (500, 1000) for row in frontier_table(**small, num_nodes=nodes)]
    found = analysed(rows).regressions
    cells = {(law.policy, law.response): law.cells for law in found.laws}
    clusters = {(one.policy, one.response): one.clusters for one in found.interactions}
    for counts in (cells, clusters):
        assert (counts["layers", "activation_bytes"], counts["layers", "step_time_seconds"]) == (8, 6)


@pytest.mark.parametrize(
    ("graphs", "num_nodes"),
    [
        (real_graphs(), None),
        (generated_graphs((500,), (4.0,), 1), 500),
        (generated_graphs(replicates=1) + generated_graphs((4000,), (4.0,), 1), 2000),
    ],
    ids=["real only", "one level", "a larger graph of one level"],
)
def test_the_frontier_is_of_the_most_graded_graphs(graphs: list, num_nodes: int | None) -> None:
    found = effects_of(table(0, graphs))
    assert found.num_nodes == num_nodes
    assert bool(found.points) == (num_nodes is not None)
