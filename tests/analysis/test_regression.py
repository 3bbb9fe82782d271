"""Laws and slopes give back the bytes and seconds that a table was made from, and say where they cannot."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student

from gnn_checkpointing.analysis.fitting import design, fitted, predicted
from gnn_checkpointing.analysis.regression import interactions, laws
from gnn_checkpointing.analysis.results import Interaction, Law
from gnn_checkpointing.analysis.table import completed
from synthetic.changes import changed, without
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import LAWS, Table, table

BYTES, TIME = "activation_bytes", "step_time_seconds"
COLUMNS = np.array([[1.0, graph.num_nodes, graph.num_edges] for graph in generated_graphs()])
FEW = np.array(
    [[1.0, graph.num_nodes, graph.num_edges] for graph in generated_graphs((500, 1000), (4.0, 8.0, 16.0), 1)]
)
NONE, LAYERS = np.array([1e-3, 2e-6, 1e-7]), np.array([1.5e-3, 3e-6, 1.5e-7])


def made(graphs: Any = None, *policies: str, convolution: str = "GCN", seed: int = 0, noise: float = 0.02) -> Table:
    chosen = policies or ("none", "layers", "edge_blocks")
    return table(seed, graphs, convolutions=(convolution,), policies=chosen, noise=noise)


def found(rows: Table) -> tuple[list[Law], list[str]]:
    return laws(completed(rows), 0.95)


def interacted(rows: Table) -> tuple[list[Interaction], list[str]]:
    return interactions(completed(rows), 0.95)


@pytest.fixture(scope="module")
def whole() -> list[Law]:
    result, missing = found(table(0))
    assert (len(result), missing) == (3 * 3 * 3, [])
    return result


def test_the_interval_is_hc3_with_students_t() -> None:
    """(X'X)^-1 X' diag(e^2 / (1 - h)^2) X (X'X)^-1, 6 rows less 3 columns leave 3 degrees of freedom."""
    response = FEW @ NONE + 1e-4 * np.array([1.0, -2.0, 0.5, 1.5, -1.0, 2.0])
    scaled = FEW / FEW.max(axis=0)
    inverse = np.linalg.inv(scaled.T @ scaled)
    hat = scaled @ inverse @ scaled.T
    weights = ((response - hat @ response) / (1 - np.diag(hat))) ** 2
    errors = np.sqrt(np.diag(inverse @ (scaled.T * weights) @ scaled @ inverse)) / FEW.max(axis=0)
    for value, error in zip(fitted(FEW, response, "equal", 0.9).coefficients, errors, strict=True):
        assert value.high - value.estimate == pytest.approx(student.ppf(0.95, 3) * error)
        assert value.estimate - value.low == pytest.approx(student.ppf(0.95, 3) * error)


def test_relative_weights_are_those_of_the_fit_not_of_what_happened_to_be_observed() -> None:
    """10 % noise: weights 1 / observed^2 alone would lower every fit by 2 x 0.1^2 = 2 %, and 200 tables show 0.2 %."""
    generator, columns = np.random.default_rng(4), np.repeat(FEW, 6, axis=0)
    expected = columns @ NONE
    shares = []
    for _ in range(200):
        observed = expected * (1 + 0.1 * generator.standard_normal(len(columns)))
        shares.append((fitted(columns, observed, "relative", 0.95).fitted / expected).mean())
    assert np.mean(shares) == pytest.approx(1.0, abs=0.008)


def test_coefficients_are_in_base_units_whatever_the_scale() -> None:
    """1 GiB a constant, 1 KiB a node, nothing an edge: the edges' coefficient is 0, not 1e-10."""
    fit = fitted(FEW, FEW @ np.array([2.0**30, 1024.0, 0.0]), "equal", 0.95)
    constant, per_node, per_edge = fit.coefficients
    assert fit.exact
    assert (constant.estimate, per_node.estimate) == (pytest.approx(2.0**30), pytest.approx(1024.0))
    assert (per_edge.low, per_edge.estimate, per_edge.high) == (0.0, 0.0, 0.0)


def test_exact_bytes_give_back_their_law_without_an_interval(whole: list[Law]) -> None:
    for law in (law for law in whole if law.response != TIME):
        truth = LAWS[law.convolution, law.policy][law.response == "saved_activation_bytes"]
        for name in ("constant", "per_node", "per_edge"):
            value, expected = getattr(law, name), getattr(truth, name)
            assert value.estimate == pytest.approx(expected, rel=1e-6)
            assert value.high - value.low <= 1e-6 * (1 + expected)
        assert (law.weights, law.r_squared, law.breusch_pagan_p, law.reset_p) == ("equal", 1.0, None, None)
        assert 1 < law.condition_number < 20
        assert max(law.worst_relative_residual, law.held_out.worst_relative_error) < 1e-9
        assert law.held_out.inside_interval == 1.0
        if (law.convolution, law.policy, law.response) == ("GATv2", "edge_blocks", BYTES):
            assert (law.per_edge.low, law.per_edge.estimate, law.per_edge.high) == (0.0, 0.0, 0.0)


def test_noisy_times_are_weighted_and_recover_their_law(whole: list[Law]) -> None:
    """2 % noise on 36 cells: the slope's standard error is about 0.6 %, and 5 of them are 3 %."""
    for law in (law for law in whole if law.response == TIME):
        truth = LAWS[law.convolution, law.policy][2]
        assert law.per_edge.estimate == pytest.approx(truth.per_edge, rel=0.04)
        assert law.per_node.estimate == pytest.approx(truth.per_node, rel=0.2)
        assert (law.weights, law.covariance, law.cells) == ("relative", "HC3", 36)
        assert 0.99 < law.r_squared < 1
        assert 0 <= law.breusch_pagan_p <= 1
        assert (law.held_out.level, law.held_out.cells) == (128.0, 6)
        assert law.held_out.worst_relative_error < 0.1
        residual = law.residuals[0]
        assert residual.relative == pytest.approx((residual.observed - residual.fitted) / residual.observed)
        assert len({residual.started for residual in law.residuals}) == law.cells == len(law.residuals)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """300 tables: 95 % shows between 91 % and 99 % with probability 0.999 for each coefficient and the prediction."""
    generator = np.random.default_rng(2)
    densest = np.array([graph.requested == 128.0 for graph in generated_graphs()])
    covered, predictions = np.zeros(3), 0.0
    for _ in range(300):
        seconds = COLUMNS @ NONE * np.exp(0.02 * generator.standard_normal(len(COLUMNS)))
        fit = fitted(COLUMNS, seconds, "relative", 0.95)
        covered += [value.low <= true <= value.high for value, true in zip(fit.coefficients, NONE, strict=True)]
        fit = fitted(COLUMNS[~densest], seconds[~densest], "relative", 0.95)
        _, lows, highs = predicted(fit, COLUMNS[densest], 0.95)
        predictions += float(((lows <= seconds[densest]) & (seconds[densest] <= highs)).mean())
    assert np.all((covered / 300 >= 0.91) & (covered / 300 <= 0.99)), covered / 300
    assert 0.92 <= predictions / 300 <= 0.98


def test_as_many_new_rows_as_coefficients_are_predicted() -> None:
    """statsmodels 0.15.0 refuses weights for exactly three rows of three columns."""
    cells = completed(made(None, "none"))
    fit = fitted(design(cells), np.array([row.step_time_seconds for row in cells]), "relative", 0.95)
    values, lows, highs = predicted(fit, design(cells[:3]), 0.95)
    assert np.all((lows < values) & (values < highs))


def test_a_held_out_level_that_breaks_the_law_shows_a_large_error() -> None:
    rows = [
        {**row, BYTES: (3 if row["requested_average_degree"] == 128.0 else 1) * int(row[BYTES] or 0)} for row in made()
    ]
    for law in (law for law in found(rows)[0] if law.response == BYTES):
        assert law.held_out.median_relative_error == pytest.approx(2 / 3)
        assert law.held_out.inside_interval == 0.0


def test_a_missing_square_shows_in_reset_and_a_complete_law_shows_none() -> None:
    """1e-12 s per squared edge is 2 % of the step at 25,000 edges and most of it at 256,000."""
    rows = made()
    bent = [{**row, TIME: float(row[TIME] or 0) + 1e-12 * int(row["num_edges"] or 0) ** 2} for row in rows]
    straight, curved = ([law.reset_p for law in found(each)[0] if law.response == TIME] for each in (rows, bent))
    assert min(straight) > 0.001
    assert max(curved) < 1e-6


def test_what_did_not_complete_or_changed_the_computation_costs_a_law_its_cell_alone() -> None:
    rows = without(table(0), "sbm-n2000-d128-r0-GATv2", "none", "out_of_memory")
    rows = changed(rows, "sbm-n500-d4-r0-GCN", "layers", same_gradients=False)
    cells = {(law.convolution, law.policy): law.cells for law in found(rows)[0]}
    assert cells["GATv2", "none"] == cells["GCN", "layers"] == 35
    assert cells["GATv2", "layers"] == cells["GCN", "none"] == 36


def test_a_response_that_never_varies_is_explained_whole() -> None:
    law = found([{**row, BYTES: 4096} for row in made()])[0][0]
    assert (law.r_squared, law.per_edge.estimate, law.per_node.estimate) == (1.0, 0.0, 0.0)
    assert law.constant.estimate == pytest.approx(4096)


STEPS = [
    graph
    for nodes, degree in ((500, 16.0), (1000, 12.0), (2000, 10.0))
    for graph in generated_graphs((nodes,), (degree,), 2)
]
"""Edges are 4,000 + 8 x nodes in all three sizes, though the average degrees differ."""
ONE_LARGE = generated_graphs((500,), (4.0, 8.0, 16.0, 32.0, 64.0), 1) + generated_graphs((1000,), (4.0,), 1)
"""The nodes' coefficient goes through the one graph of 1,000 nodes exactly."""
OTHER_FEATURES = [{**row, "num_features": 64 if row["replicate"] else 32} for row in made(None, "none")]
FOUR = generated_graphs((500, 1000), (4.0,))
ONE_SIZE = "all graphs have 500 nodes, so bytes per node cannot be told from the constant"


@pytest.mark.parametrize(
    ("rows", "laws", "subject", "reason"),
    [
        (made(FOUR), 0, "", "only 4 comparable cells of generated graphs, and a law wants 6"),
        (made(generated_graphs(degrees=(4.0, 8.0))), 0, "", "only 2 levels of average degree, and a law wants 3"),
        (made(generated_graphs((500,))), 0, "", ONE_SIZE),
        (made(ONE_LARGE, "none"), 0, "", "one cell alone decides a coefficient, which leaves no interval"),
        (made(STEPS, "none"), 0, "", "nodes and edges grow in step, so their shares cannot be told apart"),
        (OTHER_FEATURES, 0, "", "the graphs differ in their number of input features, which the law does not know"),
        (
            made(generated_graphs(degrees=(4.0, 8.0, 16.0))),
            9,
            "the densest level is not held out",
            "without it, only 2 levels of average degree, and a law wants 3",
        ),
        (
            [{**row, "saved_activation_bytes": 0} for row in made()],
            6,
            "no law of saved_activation_bytes is fitted",
            "a cell's value is 0, which has no relative error",
        ),
    ],
)
def test_what_cannot_be_fitted_is_a_sentence(rows: Table, laws: int, subject: str, reason: str) -> None:
    result, missing = found(rows)
    assert (len(result), missing[0]) == (laws, f"GCN, none: {subject or 'no law is fitted'}: {reason}.")
    assert all(law.held_out is None for law in result) or laws != 9


def test_real_graphs_alone_have_no_law_and_no_interaction() -> None:
    assert found(made(real_graphs())) == (
        [],
        ["No law is fitted: no comparable cell of a generated graph was measured."],
    )
    assert interacted(made(real_graphs())) == ([], [])


def test_bytes_and_seconds_per_edge_differ_by_what_the_laws_say() -> None:
    """GATv2: none takes 2,000 bytes an edge, layers 500, edge_blocks 0."""
    result, missing = interacted(table(0))
    assert (len(result), missing) == (3 * 2 * 2, [])
    for one in result:
        in_time = one.response == TIME
        none, policy = (LAWS[one.convolution, name][2 * in_time].per_edge for name in ("none", one.policy))
        width = one.difference_per_edge.high - one.difference_per_edge.low
        if in_time:
            assert abs(one.difference_per_edge.estimate - (policy - none)) < width
            assert 0 < width < 0.3 * none
            assert 0 <= one.p_value < 1e-6
        else:
            assert one.none_per_edge.estimate == pytest.approx(none)
            assert one.difference_per_edge.estimate == pytest.approx(policy - none)
            assert one.slope_ratio == pytest.approx(policy / none)
            # Nothing was sampled: no interval, no p-value.
            assert (one.p_value, one.clusters, width) == (None, 36, 0)


def test_a_policy_that_is_none_in_disguise_has_no_interaction() -> None:
    rows = made(None, "none")
    memory, time = interacted(rows + [{**row, "policy": "layers"} for row in rows])[0]
    assert (memory.difference_per_edge.estimate, memory.slope_ratio, memory.p_value) == (0.0, 1.0, None)
    assert time.difference_per_edge.estimate == pytest.approx(0.0, abs=1e-15)


def test_the_interval_covers_a_true_difference_about_as_often_as_it_says() -> None:
    """200 tables, half of the noise shared by the policies of a cell: 95 % shows 90 to 99 % (0.999)."""
    generator = np.random.default_rng(3)
    joint = np.vstack([np.hstack([COLUMNS, 0 * COLUMNS]), np.hstack([COLUMNS, COLUMNS])])
    clusters = [graph.id for graph in generated_graphs()] * 2
    covered = 0
    for _ in range(200):
        shared, own, other = 0.02 * generator.standard_normal((3, len(COLUMNS)))
        seconds = np.concatenate([COLUMNS @ NONE * np.exp(shared + own), COLUMNS @ LAYERS * np.exp(shared + other)])
        difference = fitted(joint, seconds, "relative", 0.95, clusters).coefficients[5]
        covered += difference.low <= 5e-8 <= difference.high
    assert 0.90 <= covered / 200 <= 0.99


def test_only_cells_with_both_policies_count() -> None:
    rows = without(made(), "sbm-n500-d4-r0-GCN", "none", "timed_out")
    assert {one.clusters for one in interacted(rows)[0]} == {35}


def test_what_has_no_interaction_says_why() -> None:
    rows = [row for row in made() if row["policy"] == "edge_blocks"]
    result, missing = interacted([{**row, "policy": "none"} for row in rows] + rows)
    assert [one.response for one in result] == [TIME]
    assert missing == [
        "GCN, edge_blocks: no interaction of activation_bytes is tested: none's own value does not grow with the "
        "edges, so there is nothing to compare."
    ]
    assert interacted(made(generated_graphs((500, 1000), (4.0,), 1), "none", "layers")) == (
        [],
        ["GCN, layers: no interaction is tested: only 2 comparable cells of generated graphs, and a law wants 6."],
    )


def test_noise_that_both_policies_share_does_not_widen_their_difference() -> None:
    """A slow moment slows all policies of a cell alike; clusters by graph know it, independent rows would not."""
    rows = made(None, "none", "layers", noise=0.05)
    (_, apart) = interacted(rows)[0]
    none = {row["cell"]: float(row[TIME] or 0) for row in rows if row["policy"] == "none"}
    shared = [row if row["policy"] == "none" else {**row, TIME: 1.1 * none[row["cell"]]} for row in rows]
    (_, together) = interacted(shared)[0]
    assert together.difference_per_edge.estimate == pytest.approx(0.1 * together.none_per_edge.estimate)
    widths = [one.difference_per_edge.high - one.difference_per_edge.low for one in (together, apart)]
    assert widths[0] < 0.2 * widths[1]
