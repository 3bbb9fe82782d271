"""A statement that hangs on one graph says on which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from gnn_checkpointing.analysis.effects import effects
from gnn_checkpointing.analysis.regression import interactions
from gnn_checkpointing.analysis.results import Estimate, LeftOut, Robustness
from gnn_checkpointing.analysis.robustness.left_out import left_out, side_of
from gnn_checkpointing.analysis.robustness.robustness import robustness
from gnn_checkpointing.analysis.table import Row, completed
from synthetic.changes import TIMES, changed
from synthetic.graphs import generated_graphs, real_graphs
from synthetic.rows import Table, table
from synthetic.tables import protocol

LONER = "sbm-n1000-d128-r0"


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

    def values(row: dict[str, object]) -> dict[str, float]:
        own = loner if row["graph"] == LONER else ratio
        return {"time_ratio": own, "time_ratio_low": 0.995 * own, "time_ratio_high": 1.005 * own}

    return [
        {**row, **values(row)} if row["policy"] == "layers" and row["requested_average_degree"] == 128.0 else row  # type: ignore[arg-type]
        for row in rows
    ]


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
    assert slope.lowest == pytest.approx(-1500, rel=1e-5)
    assert slope.highest == pytest.approx(-1500, rel=1e-5)


def test_a_policy_that_changes_nothing_differs_by_exactly_nothing_without_any_graph() -> None:
    rows = completed(table(np.random.default_rng(0), convolutions=("GCN",), policies=("none", "layers")))
    none = {row.cell: row.activation_bytes for row in rows if row.policy == "none"}
    as_none = [replace(row, activation_bytes=none[row.cell]) for row in rows]
    one = only(
        left_out(as_none, 0.95, effects(as_none, "retaining", 0.95)[1])[0], "difference_per_edge", "GCN", "layers"
    )
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
    rows = [
        {**row, **dict.fromkeys(TIMES)}
        for row in table(np.random.default_rng(0), convolutions=("GCN",), policies=("none", "layers"))
    ]
    assert found(rows)[1] == [
        "GCN, layers: no graph is left out of densest_time_ratio: no cell of the densest level was timed."
    ]


def test_everything_is_tried_or_has_a_sentence() -> None:
    whole = tried(completed(table(np.random.default_rng(0))), 0)
    assert len(whole.replicates) == 3
    assert len(whole.drift) == 9
    # edge_blocks has no slope in bytes.
    assert len(whole.influence) == 15
    assert len(whole.left_out) == 18
    assert len(whole.stopping) == 4
    assert len(whole.not_tried) == 1 + 3


def test_real_graphs_alone_have_sentences_only() -> None:
    whole = tried(completed(table(np.random.default_rng(0), real_graphs())), 0)
    assert whole.families == whole.replicates == whole.drift == whole.influence == whole.left_out == []
    assert whole.not_tried == [
        "The family as a factor is not tried: no policy was measured beside none on a generated graph.",
        "The spread between draws is not tried: no size, degree and family was drawn twice.",
    ]


def test_the_same_seed_gives_the_same_answer() -> None:
    rows = completed(table(np.random.default_rng(0), convolutions=("GCN",)))
    one, two = (tried(rows, 4) for _ in range(2))
    assert one == two
