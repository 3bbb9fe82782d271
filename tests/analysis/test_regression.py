"""Laws and slopes give back the bytes and seconds that a table was made from, and say where they cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gnn_checkpointing.analysis.fitting import fitted, predicted
from gnn_checkpointing.analysis.regression import laws
from gnn_checkpointing.analysis.results import Law
from gnn_checkpointing.analysis.support import design
from gnn_checkpointing.analysis.table import completed
from synthetic.changes import changed, without
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import LAWS, Table, table

BYTES, TIME = "activation_bytes", "step_time_seconds"
COLUMNS = np.array([[1.0, graph.num_nodes, graph.num_edges] for graph in generated_graphs()])


def made(graphs: Any = None, *policies: str, convolution: str = "GCN", seed: int = 0, noise: float = 0.02) -> Table:
    chosen = policies or ("none", "layers", "edge_blocks")
    return table(np.random.default_rng(seed), graphs, convolutions=(convolution,), policies=chosen, noise=noise)


def found(rows: Table) -> tuple[list[Law], list[str]]:
    return laws(completed(rows), 0.95)


@pytest.fixture(scope="module")
def whole() -> list[Law]:
    result, missing = found(table(np.random.default_rng(0)))
    assert (len(result), missing) == (3 * 3 * 3, [])
    return result


def test_exact_bytes_give_back_their_law_without_an_interval(whole: list[Law]) -> None:
    for law in (law for law in whole if law.response != TIME):
        truth = LAWS[law.convolution, law.policy][law.response == "saved_activation_bytes"]
        for name in ("constant", "per_node", "per_edge"):
            value, expected = getattr(law, name), getattr(truth, name)
            assert value.estimate == pytest.approx(expected, rel=1e-6)
            assert value.high - value.low <= 1e-6 * (1 + expected)
        assert (law.weights, law.r_squared, law.breusch_pagan_p, law.reset_p) == ("equal", 1.0, None, None)
        assert 1 < law.condition_number < 20
        assert law.worst_relative_residual < 1e-9
        assert law.held_out.worst_relative_error < 1e-9
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
    truth = np.array([1e-3, 2e-6, 1e-7])
    covered, predictions = np.zeros(3), 0.0
    for _ in range(300):
        seconds = COLUMNS @ truth * np.exp(0.02 * generator.standard_normal(len(COLUMNS)))
        fit = fitted(COLUMNS, seconds, "relative", 0.95)
        covered += [value.low <= true <= value.high for value, true in zip(fit.coefficients, truth, strict=True)]
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
    rows = without(table(np.random.default_rng(0)), "sbm-n2000-d128-r0-GATv2", "none", "out_of_memory")
    rows = changed(rows, "sbm-n500-d4-r0-GCN", "layers", same_gradients=False)
    cells = {(law.convolution, law.policy): law.cells for law in found(rows)[0]}
    assert cells["GATv2", "none"] == cells["GCN", "layers"] == 35
    assert cells["GATv2", "layers"] == cells["GCN", "none"] == 36


STEPS = [
    graph
    for nodes, degree in ((500, 16.0), (1000, 12.0), (2000, 10.0))
    for graph in generated_graphs((nodes,), (degree,), 2)
]
"""Edges are 4,000 + 8 x nodes in all three sizes, though the average degrees differ."""
ONE_LARGE = generated_graphs((500,), (4.0, 8.0, 16.0, 32.0, 64.0), 1) + generated_graphs((1000,), (4.0,), 1)
"""The nodes' coefficient goes through the one graph of 1,000 nodes exactly."""
OTHER_FEATURES = [{**row, "num_features": 64 if row["replicate"] else 32} for row in made(None, "none")]


@pytest.mark.parametrize(
    ("rows", "laws", "sentence"),
    [
        (made(real_graphs()), 0, "No law is fitted: no comparable cell of a generated graph was measured."),
        (
            made(generated_graphs((500, 1000), (4.0,))),
            0,
            "GCN, none: no law is fitted: only 4 comparable cells of generated graphs, and a law wants 6.",
        ),
        (
            made(generated_graphs(degrees=(4.0, 8.0))),
            0,
            "GCN, none: no law is fitted: only 2 levels of average degree, and a law wants 3.",
        ),
        (
            made(generated_graphs((500,))),
            0,
            "GCN, none: no law is fitted: all graphs have 500 nodes, so bytes per node cannot be told from the "
            "constant.",
        ),
        (
            made(ONE_LARGE, "none"),
            0,
            "GCN, none: no law is fitted: one cell alone decides a coefficient, which leaves no interval.",
        ),
        (
            made(STEPS, "none"),
            0,
            "GCN, none: no law is fitted: nodes and edges grow in step, so their shares cannot be told apart.",
        ),
        (
            OTHER_FEATURES,
            0,
            "GCN, none: no law is fitted: the graphs differ in their number of input features, which the law does not "
            "know.",
        ),
        (
            made(generated_graphs(degrees=(4.0, 8.0, 16.0))),
            9,
            "GCN, none: the densest level is not held out: without it, only 2 levels of average degree, and a law "
            "wants 3.",
        ),
        (
            [{**row, "saved_activation_bytes": 0} for row in made()],
            6,
            "GCN, none: no law of saved_activation_bytes is fitted: a cell's value is 0, which has no relative error.",
        ),
    ],
)
def test_what_cannot_be_fitted_is_a_sentence(rows: Table, laws: int, sentence: str) -> None:
    result, missing = found(rows)
    assert (len(result), missing[0]) == (laws, sentence)
    assert all(law.held_out is None for law in result) or laws != 9


def test_a_response_that_never_varies_is_explained_whole() -> None:
    law = found([{**row, BYTES: 4096} for row in made()])[0][0]
    assert (law.r_squared, law.per_edge.estimate, law.per_node.estimate) == (1.0, 0.0, 0.0)
    assert law.constant.estimate == pytest.approx(4096)
