"""A law or a statement that depends on one graph says on which, and by how much a fit without it differs."""

from collections.abc import Sequence

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from gnn_checkpointing.analysis.effects import effects
from gnn_checkpointing.analysis.fitting import design, observed
from gnn_checkpointing.analysis.regression import interactions
from gnn_checkpointing.analysis.results import Estimate, LeftOut, Robustness
from gnn_checkpointing.analysis.robustness import robustness
from gnn_checkpointing.analysis.single_graphs import influence, left_out, side_of
from gnn_checkpointing.analysis.table import Row, completed
from synthetic.changes import TIMES, changed
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.results import the_one
from synthetic.rows import Table, table
from synthetic.tables import protocol

LONER = "sbm-n1000-d128-r0"
OUTLIER = "sbm-n2000-d128-r1"
BYTES = "activation_bytes"


def gcn(*policies: str, seed: int = 0, noise: float = 0.0, convolution: str = "GCN") -> Table:
    chosen = policies or ("none",)
    return table(seed, convolutions=(convolution,), policies=chosen, noise=noise)


def found(rows: Table) -> tuple[list[LeftOut], list[str]]:
    drawn = [row for row in completed(rows) if row.is_drawn]
    return left_out(drawn, 0.95, effects(drawn, "retaining", 0.95)[1])


def tried(rows: Sequence[Row], seed: int) -> Robustness:
    return robustness(rows, protocol(seed=seed), effects(rows, "retaining", 0.95)[1])


def only(rows: Table, statement: str, convolution: str = "GCN", policy: str = "layers") -> LeftOut:
    return the_one(found(rows)[0], statement=statement, convolution=convolution, policy=policy)


def timed(rows: Table, ratio: float, loner: float) -> Table:
    """The table with one time ratio at the densest level, known to 0.5 %, but for one graph's."""
    result = []
    for row in rows:
        own = loner if row["graph"] == LONER else ratio
        times = {"time_ratio": own, "time_ratio_low": 0.995 * own, "time_ratio_high": 1.005 * own}
        dense = row["policy"] == "layers" and row["requested_average_degree"] == 128.0
        result.append({**row, **(times if dense else {})})
    return result


def heavier(rows: Table, graph: str, policy: str, extra: int) -> Table:
    """The table with more bytes on one graph."""
    (row,) = [row for row in rows if (row["graph"], row["policy"]) == (graph, policy)]
    return changed(rows, str(row["cell"]), policy, activation_bytes=int(row[BYTES] or 0) + extra)


def test_the_graph_without_which_a_ratio_turns_is_named_and_what_all_share_turns_without_none() -> None:
    """Five graphs at 0.8 and one at 2.2: the mean's interval holds 1, without the one it lies at 0.8."""
    rows = table(0, generated_graphs((1000,), replicates=6), convolutions=("GCN",))
    one = only(timed(rows, 0.8, 2.2), "densest_time_ratio")
    assert (one.boundary, one.side, one.changes) == (1.0, "holds", [LONER])
    assert one.lowest == pytest.approx(0.8)
    assert one.whole.estimate == pytest.approx((0.8**5 * 2.2) ** (1 / 6))
    # Any other left out: four at 0.8 and the one.
    assert one.highest == pytest.approx((0.8**4 * 2.2) ** (1 / 5))
    one = only(timed(table(0, convolutions=("GCN",)), 0.85, 0.85), "densest_time_ratio")
    assert (one.side, one.changes) == ("below", [])


def test_exact_bytes_turn_without_none_and_span_their_graphs() -> None:
    rows = table(0)
    items, missing = found(rows)
    assert (len(items), missing) == (3 * 2 * 3, [])
    memory, slope = (only(rows, name, "GATv2") for name in ("densest_activation_ratio", "difference_per_edge"))
    assert (memory.boundary, memory.side, memory.changes) == (1.0, "below", [])
    assert memory.lowest <= memory.whole.estimate <= memory.highest
    assert (slope.boundary, slope.side, slope.changes) == (0.0, "below", [])
    assert (slope.lowest, slope.highest) == pytest.approx((-1500, -1500), rel=1e-5)


def test_a_policy_that_changes_nothing_differs_by_exactly_nothing_without_any_graph() -> None:
    rows = gcn("none", "layers", noise=0.02)
    none = {row["cell"]: row[BYTES] for row in rows if row["policy"] == "none"}
    one = only([{**row, BYTES: none[row["cell"]]} for row in rows], "difference_per_edge")
    assert (one.lowest, one.highest, one.side, one.changes) == (0.0, 0.0, "holds", [])


def test_a_graph_that_hides_a_difference_of_slopes_is_named() -> None:
    """SAGE under layers takes 2 bytes an edge less than none; 3 MB more on one of 256,000 edges hide it."""
    graph = "sbm-n2000-d128-r0"
    rows = heavier(gcn("none", "layers", noise=0.02, convolution="SAGE"), graph, "layers", 3_000_000)
    one = only(rows, "difference_per_edge", "SAGE")
    assert (one.side, one.changes) == ("above", [graph])
    (expected,) = interactions([row for row in completed(rows) if row.graph != graph], 0.95, (BYTES,))[0]
    assert one.lowest == pytest.approx(expected.difference_per_edge.estimate, rel=1e-9) == pytest.approx(-2, abs=0.01)


@pytest.mark.parametrize(
    ("low", "high", "side"), [(0.5, 0.9, "below"), (1.1, 1.2, "above"), (0.9, 1.1, "holds"), (1.0, 1.2, "holds")]
)
def test_an_interval_lies_on_a_side_or_holds_the_boundary(low: float, high: float, side: str) -> None:
    assert side_of(Estimate(estimate=(low + high) / 2, low=low, high=high), 1.0) == side


def test_what_cannot_be_left_out_is_a_sentence() -> None:
    rows = table(0, generated_graphs(num_nodes=(500,), replicates=1), convolutions=("GCN",))
    items, missing = found(rows)
    assert items == []
    assert missing[0] == (
        "GCN, layers: no graph is left out of densest_activation_ratio: the densest level has one graph."
    )
    assert missing[-1] == (
        "GCN, edge_blocks: no graph is left out: no interaction is tested: all graphs have 500 nodes, so bytes per "
        "node cannot be told from the constant."
    )
    assert found([{**row, **dict.fromkeys(TIMES)} for row in gcn("none", "layers")])[1] == [
        "GCN, layers: no graph is left out of densest_time_ratio: no cell of the densest level was timed."
    ]


def test_everything_is_tried_or_has_a_sentence() -> None:
    rows = completed(table(0))
    whole = tried(rows, 0)
    assert whole == tried(rows, 0)
    # edge_blocks has no slope in bytes.
    counts = (whole.replicates, whole.drift, whole.influence, whole.left_out, whole.stopping, whole.not_tried)
    assert [len(each) for each in counts] == [3, 9, 15, 18, 4, 1 + 3]
    real = tried(completed(table(0, real_graphs())), 0)
    assert real.families == real.replicates == real.drift == real.influence == real.left_out == []
    assert real.not_tried == [
        "The family as a factor is not tried: no policy was measured beside none on a generated graph.",
        "The spread between draws is not tried: no size, degree and family was drawn twice.",
    ]


def test_an_exact_law_depends_on_no_graph_and_noise_alone_moves_a_slope_by_little() -> None:
    result, missing = influence(completed(gcn()), 0.95)
    assert missing == []
    assert [(one.response, one.shift_per_edge, one.cooks_distance) for one in result] == [
        (BYTES, 0.0, 0.0),
        ("step_time_seconds", 0.0, 0.0),
    ]
    _, time = influence(completed(gcn(seed=2, noise=0.02)), 0.95)[0]
    assert 0 < abs(time.shift_per_edge) < 0.02
    assert 0 < time.cooks_distance < 1


def test_the_outlier_is_named_and_the_slope_moves_back_to_the_law_without_it() -> None:
    """Without the outlier the law is exact again: 120 bytes an edge, whatever the slope was with it."""
    cells = completed(heavier(gcn(), OUTLIER, "none", 10_000_000))
    memory = influence(cells, 0.95)[0][0]
    slope = float(np.linalg.lstsq(design(cells), observed(cells, BYTES), rcond=None)[0][2])
    assert slope > 125
    assert memory.graph == OUTLIER
    assert memory.shift_per_edge == pytest.approx(120 / slope - 1, rel=1e-6)
    # Cook's distance is that of statsmodels.
    distances = OLS(observed(cells, BYTES), design(cells)).fit().get_influence().cooks_distance[0]
    assert memory.cooks_distance == pytest.approx(distances.max(), rel=1e-6)


ONE_SIZE = table(0, generated_graphs((500,), replicates=1), convolutions=("GCN",), policies=("none",))


@pytest.mark.parametrize(
    ("rows", "policy", "reason"),
    [
        (ONE_SIZE, "none", "all graphs have 500 nodes, so bytes per node cannot be told from the constant"),
        (
            gcn("none", "edge_blocks", noise=0.02),
            "edge_blocks",
            "the law does not grow with the edges, so nothing is a share of its slope",
        ),
    ],
)
def test_a_law_that_is_none_or_flat_in_edges_is_a_sentence(rows: Table, policy: str, reason: str) -> None:
    missing = influence(completed(rows), 0.95)[1]
    assert missing[0] == f"GCN, {policy}: no graph's influence on activation_bytes is told: {reason}."
