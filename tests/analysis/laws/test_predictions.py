"""The whole of the laws: scored on real graphs, asked beyond the memory, and honest about what they cannot say."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gnn_checkpointing.analysis.analyse import analyse
from gnn_checkpointing.analysis.laws.predictions import predictions
from gnn_checkpointing.analysis.results import Predictions
from gnn_checkpointing.analysis.table import completed, under
from synthetic.changes import changed, without
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import LAWS, MEMORY_LIMIT_BYTES, RESIDENT_BYTES, Table, table
from synthetic.tables import protocol

BOTH = [*generated_graphs(num_nodes=(500, 1000, 4000)), *real_graphs()]


def found(rows: Table) -> Predictions:
    return predictions(rows, under(completed(rows), "retaining"), protocol(), np.random.default_rng(0))


@pytest.fixture(scope="module")
def whole() -> Predictions:
    return found(table(0, BOTH))


def test_each_series_has_its_law_with_the_terms_that_made_it(whole: Predictions) -> None:
    assert len(whole.laws) == 3 * 3 * 3
    for law in whole.laws:
        truth = LAWS[law.convolution, law.policy][0]
        if law.response != "activation_bytes":
            continue
        (piece,) = law.pieces
        assert law.form == "additive"
        assert piece["nodes"] == pytest.approx(truth.per_node, rel=1e-3)
        assert piece["edges"] == pytest.approx(truth.per_edge, rel=1e-3, abs=1e-3)
        assert law.half_width < 1e-4
        assert (law.num_nodes, law.num_edges, law.num_features) == ((500, 4000), (2000, 512_000), 32)


def test_real_graphs_are_predicted_from_their_sizes_alone(whole: Predictions) -> None:
    """2 graphs x 3 convolutions x 3 policies x 3 responses, bytes to the last digit, seconds to some percents."""
    assert len(whole.scorecard) == 54
    by_response = {summary.response: summary for summary in whole.summaries}
    assert by_response["activation_bytes"].worst_error < 1e-3
    assert by_response["step_time_seconds"].median_error < 0.05
    assert all(summary.scored == 18 for summary in whole.summaries)
    assert by_response["step_time_seconds"].worst_at.split(", ")[0] in ("Cora", "amherst41")


def test_saved_bytes_of_another_number_of_classes_are_predicted_to_the_byte_once_classes_are_known() -> None:
    """A loss keeps 4 C T bytes: generated graphs have 4 classes and 60 % training nodes, Cora 7 and 100 of them."""
    rows, classes = table(0, BOTH, convolutions=("GCN",)), {}
    for row in rows:
        own, kept = (7, 100) if row["graph_label"] == "Cora" else (4, int(row["num_nodes"] or 0) * 3 // 5)
        row |= {
            "training_nodes": kept,
            "saved_activation_bytes": int(row["saved_activation_bytes"] or 0) + 4 * own * kept,
        }
        classes[row["graph"]] = SimpleNamespace(id=row["graph"], num_classes=own)
    errors = []
    for graphs in ([], classes.values()):
        board = analyse(rows, [], protocol(), graphs=list(graphs)).predictions.scorecard
        scored = [one for one in board if one.response == "saved_activation_bytes"]
        assert {one.label for one in scored} == {"Cora", "amherst41"}
        errors.append(max(abs(one.error) for one in scored))
    assert errors[0] > 1e-3 and errors[1] < 1e-9


def test_a_graph_that_the_law_gets_wrong_is_the_worst_one_and_bounds_the_others() -> None:
    """Twice the bytes on Cora: the law misses by one prediction; amherst41's bounds reach as far, Cora's own do not."""
    rows = table(0, BOTH)
    rows = changed(rows, "Planetoid-Cora-000000-GCN", "layers", activation_bytes=2 * (64 + 1000 * 2708 + 100 * 10556))
    result = found(rows)
    summary = next(one for one in result.summaries if one.response == "activation_bytes")
    assert summary.worst_at == "Cora, GCN, layers"
    assert summary.worst_error == pytest.approx(0.5, abs=1e-3)
    assert summary.inside == pytest.approx(17 / 18)
    scores = [one for one in result.scorecard if one.response == "activation_bytes"]
    reach = {one.label: one.predicted.high / one.predicted.estimate - 1 for one in scores}
    assert [one.inside for one in scores if one.label == "Cora"].count(False) == 1
    assert (reach["amherst41"], reach["Cora"] < 1e-3) == (pytest.approx(1, abs=1e-3), True)
    widths = [law.half_width for law in result.laws if law.response != "step_time_seconds"]
    assert sum(width > 0.9 for width in widths) == 9  # saved bytes are as they were


def test_graphs_beyond_the_law_are_predicted_but_not_summed_up_and_other_features_are_not_predicted() -> None:
    """The law saw up to 1,000 nodes; Cora has 2,708 and amherst41 2,235."""
    rows = table(0, [*generated_graphs(num_nodes=(500, 1000)), *real_graphs()])
    result = found(rows)
    assert len(result.scorecard) == 54
    assert not any(score.in_range for score in result.scorecard)
    assert result.summaries == []
    result = found([{**row, "num_features": 64} if row["graph_label"] == "Cora" else row for row in rows])
    assert {score.label for score in result.scorecard} == {"amherst41"}
    assert "GCN, none: Cora is not predicted: it has 64 input features, and the law knows 32." in result.not_fitted


def test_coverage_is_counted_on_every_held_out_cell(whole: Predictions) -> None:
    """36 cells, each in two folds, of 9 series a response."""
    shares = {(one.response, one.method): one for one in whole.coverage}
    assert {key: one.held_out for key, one in shares.items()} == {
        ("activation_bytes", "held_out_bound"): 648,
        ("activation_bytes", "least_squares"): 648,
        ("saved_activation_bytes", "held_out_bound"): 648,
        ("step_time_seconds", "conformal"): 648,
        ("step_time_seconds", "least_squares"): 648,
    }
    assert shares["activation_bytes", "held_out_bound"].median_half_width < 1e-4
    assert shares["step_time_seconds", "conformal"].inside == pytest.approx(0.95, abs=0.04)


AMHERST = "LINKXDataset-amherst41-000000-GATv2"
DENSEST = "sbm-n4000-d128-r0-GATv2"


@pytest.mark.parametrize(
    ("graphs", "cell", "policy", "outcome", "limit", "predicted", "foreseen"),
    [
        # 64 + 3000 N + 2000 E bytes and 1 MB that are resident: 1.04 GB.
        (BOTH, DENSEST, "none", "out_of_memory", MEMORY_LIMIT_BYTES, 64 + 12e6 + 1.024e9 + RESIDENT_BYTES, False),
        (BOTH, DENSEST, "none", "out_of_memory", 10**9, 64 + 12e6 + 1.024e9 + RESIDENT_BYTES, True),
        (BOTH, DENSEST, "layers", "timed_out", 300.0, 3e-3 + 6e-6 * 4000 + 5.4e-7 * 512_000, False),
        (real_graphs(), AMHERST, "none", "out_of_memory", MEMORY_LIMIT_BYTES, None, None),
    ],
)
def test_a_cell_that_hit_a_limit_is_foreseen_where_its_law_lies_above_that(
    graphs: Any, cell: str, policy: str, outcome: str, limit: float, predicted: float | None, foreseen: bool | None
) -> None:
    rows = without(table(0, graphs), cell, policy, outcome)
    if outcome == "out_of_memory":
        rows = [{**row, "memory_limit_bytes": limit} for row in rows]
    (one,) = found(rows).censored
    assert (one.cell, one.policy, one.outcome, one.limit, one.foreseen) == (cell, policy, outcome, limit, foreseen)
    assert one.predicted == (None if predicted is None else pytest.approx(predicted, rel=0.05))
    assert one.reason == ("" if predicted else "no law predicts this convolution and policy: see not_fitted")


def test_the_densest_graph_that_fits_is_where_the_law_meets_the_limit(whole: Predictions) -> None:
    """4,000 nodes in 1 GiB with GATv2: (2^30 - 1e6 - 64 - 3000 x 4000) / 2000 / 4000 = 132.6 edges a node."""
    by_policy = {one.policy: one for one in whole.capacities if one.convolution == "GATv2"}
    none, layers, blocks = (by_policy[name] for name in ("none", "layers", "edge_blocks"))
    degree = (2**30 - RESIDENT_BYTES - 64 - 3000 * 4000) / 2000 / 4000
    assert none.average_degree.estimate == pytest.approx(degree, rel=1e-3)
    assert none.average_degree.low <= none.average_degree.estimate <= none.average_degree.high
    assert (none.gain, none.unbounded, none.in_range) == (1.0, False, False)
    expected = (2**30 - RESIDENT_BYTES - 64 - 1500 * 4000) / 500 / 4000 / degree
    assert layers.gain == pytest.approx(expected, rel=1e-3)
    assert blocks.unbounded
    assert blocks.average_degree.estimate == 3999


@pytest.mark.parametrize(
    ("graphs", "sentence"),
    [
        (real_graphs(), "No law predicts anything: no comparable cell of a generated graph was measured."),
        # 2 sizes x 3 densities: without a density 2 are left, without a size 1.
        (
            generated_graphs((500, 1000), (4.0, 8.0, 16.0)),
            "GATv2, none: no law predicts activation_bytes: neither the densest level nor the largest graphs can be "
            "held out.",
        ),
    ],
)
def test_a_study_too_small_to_predict_says_so(graphs: Any, sentence: str) -> None:
    result = found(table(0, graphs))
    assert (result.laws, result.not_fitted[0]) == ([], sentence)
    assert all(one.score is None for one in result.leaderboard)
