"""A law or a statement that depends on one graph says on which, and by how much a fit without it differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from gnn_checkpointing.analysis.effects import effects
from gnn_checkpointing.analysis.regression import interactions
from gnn_checkpointing.analysis.results import Estimate, Influence, LeftOut, Robustness
from gnn_checkpointing.analysis.robustness import robustness
from gnn_checkpointing.analysis.robustness.single_graphs import influence, left_out, side_of
from gnn_checkpointing.analysis.support import design, observed
from gnn_checkpointing.analysis.table import Row, completed
from synthetic.changes import TIMES, changed
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import Table, table
from synthetic.tables import protocol

LONER = "sbm-n1000-d128-r0"
OUTLIER = "sbm-n2000-d128-r1"


def found(rows: Table) -> tuple[list[LeftOut], list[str]]:
    drawn = [row for row in completed(rows) if row.is_drawn]
    return left_out(drawn, 0.95, effects(drawn, "retaining", 0.95)[1])


def tried(rows: Sequence[Row], seed: int) -> Robustness:
    noise = effects(rows, "retaining", 0.95)[1]
    return robustness(rows, protocol(), noise, np.random.default_rng(seed))


def only(items: list[LeftOut], statement: str, convolution: str, policy: str) -> LeftOut:
    (one,) = [i for i in items if (i.statement, i.convolution, i.policy) == (statement, convolution, policy)]
    return one


def timed(rows: Table, ratio: float, loner: float) -> Table:
    """Return the table with one time ratio at the densest level, known to 0.5 %, but for one graph's."""

    found = []
    for row in rows:
        own = loner if row["graph"] == LONER else ratio
        times = {"time_ratio": own, "time_ratio_low": 0.995 * own, "time_ratio_high": 1.005 * own}
        dense = row["policy"] == "layers" and row["requested_average_degree"] == 128.0
        found.append({**row, **(times if dense else {})})
    return found


def test_the_graph_without_which_a_ratio_turns_is_named() -> None:
    """Five graphs at 0.8 and one at 2.2: the mean's interval holds 1, without the one it lies at 0.8."""
    graphs = generated_graphs((1000,), replicates=6)
    rows = timed(table(np.random.default_rng(0), graphs, convolutions=("GCN",)), 0.8, 2.2)
    one = only(found(rows)[0], "densest_time_ratio", "GCN", "layers")
    assert (one.boundary, one.side, one.changes) == (1.0, "holds", [LONER])
    assert one.lowest == pytest.approx(0.8)
    assert one.whole.estimate == pytest.approx((0.8**5 * 2.2) ** (1 / 6))
    # Any other left out: four at 0.8 and the one.
    assert one.highest == pytest.approx((0.8**4 * 2.2) ** (1 / 5))


def test_a_statement_that_all_graphs_share_turns_without_none() -> None:
    rows = timed(table(np.random.default_rng(0), convolutions=("GCN",)), 0.9, 0.9)
    one = only(found(rows)[0], "densest_time_ratio", "GCN", "layers")
    assert (one.side, one.changes) == ("below", [])


def test_exact_bytes_turn_without_none_and_span_their_graphs() -> None:
    items, missing = found(table(np.random.default_rng(0)))
    assert missing == []
    assert len(items) == 3 * 2 * 3
    memory = only(items, "densest_activation_ratio", "GATv2", "layers")
    assert (memory.side, memory.changes) == ("below", [])
    assert memory.lowest <= memory.whole.estimate <= memory.highest
    slope = only(items, "difference_per_edge", "GATv2", "layers")
    assert (slope.boundary, slope.side, slope.changes) == (0.0, "below", [])
    assert (slope.lowest, slope.highest) == pytest.approx((-1500, -1500), rel=1e-5)


def test_a_policy_that_changes_nothing_differs_by_exactly_nothing_without_any_graph() -> None:
    rows = completed(table(np.random.default_rng(0), convolutions=("GCN",), policies=("none", "layers")))
    none = {row.cell: row.activation_bytes for row in rows if row.policy == "none"}
    as_none = [replace(row, activation_bytes=none[row.cell]) for row in rows]
    items, _ = left_out(as_none, 0.95, effects(as_none, "retaining", 0.95)[1])
    one = only(items, "difference_per_edge", "GCN", "layers")
    assert (one.lowest, one.highest, one.side, one.changes) == (0.0, 0.0, "holds", [])


def test_a_graph_that_hides_a_difference_of_slopes_is_named() -> None:
    """SAGE under layers takes 2 bytes an edge less than none; 3 MB more on one of 256,000 edges hide it."""
    rows = table(np.random.default_rng(0), convolutions=("SAGE",), policies=("none", "layers"))
    (heavy,) = [r for r in rows if (r["graph"], r["policy"]) == ("sbm-n2000-d128-r0", "layers")]
    bytes_then = int(heavy["activation_bytes"] or 0) + 3_000_000
    rows = changed(rows, str(heavy["cell"]), "layers", activation_bytes=bytes_then)
    one = only(found(rows)[0], "difference_per_edge", "SAGE", "layers")
    assert one.side == "above"
    assert one.changes == ["sbm-n2000-d128-r0"]
    without = [row for row in completed(rows) if row.graph != "sbm-n2000-d128-r0"]
    (expected,) = interactions(without, 0.95, ("activation_bytes",))[0]
    assert one.lowest == pytest.approx(expected.difference_per_edge.estimate, rel=1e-9) == pytest.approx(-2, abs=0.01)


@pytest.mark.parametrize(
    ("low", "high", "side"), [(0.5, 0.9, "below"), (1.1, 1.2, "above"), (0.9, 1.1, "holds"), (1.0, 1.2, "holds")]
)
def test_an_interval_lies_on_a_side_or_holds_the_boundary(low: float, high: float, side: str) -> None:
    assert side_of(Estimate(estimate=(low + high) / 2, low=low, high=high), 1.0) == side


def test_one_graph_at_the_densest_level_cannot_be_left_out() -> None:
    rows = table(np.random.default_rng(0), generated_graphs(num_nodes=(500,), replicates=1), convolutions=("GCN",))
    items, missing = found(rows)
    assert items == []
    assert missing[0] == (
        "GCN, layers: no graph is left out of densest_activation_ratio: the densest level has one graph."
    )
    assert missing[-1] == (
        "GCN, edge_blocks: no graph is left out: no interaction is tested: all graphs have 500 nodes, so bytes per "
        "node cannot be told from the constant."
    )


def test_untimed_cells_are_a_sentence() -> None:
    rows = table(np.random.default_rng(0), convolutions=("GCN",), policies=("none", "layers"))
    assert found([{**row, **dict.fromkeys(TIMES)} for row in rows])[1] == [
        "GCN, layers: no graph is left out of densest_time_ratio: no cell of the densest level was timed."
    ]


def test_everything_is_tried_or_has_a_sentence() -> None:
    rows = completed(table(np.random.default_rng(0)))
    whole = tried(rows, 0)
    assert whole == tried(rows, 0)
    assert len(whole.replicates) == 3
    assert len(whole.drift) == 9
    # edge_blocks has no slope in bytes.
    assert (len(whole.influence), len(whole.left_out)) == (15, 18)
    assert (len(whole.stopping), len(whole.not_tried)) == (4, 1 + 3)


def test_real_graphs_alone_have_sentences_only() -> None:
    whole = tried(completed(table(np.random.default_rng(0), real_graphs())), 0)
    assert whole.families == whole.replicates == whole.drift == whole.influence == whole.left_out == []
    assert whole.not_tried == [
        "The family as a factor is not tried: no policy was measured beside none on a generated graph.",
        "The spread between draws is not tried: no size, degree and family was drawn twice.",
    ]


def moved(rows: Table) -> tuple[list[Influence], list[str]]:
    return influence(completed(rows), 0.95)


def gcn(seed: int = 0, noise: float = 0.0) -> Table:
    return table(np.random.default_rng(seed), convolutions=("GCN",), policies=("none",), noise=noise)


def heavier(rows: Table, extra: int) -> Table:
    """Return the table with more bytes on the densest graph."""
    (row,) = [row for row in rows if row["graph"] == OUTLIER]
    return changed(rows, str(row["cell"]), "none", activation_bytes=int(row["activation_bytes"] or 0) + extra)


def test_an_exact_law_hangs_on_no_graph() -> None:
    result, missing = moved(gcn())
    assert missing == []
    assert [(one.response, one.shift_per_edge, one.cooks_distance) for one in result] == [
        ("activation_bytes", 0.0, 0.0),
        ("step_time_seconds", 0.0, 0.0),
    ]


def test_the_outlier_is_named_and_the_slope_moves_back_to_the_law_without_it() -> None:
    """Without the outlier the law is exact again: 120 bytes an edge, whatever the slope was with it."""
    rows = heavier(gcn(), 10_000_000)
    memory = moved(rows)[0][0]
    cells = completed(rows)
    slope = float(np.linalg.lstsq(design(cells), observed(cells, "activation_bytes"), rcond=None)[0][2])
    assert slope > 125
    assert memory.graph == OUTLIER
    assert memory.shift_per_edge == pytest.approx(120 / slope - 1, rel=1e-6)
    # Cook's distance is that of statsmodels.
    fit = OLS(observed(cells, "activation_bytes"), design(cells)).fit()
    distances = fit.get_influence().cooks_distance[0]
    assert memory.cooks_distance == pytest.approx(distances.max(), rel=1e-6)


def test_noise_alone_moves_a_slope_by_little() -> None:
    (time,) = [one for one in moved(gcn(2, noise=0.02))[0] if one.response == "step_time_seconds"]
    assert 0 < abs(time.shift_per_edge) < 0.02
    assert 0 < time.cooks_distance < 1


def test_a_law_that_is_flat_in_edges_has_no_share_to_move_by() -> None:
    rows = table(np.random.default_rng(0), convolutions=("GCN",), policies=("none", "edge_blocks"))
    assert moved(rows)[1] == [
        "GCN, edge_blocks: no graph's influence on activation_bytes is told: the law does not grow with the edges, so "
        "nothing is a share of its slope."
    ]


def test_where_no_law_can_be_there_is_a_sentence() -> None:
    rows = table(
        np.random.default_rng(0), generated_graphs((500,), replicates=1), convolutions=("GCN",), policies=("none",)
    )
    result, missing = moved(rows)
    assert result == []
    assert missing[0] == (
        "GCN, none: no graph's influence on activation_bytes is told: all graphs have 500 nodes, so bytes per node "
        "cannot be told from the constant."
    )
