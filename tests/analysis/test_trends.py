"""Along density: bands hold at all levels together; break-evens and exponents are those that tables were made of."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from gnn_checkpointing.analysis.effects import effects
from gnn_checkpointing.analysis.estimates import RATIO_KNOWN
from gnn_checkpointing.analysis.results import Band, Quantity, Trends
from gnn_checkpointing.analysis.table import Row, completed, under
from gnn_checkpointing.analysis.trends import METHODS, break_even, throughput_laws, trends
from planning.published import measured
from synthetic.changes import TIMES, changed
from synthetic.graphs import DEGREES, generated_graphs, real_graphs
from synthetic.results import made, the_one
from synthetic.rows import LAWS, Table, table

Ends = tuple[float, float, float]
ONE_A_LEVEL = generated_graphs(num_nodes=(500,), degrees=(4.0, 128.0), replicates=1)
SIX_A_LEVEL = generated_graphs(num_nodes=(1000,), replicates=6)


def found(rows: Table) -> Trends:
    cells = completed(rows)
    return trends(cells, *effects(cells, "retaining", 0.95))


def only(result: Trends, convolution: str, policy: str, quantity: Quantity) -> Band:
    return the_one(result.bands, convolution=convolution, policy=policy, quantity=quantity)


def band_of(degrees: Sequence[float], ratios: Sequence[Ends], quantity: Quantity = "time_ratio") -> Band:
    """A band of these (low, estimate, high)."""
    points = [
        {"degree": degree, "average_degree": degree, "ratio": {"estimate": middle, "low": low, "high": high}}
        for degree, (low, middle, high) in zip(degrees, ratios, strict=True)
    ]
    return made(Band, convolution="GCN", quantity=quantity, points=[{"cells": 6, **point} for point in points])


def exactly(*ratios: float) -> list[Ends]:
    return [(ratio, ratio, ratio) for ratio in ratios]


def test_one_cell_a_level_has_exact_bytes_and_its_own_interval_of_time_widened_for_the_number_of_levels() -> None:
    """GCN at 500 nodes, 2,000 edges: layers 64 + 500,000 + 200,000, none 64 + 750,000 + 240,000 bytes.

    Two levels each miss in 1 - sqrt(0.95) = 2.53 %, so all reaches are 2.2365 / 1.9600 = 1.1411 times as far.
    """
    result = found(table(0, ONE_A_LEVEL))
    memory, time = (only(result, "GCN", "layers", quantity) for quantity in ("activation_ratio", "time_ratio"))
    assert memory.method == METHODS["activation_ratio"]
    assert memory.points[0].ratio.estimate == pytest.approx(700_064 / 990_064)
    assert all(point.ratio.low == point.ratio.estimate == point.ratio.high for point in memory.points)
    for point in time.points:
        reach = math.hypot(1.1411 * math.log(1.02), 2.2365 * RATIO_KNOWN)
        assert math.log(point.ratio.high / point.ratio.estimate) == pytest.approx(reach, rel=1e-3)


def test_no_band_is_narrower_than_the_level_alone() -> None:
    rows = completed(table(3))
    alone, noise = effects(rows, "retaining", 0.95)
    by_place = {(e.convolution, e.policy, e.level): e for e in alone.generated}
    wider = 0
    for one in trends(rows, alone, noise).bands:
        for point in one.points:
            effect = by_place[one.convolution, one.policy, point.level]
            ratio = effect.activation_ratio if one.quantity == "activation_ratio" else effect.time_ratio
            assert point.ratio.estimate == ratio.estimate
            assert point.ratio.low <= ratio.low * (1 + 1e-12)
            assert point.ratio.high >= ratio.high * (1 - 1e-12)
            wider += point.ratio.high > 1.0001 * ratio.high
    assert wider > 30


def test_bands_of_synthetic_tables_hold_the_known_ratios_of_other_runs_together() -> None:
    """200 tables of six graphs at six levels: a true coverage of 95 % shows 90.4 % or more with probability 0.998."""
    generator = np.random.default_rng(11)
    true = [
        LAWS["GCN", "layers"][2].at(1000, int(1000 * d)) / LAWS["GCN", "none"][2].at(1000, int(1000 * d))
        for d in DEGREES
    ]
    held = 0
    for _ in range(200):
        rows = table(generator, SIX_A_LEVEL, convolutions=("GCN",), policies=("none", "layers"), noise=0.05)
        shifts = {degree: float(np.exp(RATIO_KNOWN * generator.standard_normal())) for degree in DEGREES}
        for row in rows:
            shift = shifts[float(row["requested_average_degree"] or 0)] if row["policy"] == "layers" else 1.0
            row |= {name: float(row[name] or 0) * shift for name in ("time_ratio", "time_ratio_low", "time_ratio_high")}
        one = only(found(rows), "GCN", "layers", "time_ratio")
        held += all(p.ratio.low <= ratio <= p.ratio.high for p, ratio in zip(one.points, true, strict=True))
    assert held / 200 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 200)


R = math.sqrt(2)


@pytest.mark.parametrize(
    ("ratios", "course", "open", "certain", "where"),
    [
        # From a half to twice between degrees 4 and 16: on logarithms halfway, at 8. The upper end, sqrt(2) above,
        # passes a quarter of the way, the lower three quarters.
        ([(0.5 / R, 0.5, 0.5 * R), (2 / R, 2, 2 * R)], "rises", "", True, (4 * 4**0.25, 8, 4 * 4**0.75)),
        # log 1.5 / log(1.5 / 0.4) = 0.30676 and log 2.5 / log(2.5 / 0.6) = 0.64206 of the way.
        ([(1.5, 2, 2.5), (0.4, 0.5, 0.6)], "falls", "", True, (4 * 4**0.30676, 8, 4 * 4**0.64206)),
        ([(0.5, 0.9, 1.1), (1.5, 2.0, 2.5)], "rises", "sparse", False, None),
        ([(0.4, 0.5, 0.6), (0.9, 1.1, 1.3)], "rises", "dense", False, None),
        ([(0.5, 0.9, 1.1), (0.9, 1.1, 1.3)], "rises", "both", False, None),
        (exactly(0.5, 0.6, 0.7), "below", "", True, None),
        (exactly(1.2, 1.0, 1.3), "above", "", True, None),
        ([(0.8, 0.9, 1.1), *exactly(0.6, 0.7)], "below", "", False, None),
        ([(0.9, 1.1, 1.2), *exactly(1.2, 1.3)], "above", "", False, None),
        (exactly(0.9, 1.1, 0.9), "crosses", "", False, None),
    ],
)
def test_a_ratio_breaks_even_where_its_line_passes_one_and_an_end_beyond_the_levels_is_open(
    ratios: list[Ends], course: str, open: str, certain: bool, where: Ends | None
) -> None:
    one = break_even(band_of((4, 8, 16) if len(ratios) == 3 else (4, 16), ratios), 1.0)
    assert (one.course, one.open, one.certain) == (course, open, certain)
    degree = one.average_degree
    assert (degree is None) == (len(ratios) == 3)
    if degree is not None:
        assert (degree.low == 4, degree.high == 16) == (open in ("sparse", "both"), open in ("dense", "both"))
        assert degree.low < degree.estimate < degree.high
        assert where is None or (degree.low, degree.estimate, degree.high) == pytest.approx(where, rel=1e-4)


def test_a_known_power_of_the_degree_is_crossed_where_it_must_be() -> None:
    """0.99 (d / 40)^0.25 is a straight line on logarithms, so interpolation between 32 and 64 is exact: 40."""
    rows = table(0, convolutions=("GCN",), policies=("none", "layers"))
    bent = [
        {**row, "activation_ratio": 0.99 * (float(row["average_degree"] or 0) / 40) ** 0.25}
        if row["policy"] == "layers"
        else row
        for row in rows
    ]
    (memory, time) = found(bent).break_evens
    assert (memory.quantity, memory.threshold, memory.course) == ("activation_ratio", 0.99, "rises")
    degree = memory.average_degree
    assert (degree.low, degree.estimate, degree.high) == pytest.approx((40, 40, 40))
    assert (time.quantity, time.threshold, time.course) == ("time_ratio", 1.0, "above")


def test_levels_run_from_sparse_to_dense_and_untimed_or_changed_ones_have_no_band() -> None:
    rows = table(0, ONE_A_LEVEL, convolutions=("GCN",))
    spoilt = changed(rows, "sbm-n500-d4-r0-GCN", "layers", same_loss=False)
    for policy in ("none", "layers", "edge_blocks"):
        rows = changed(rows, "sbm-n500-d128-r0-GCN", policy, **dict.fromkeys(TIMES))
    result = found(rows)
    assert [b.policy for b in result.bands] == ["layers", "layers", "edge_blocks", "edge_blocks"]
    levels = [
        [p.level for p in only(each, "GCN", "layers", quantity).points]
        for each in (result, found(spoilt))
        for quantity in ("activation_ratio", "time_ratio")
    ]
    assert levels == [["4", "128"], ["4"], ["128"], ["128"]]


def test_without_generated_graphs_or_policies_there_is_nothing() -> None:
    assert found(table(0, real_graphs())).bands == []
    assert found(table(0, ONE_A_LEVEL, policies=("none",))).break_evens == []


def timed_rows(num_nodes: tuple[int, ...], degrees: Sequence[float] = DEGREES, **changes: float | None) -> list[Row]:
    """Rows of steps of 1e-6 N^0.9 (E / N)^0.5 seconds."""
    rows = table(0, generated_graphs(num_nodes=num_nodes, degrees=degrees), convolutions=["GCN"])
    for row in rows:
        nodes, edges = (float(row[name] or 0) for name in ("num_nodes", "num_edges"))
        row["step_time_seconds"] = 1e-6 * nodes**0.9 * (edges / nodes) ** 0.5
        row.update(changes)
    return under(completed(rows), "retaining")


@pytest.mark.parametrize(("response", "elasticity", "nodes"), [("nodes", -0.5, 0.1), ("edges", 0.5, 0.1)])
def test_exponents_are_found_on_both_scales(response: str, elasticity: float, nodes: float) -> None:
    found, missing = throughput_laws(timed_rows((500, 1000, 4000)), 0.95)
    assert not missing
    ours = {law.density: law for law in found if law.policy == "none" and law.response == f"{response}_per_second"}
    by_degree, by_density = ours["average_degree"], ours["density"]
    assert by_degree.elasticity.estimate == pytest.approx(elasticity, abs=1e-6)
    assert by_degree.nodes_elasticity.estimate == pytest.approx(nodes, abs=1e-6)
    # Of the same degree, twice the nodes are half as dense: the difference goes to the nodes.
    assert by_density.elasticity.estimate == pytest.approx(elasticity, abs=1e-6)
    assert by_density.nodes_elasticity.estimate == pytest.approx(nodes + elasticity, abs=1e-3)
    assert by_degree.elasticity.low <= by_degree.elasticity.estimate <= by_degree.elasticity.high


def test_one_size_leaves_density_alone_and_too_few_graphs_are_a_sentence() -> None:
    """Untimed cells leave nothing to say; repeats of a graph are one draw."""
    rows = timed_rows((1000,))
    found, _ = throughput_laws(rows, 0.95)
    assert found and all(law.nodes_elasticity is None for law in found)
    assert throughput_laws(timed_rows((1000,), step_time_seconds=None), 0.95) == ([], [])
    found, missing = throughput_laws([row for row in rows if row.average_degree < 9] * 3, 0.95)
    assert found == []
    assert missing[0].startswith("GCN, none: throughput is not regressed on density: 4 timed graphs at 2 levels")


def test_sparse_levels_are_told_apart() -> None:
    found, missing = throughput_laws(timed_rows((1000,), (1.0, 1.2, 1.4)), 0.95)
    assert found and not missing
    assert found[0].elasticity.estimate == pytest.approx(-0.5, abs=1e-6)


def test_real_graphs_are_regressed_where_no_graph_was_drawn() -> None:
    found, _ = throughput_laws(measured("real"), 0.95)
    assert {law.convolution for law in found} == {"GCN", "SAGE", "GATv2"}
    for law in found:
        if (law.response, law.density) == ("nodes_per_second", "average_degree"):
            assert -1.1 < law.elasticity.low < law.elasticity.high < 0  # denser graphs have fewer nodes a second
