"""What a law has not seen chooses its form and its unit of time, and is as far off as its interval says."""

from collections.abc import Callable

import numpy as np
import pytest

from gnn_checkpointing.analysis.laws.fit import fit_form
from gnn_checkpointing.analysis.laws.selection import (
    Miss,
    _held_out_error,
    at_one_speed,
    candidates,
    coverage,
    folds,
    half_width,
    held,
    held_by_least_squares,
    misses,
)
from gnn_checkpointing.analysis.laws.series import Series
from gnn_checkpointing.analysis.regression import laws
from gnn_checkpointing.analysis.results import Candidate
from gnn_checkpointing.analysis.table import Row, completed
from synthetic.changes import with_bytes
from synthetic.graphs import generated_graphs
from synthetic.rows import table
from synthetic.tables import series

FORMS = ("additive", "blocks", "several_blocks", "largest_of_two", "largest_of_two_blocks", "quadratic", "power")
TIME = "step_time_seconds"
SENTINEL = 2e-3


def board(one: Series, forms: tuple[str, ...] = FORMS) -> list[Candidate]:
    return candidates(one, forms, folds(one.rows))


def chosen(one: Series, forms: tuple[str, ...] = FORMS) -> str | None:
    return next((each.form for each in board(one, forms) if each.chosen), None)


def made(convolution: str, policy: str, law: Callable[[float, float, float], float]) -> Series:
    """A series whose bytes are that law of nodes, edges and the edges of a block."""
    rows = with_bytes(table(0), convolution, policy, law)
    return series(rows, convolution, policy=policy)


def blocked(nodes: float, _: float, block: float) -> float:
    return 2500 * nodes + 800 * block


def test_every_level_that_leaves_a_law_is_held_out_once_with_all_its_replicates() -> None:
    """6 densities and 3 sizes: 9 folds; each of the 36 cells is held out with its density and with its size.

    The density that was asked for: draws have some edges more or less.
    """
    drawn = [
        {**row, "average_degree": float(row["average_degree"] or 0) + float(row["replicate"] or 0)} for row in table(0)
    ]
    rows = series(drawn).rows
    found = folds(rows)
    assert [fold.factor for fold in found] == ["density"] * 6 + ["nodes"] * 3
    assert sorted(place for fold in found for place in fold.held) == sorted(list(range(36)) * 2)
    for fold in found:
        name = "requested_average_degree" if fold.factor == "density" else "num_nodes"
        assert {getattr(rows[place], name) for place in fold.held} == {fold.level}
        assert sorted(fold.kept + fold.held) == list(range(36))
    (one,) = candidates(series(drawn), ("additive",), found)
    assert [(error.place, error.level) for error in one.errors] == [("densest", 128.0), ("largest", 2000.0)]
    # 3 densities: without one, 2 are left, and a law wants 3; without one of 3 sizes, 2 are left and enough.
    rows = table(0, generated_graphs(degrees=(4.0, 8.0, 16.0)))
    assert [fold.factor for fold in folds(series(rows).rows)] == ["nodes"] * 3


@pytest.mark.parametrize(
    ("convolution", "policy", "law", "form"),
    [
        ("GATv2", "none", lambda nodes, edges, _: 64 + 3000 * nodes + 2000 * edges, "additive"),
        ("GATv2", "edge_blocks", blocked, "blocks"),
        # They meet at degree 3000 / 116 = 26: three levels lie on either side.
        ("SAGE", "none", lambda n, e, _: max(4000 * n + 16 * e, 1000 * n + 132 * e), "largest_of_two"),
        # Beside the first block no sums of blocks live: 128 bytes less per node.
        ("GATv2", "edge_blocks", lambda n, e, k: (640 + 128 * (e >= 2 * k)) * n + 272 * k, "several_blocks"),
    ],
)
def test_the_form_that_made_the_bytes_is_chosen_and_gives_them_back(
    convolution: str, policy: str, law: Callable[[float, float, float], float], form: str
) -> None:
    one = made(convolution, policy, law)
    assert chosen(one) == form
    assert fit_form(form, one.sizes, one.values).at(one.sizes) == pytest.approx(one.values, rel=1e-4)


def test_the_leaderboard_names_each_form_its_errors_and_why_one_could_not_be_tried() -> None:
    one = made("GATv2", "edge_blocks", blocked)
    scores = {each.form: each.score for each in board(one)}
    assert scores["blocks"] == pytest.approx(0, abs=1e-4)
    assert scores["additive"] > 0.05
    assert chosen(one, ("power", "additive")) in ("power", "additive")  # only what is listed is chosen
    found = board(series())
    assert [each.form for each in found] == list(FORMS)
    assert [each.form for each in found if each.chosen] == ["additive"]
    assert found[-1].score > 0.02
    for each in found:
        if "blocks" in each.form:
            assert (each.score, each.errors) == (None, [])
            assert each.reason == "its columns cannot be told apart on these graphs"
            continue
        assert [error.place for error in each.errors] == ["densest", "largest"]
        assert each.score == max(error.median_relative_error for error in each.errors)
        assert [(error.level, error.cells) for error in each.errors] == [(128.0, 6), (2000.0, 12)]


def test_bytes_are_bounded_by_the_worst_miss_and_seconds_by_the_conformal_quantile() -> None:
    """40 misses of 1 to 40 %: the worst is 40 %, the ceil(41 x 0.95) = 39th smallest 39 %."""
    missed = [Miss(0, place, share / 100) for place, share in enumerate(range(1, 41))]
    assert half_width(missed, "activation_bytes", 0.95) == 0.40
    assert half_width(missed, TIME, 0.95) == 0.39
    assert half_width(missed[:5], TIME, 0.95) == 0.05
    assert half_width([], TIME, 0.95) is None


def test_a_miss_is_a_share_of_the_prediction() -> None:
    """Without a level the exact law is the same law: nothing is missed. 10 % more on one cell is missed by 10 %."""
    one = series()
    assert max(miss.share for miss in misses(one, "additive", folds(one.rows))) < 1e-9
    raised = [
        row.but(activation_bytes=1.1 * row.activation_bytes) if row.graph == "sbm-n1000-d16-r0" else row
        for row in one.rows
    ]
    worst = max(misses(Series(raised, one.response), "additive", folds(raised)), key=lambda miss: miss.share)
    assert raised[worst.row].graph == "sbm-n1000-d16-r0"
    assert worst.share == pytest.approx(0.1, abs=0.01)


def test_no_interval_is_made_with_the_cells_that_it_is_tried_on() -> None:
    """One cell is off by half in both of its folds: its own intervals do not know, all others reach that far."""
    places = ((0, (0, 1)), (1, (2, 3)), (2, (0, 2)))
    missed = [Miss(fold, row, 0.5 if row == 0 else 0.01) for fold, rows in places for row in rows]
    found = [(one.inside, one.half_width) for one in held(missed, "activation_bytes", 0.95)]
    assert found == [(False, 0.01), (True, 0.01), (True, 0.5), (True, 0.5), (False, 0.01), (True, 0.01)]


def test_a_law_that_misses_the_form_falls_outside_of_least_squares_and_inside_of_the_bound() -> None:
    one = made("GATv2", "none", lambda nodes, edges, _: nodes**0.5 * edges**0.9)
    levels = folds(one.rows)
    missed = held(misses(one, "additive", levels), one.response, 0.95)
    bound = coverage(one.response, "held_out_bound", missed)
    squares = coverage(one.response, "least_squares", held_by_least_squares(one, levels, 0.95))
    assert bound.held_out == squares.held_out == 72
    assert bound.inside > squares.inside


def test_conformal_intervals_of_time_cover_as_often_as_they_say() -> None:
    """200 tables of 36 cells, 72 tries each: 95 % within four standard errors of a table's share (about 3 %)."""
    shares = []
    for seed in range(200):
        one = series(response=TIME, noise=0.05, seed=seed)
        results = held(misses(one, "additive", folds(one.rows)), TIME, 0.95)
        shares.append(np.mean([each.inside for each in results]))
    assert np.mean(shares) == pytest.approx(0.95, abs=0.015)


def slowed(*, with_sentinel: bool) -> tuple[list[Row], list[Row]]:
    """Rows of a steady machine, and of one up to three times as slow that was twice as slow at the median.

    `with_sentinel`: the sentinel was slowed alike; otherwise by something else.
    """
    steady = completed(table(0, convolutions=["GATv2"], policies=["none"], noise=0.0))
    by = np.random.default_rng(1).permutation(np.linspace(1, 3, len(steady)))
    other = by if with_sentinel else np.random.default_rng(2).permutation(by)
    return steady, [
        row.but(step_time_seconds=(row.step_time_seconds or 0) * one, sentinel_seconds=SENTINEL * two)
        for row, one, two in zip(steady, by.tolist(), other.tolist(), strict=True)
    ]


def test_a_law_of_an_unsteady_machine_is_that_of_the_steady_one_at_the_median_speed() -> None:
    steady, rows = slowed(with_sentinel=True)
    found, in_sentinels = at_one_speed(rows)
    assert in_sentinels
    assert _held_out_error(found) == pytest.approx(0, abs=1e-8)
    assert _held_out_error(rows) > 0.1
    per_edge = [
        law.per_edge.estimate for each in (steady, found) for law in laws(each, 0.95)[0] if law.response == TIME
    ]
    assert per_edge[1] == pytest.approx(2 * per_edge[0], rel=1e-6)


def test_a_sentinel_that_another_thing_slowed_or_that_one_row_lacks_is_not_used() -> None:
    _, rows = slowed(with_sentinel=False)
    assert at_one_speed(rows) == (rows, False)
    assert _held_out_error(rows) > 0
    mixed = [*rows[:-1], rows[-1].but(sentinel_seconds=None)]
    assert at_one_speed(mixed) == (mixed, False)
    untimed = rows[0].but(step_time_seconds=None, sentinel_seconds=None)
    assert at_one_speed([untimed]) == ([untimed], False)


def test_a_sentinel_that_misjudges_a_large_graph_is_not_used() -> None:
    """It tells the speed of all others, within a twentieth: their median error is smaller."""
    steady = completed(table(0, convolutions=["GATv2"], policies=["none"], noise=0.0))
    by = np.random.default_rng(1).permutation(np.linspace(0.95, 1.05, len(steady))).tolist()
    rows = [
        row.but(step_time_seconds=(row.step_time_seconds or 0) * one, sentinel_seconds=SENTINEL * one)
        for row, one in zip(steady, by, strict=True)
    ]
    assert at_one_speed(rows)[1]
    largest = max(rows, key=lambda row: row.num_edges)
    off = [row if row is not largest else row.but(sentinel_seconds=0.7 * row.sentinel_seconds) for row in rows]
    assert at_one_speed(off) == (off, False)


def test_where_all_graphs_have_one_size_a_sentinel_that_tells_the_density_is_not_used() -> None:
    """Large steps leave cold caches: beside the densest graph the sentinel took half as long again as beside others."""
    steady = completed(table(0, generated_graphs((1000,)), convolutions=["GATv2"], policies=["none"], noise=0.0))
    slow = [row.but(sentinel_seconds=SENTINEL * (1 + row.num_edges / 256_000)) for row in steady]
    assert at_one_speed(slow) == (slow, False)
