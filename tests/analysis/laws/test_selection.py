"""The form is chosen that predicts the held-out levels best, and the losers are published with it."""

from __future__ import annotations

import numpy as np
import pytest

from gnn_checkpointing.analysis.laws.fit import fit_form
from gnn_checkpointing.analysis.laws.selection import best, candidates, deciding, folds, trials
from gnn_checkpointing.analysis.laws.series import Series
from synthetic.changes import with_bytes
from synthetic.graphs import generated_graphs
from synthetic.rows import table
from synthetic.tables import series

FORMS = ("additive", "blocks", "several_blocks", "largest_of_two", "largest_of_two_blocks", "quadratic", "power")


def chosen(one: Series, forms: tuple[str, ...] = FORMS) -> str | None:
    return best(trials(one, forms, folds(one.rows)))


def test_every_level_is_held_out_once_with_all_its_replicates() -> None:
    """6 densities and 3 sizes: 9 folds; each of the 36 cells is held out with its density and with its size."""
    rows = series().rows
    found = folds(rows)
    assert [fold.factor for fold in found] == ["density"] * 6 + ["nodes"] * 3
    assert sorted(place for fold in found for place in fold.held) == sorted(list(range(36)) * 2)
    for fold in found:
        levels = [
            rows[p].requested_average_degree if fold.factor == "density" else rows[p].num_nodes for p in fold.held
        ]
        assert set(levels) == {fold.level}
        assert sorted(fold.kept + fold.held) == list(range(36))
    assert [(fold.factor, fold.level) for fold in deciding(found, rows)] == [("density", 128.0), ("nodes", 2000.0)]


def test_a_level_without_which_no_law_is_left_is_not_held_out() -> None:
    """3 densities: without one, 2 are left, and a law wants 3; without one of 3 sizes, 2 are left and enough."""
    rows = table(np.random.default_rng(0), generated_graphs(degrees=(4.0, 8.0, 16.0)))
    assert [fold.factor for fold in folds(series(rows).rows)] == ["nodes"] * 3


def test_an_additive_law_is_known_as_one_and_not_as_something_richer() -> None:
    assert chosen(series()) == "additive"


def test_blocks_are_chosen_where_the_peak_follows_the_block() -> None:
    rows = with_bytes(
        table(np.random.default_rng(0)), "GATv2", "edge_blocks", lambda nodes, _, block: 2500 * nodes + 800 * block
    )
    one = series(rows, policy="edge_blocks")
    assert chosen(one) == "blocks"
    by_form = {each.form: each for each in candidates(one, trials(one, FORMS, folds(one.rows)))}
    assert by_form["blocks"].score == pytest.approx(0, abs=1e-4)
    assert (by_form["additive"].score or 0) > 0.05


def test_the_largest_of_two_is_chosen_where_two_instants_take_turns() -> None:
    """They meet at degree 3000 / 116 = 26: three levels lie on either side."""
    rows = with_bytes(
        table(np.random.default_rng(0)),
        "SAGE",
        "none",
        lambda nodes, edges, _: max(4000 * nodes + 16 * edges, 1000 * nodes + 132 * edges),
    )
    assert chosen(series(rows, "SAGE")) == "largest_of_two"


def test_sums_that_only_several_blocks_need_are_a_step() -> None:
    """Beside the first block no sums of blocks live: 128 bytes less per node."""
    rows = with_bytes(
        table(np.random.default_rng(0)),
        "GATv2",
        "edge_blocks",
        lambda nodes, edges, block: (640 + 128 * (edges >= 2 * block)) * nodes + 272 * block,
    )
    one = series(rows, policy="edge_blocks")
    assert chosen(one) == "several_blocks"
    fit = fit_form("several_blocks", one.sizes, one.values)
    assert fit.at(one.sizes) == pytest.approx(one.values, rel=1e-6)


def test_what_is_not_listed_is_not_chosen() -> None:
    rows = with_bytes(
        table(np.random.default_rng(0)), "GATv2", "edge_blocks", lambda nodes, _, block: 2500 * nodes + 800 * block
    )
    assert chosen(series(rows, policy="edge_blocks"), ("power", "additive")) in ("power", "additive")


def test_the_leaderboard_names_each_form_its_errors_and_why_one_could_not_be_tried() -> None:
    one = series()
    board = candidates(one, trials(one, FORMS, folds(one.rows)))
    assert [each.form for each in board] == list(FORMS)
    assert [each.form for each in board if each.chosen] == ["additive"]
    for each in board:
        if "blocks" in each.form:
            assert (each.score, each.errors) == (None, [])
            assert each.reason == "its columns cannot be told apart on these graphs"
            continue
        assert [error.place for error in each.errors] == ["densest", "largest"]
        assert each.score == max(error.median_relative_error for error in each.errors)
        assert [(error.level, error.cells) for error in each.errors] == [(128.0, 6), (2000.0, 12)]


def test_a_power_law_loses_where_bytes_add_up() -> None:
    one = series()
    power = next(each for each in trials(one, ("power",), folds(one.rows)))
    assert (power.score or 0) > 0.02
