"""Laws give back the bytes and seconds that a table was made from, and say where they cannot."""

from __future__ import annotations

import numpy as np
import pytest

from gnn_checkpointing.analysis.fitting import WEIGHTS, fitted, predicted
from gnn_checkpointing.analysis.regression import laws
from gnn_checkpointing.analysis.results import Law
from gnn_checkpointing.analysis.support import design
from gnn_checkpointing.analysis.table import completed, policy_order
from synthetic.changes import changed, without
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import LAWS, Table, table


def found(rows: Table) -> tuple[list[Law], list[str]]:
    return laws(completed(rows), 0.95)


def test_exact_bytes_give_back_their_law_without_an_interval() -> None:
    result, missing = found(table(np.random.default_rng(0)))
    assert missing == []
    assert len(result) == 3 * 3 * 3
    for law in result:
        if law.response == "step_time_seconds":
            continue
        truth = LAWS[law.convolution, law.policy][law.response == "saved_activation_bytes"]
        for value, expected in (
            (law.constant, truth.constant),
            (law.per_node, truth.per_node),
            (law.per_edge, truth.per_edge),
        ):
            assert value.estimate == pytest.approx(expected, rel=1e-6)
            assert value.high - value.low <= 1e-6 * (1 + expected)
        assert (law.weights, law.r_squared, law.breusch_pagan_p, law.reset_p) == ("equal", 1.0, None, None)
        assert 1 < law.condition_number < 20
        assert law.worst_relative_residual < 1e-9
        assert law.held_out is not None
        assert law.held_out.worst_relative_error < 1e-9
        assert law.held_out.inside_interval == 1.0


def test_no_bytes_per_edge_are_exactly_none() -> None:
    (law,) = [
        law
        for law in found(table(np.random.default_rng(0)))[0]
        if (law.convolution, law.policy, law.response) == ("GATv2", "edge_blocks", "activation_bytes")
    ]
    assert (law.per_edge.low, law.per_edge.estimate, law.per_edge.high) == (0.0, 0.0, 0.0)


def test_noisy_times_are_weighted_and_recover_their_law() -> None:
    """2 % noise on 36 cells: the slope's standard error is about 0.6 %, and 5 of them are 3 %."""
    for law in found(table(np.random.default_rng(0)))[0]:
        if law.response == "step_time_seconds":
            truth = LAWS[law.convolution, law.policy][2]
            assert law.per_edge.estimate == pytest.approx(truth.per_edge, rel=0.04)
            assert law.per_node.estimate == pytest.approx(truth.per_node, rel=0.2)
            assert (law.weights, law.covariance, law.cells) == ("relative", "HC3", 36)
            assert 0.99 < law.r_squared < 1
            assert law.breusch_pagan_p is not None
            assert 0 <= law.breusch_pagan_p <= 1
            assert law.held_out is not None
            assert (law.held_out.level, law.held_out.cells) == (128.0, 6)
            assert law.held_out.worst_relative_error < 0.1


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """300 tables: 95 % shows between 91 % and 99 % with probability 0.999 for each coefficient and the prediction."""
    generator = np.random.default_rng(2)
    graphs = generated_graphs()
    columns = np.array([[1.0, graph.num_nodes, graph.num_edges] for graph in graphs])
    densest = np.array([graph.requested == 128.0 for graph in graphs])
    truth = np.array([1e-3, 2e-6, 1e-7])
    covered, predictions = np.zeros(3), 0.0
    for _ in range(300):
        seconds = columns @ truth * np.exp(0.02 * generator.standard_normal(len(graphs)))
        fit = fitted(columns, seconds, "relative", 0.95)
        covered += [value.low <= true <= value.high for value, true in zip(fit.coefficients, truth, strict=True)]
        fit = fitted(columns[~densest], seconds[~densest], "relative", 0.95)
        _, lows, highs = predicted(fit, columns[densest], 0.95)
        predictions += float(((lows <= seconds[densest]) & (seconds[densest] <= highs)).mean())
    assert np.all((covered / 300 >= 0.91) & (covered / 300 <= 0.99)), covered / 300
    assert 0.92 <= predictions / 300 <= 0.98


def test_as_many_new_rows_as_coefficients_are_predicted() -> None:
    """statsmodels 0.15.0 refuses weights for exactly three rows of three columns."""
    cells = completed(table(np.random.default_rng(0), convolutions=("GCN",), policies=("none",)))
    fit = fitted(design(cells), np.array([row.step_time_seconds for row in cells]), "relative", 0.95)
    values, lows, highs = predicted(fit, design(cells[:3]), 0.95)
    assert np.all((lows < values) & (values < highs))


def test_a_held_out_level_that_breaks_the_law_shows_a_large_error() -> None:
    rows = table(np.random.default_rng(0), convolutions=("GCN",))
    for row in [row for row in rows if row["requested_average_degree"] == 128.0]:
        rows = changed(
            rows, str(row["cell"]), str(row["policy"]), activation_bytes=3 * int(row["activation_bytes"] or 0)
        )
    for law in found(rows)[0]:
        if law.response == "activation_bytes":
            assert law.held_out is not None
            assert law.held_out.median_relative_error == pytest.approx(2 / 3)
            assert law.held_out.inside_interval == 0.0


def test_a_missing_square_shows_in_reset_and_a_complete_law_shows_none() -> None:
    """1e-12 s per squared edge is 2 % of the step at 25,000 edges and most of it at 256,000."""
    rows = table(np.random.default_rng(0), convolutions=("GCN",))
    bent = [
        {**row, "step_time_seconds": float(str(row["step_time_seconds"])) + 1e-12 * int(str(row["num_edges"])) ** 2}
        for row in rows
    ]
    p_values = [[law.reset_p for law in found(each)[0] if law.response == "step_time_seconds"] for each in (rows, bent)]
    assert all(value is not None and value > 0.001 for value in p_values[0])
    assert all(value is not None and value < 1e-6 for value in p_values[1])


def test_residuals_are_listed_with_their_order_in_time() -> None:
    law = found(table(np.random.default_rng(0)))[0][2]
    assert law.response == "step_time_seconds"
    residual = law.residuals[0]
    assert residual.relative == pytest.approx((residual.observed - residual.fitted) / residual.observed)
    assert len({residual.started for residual in law.residuals}) == law.cells == len(law.residuals)


def test_out_of_memory_costs_a_law_its_cell_alone() -> None:
    rows = without(table(np.random.default_rng(0)), "sbm-n2000-d128-r0-GATv2", "none", "out_of_memory")
    cells = {(law.convolution, law.policy): law.cells for law in found(rows)[0]}
    assert cells["GATv2", "none"] == 35
    assert cells["GATv2", "layers"] == cells["GCN", "none"] == 36


def test_a_changed_computation_has_no_part_in_the_law() -> None:
    rows = changed(table(np.random.default_rng(0)), "sbm-n500-d4-r0-GCN", "layers", same_gradients=False)
    assert {law.cells for law in found(rows)[0] if (law.convolution, law.policy) == ("GCN", "layers")} == {35}


def test_real_graphs_alone_give_no_law_and_a_sentence() -> None:
    result, missing = found(table(np.random.default_rng(0), real_graphs()))
    assert result == []
    assert missing == ["No law is fitted: no comparable cell of a generated graph was measured."]


@pytest.mark.parametrize(
    ("grid", "reason"),
    [
        (
            {"num_nodes": (500, 1000), "degrees": (4.0,)},
            "only 4 comparable cells of generated graphs, and a law wants 6",
        ),
        ({"degrees": (4.0, 8.0)}, "only 2 levels of average degree, and a law wants 3"),
        ({"num_nodes": (500,)}, "all graphs have 500 nodes, so bytes per node cannot be told from the constant"),
    ],
)
def test_too_little_to_fit_is_a_sentence(grid: dict[str, tuple[float, ...]], reason: str) -> None:
    rows = table(np.random.default_rng(0), generated_graphs(**grid), convolutions=("GCN",))  # type: ignore[arg-type]
    result, missing = found(rows)
    assert result == []
    assert missing == [
        f"GCN, {policy}: no law is fitted: {reason}."
        for policy in sorted(("none", "layers", "edge_blocks"), key=policy_order)
    ]


def test_a_coefficient_that_rests_on_one_cell_has_no_law() -> None:
    """Five graphs of 500 nodes and one of 1,000: the nodes' coefficient goes through that one exactly."""
    graphs = generated_graphs((500,), (4.0, 8.0, 16.0, 32.0, 64.0), 1) + generated_graphs((1000,), (4.0,), 1)
    result, missing = found(table(np.random.default_rng(0), graphs, convolutions=("GCN",), policies=("none",)))
    assert result == []
    assert missing == ["GCN, none: no law is fitted: one cell alone decides a coefficient, which leaves no interval."]


def test_three_levels_carry_a_law_but_no_held_out_level() -> None:
    rows = table(np.random.default_rng(0), generated_graphs(degrees=(4.0, 8.0, 16.0)), convolutions=("GCN",))
    result, missing = found(rows)
    assert len(result) == 9
    assert all(law.held_out is None for law in result)
    assert missing[0] == (
        "GCN, none: the densest level is not held out: without it, only 2 levels of average degree, and a law wants 3."
    )


def test_nothing_saved_has_no_relative_error_and_no_law() -> None:
    rows = [{**row, "saved_activation_bytes": 0} for row in table(np.random.default_rng(0), convolutions=("GCN",))]
    result, missing = found(rows)
    assert {law.response for law in result} == {"activation_bytes", "step_time_seconds"}
    assert missing[0] == (
        "GCN, none: no law of saved_activation_bytes is fitted: a cell's value is 0, which has no relative error."
    )


def test_a_response_that_never_varies_is_explained_whole() -> None:
    rows = [{**row, "activation_bytes": 4096} for row in table(np.random.default_rng(0), convolutions=("GCN",))]
    law = found(rows)[0][0]
    assert (law.r_squared, law.per_edge.estimate, law.per_node.estimate) == (1.0, 0.0, 0.0)
    assert law.constant.estimate == pytest.approx(4096)


def test_every_response_has_its_weights() -> None:
    assert set(WEIGHTS) == {"activation_bytes", "saved_activation_bytes", "step_time_seconds"}


def test_nodes_and_edges_that_grow_in_step_have_no_law() -> None:
    """Edges are 4,000 + 8 x nodes in all three sizes, though the average degrees differ."""
    graphs = [
        graph
        for nodes, degree in ((500, 16.0), (1000, 12.0), (2000, 10.0))
        for graph in generated_graphs((nodes,), (degree,), 2)
    ]
    _, missing = found(table(np.random.default_rng(0), graphs, convolutions=("GCN",), policies=("none",)))
    assert missing == [
        "GCN, none: no law is fitted: nodes and edges grow in step, so their shares cannot be told apart."
    ]


def test_graphs_with_different_features_share_no_law() -> None:
    rows = table(np.random.default_rng(0), convolutions=("GCN",), policies=("none",))
    _, missing = found([{**row, "num_features": 64 if row["replicate"] else 32} for row in rows])
    assert missing == [
        "GCN, none: no law is fitted: the graphs differ in their number of input features, which the law does not know."
    ]
