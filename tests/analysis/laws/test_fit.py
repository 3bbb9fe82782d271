"""Each form gives back the terms that its values were made from; a knee is found where time has one, no more often."""

import numpy as np
import pytest

from gnn_checkpointing.analysis.fitting import Floats
from gnn_checkpointing.analysis.laws.fit import fit_form, knee, why_not_form
from gnn_checkpointing.analysis.laws.series import FORMS, Series, Sizes, matrix
from synthetic.tables import series

TIME = "step_time_seconds"
NODES, DEGREES = np.meshgrid([500.0, 1000.0, 2000.0], [4.0, 8.0, 16.0, 32.0, 64.0, 128.0])
EDGES = (NODES * DEGREES).ravel()
SIZES = Sizes(NODES.ravel(), EDGES, np.minimum(EDGES, 16_000.0))


def values(*terms: float, form: str = "additive") -> Floats:
    found = matrix(FORMS[form], SIZES, 40_000.0) @ np.array(terms)
    return np.exp(found) if FORMS[form].logarithmic else found


@pytest.mark.parametrize(
    ("form", "terms"),
    [
        ("additive", (64.0, 1500.0, 120.0)),
        ("blocks", (64.0, 1200.0, 0.0, 800.0)),
        ("quadratic", (64.0, 1500.0, 120.0, 1e-4)),
        ("power", (np.log(3), 0.5, 0.8)),  # 3 N^0.5 E^0.8
    ],
)
def test_exact_values_give_back_their_terms(form: str, terms: tuple[float, ...]) -> None:
    made = values(*terms, form=form)
    fit = fit_form(form, SIZES, made)
    accuracy = {"rtol": 1e-9} if form == "power" else {"rtol": 1e-6, "atol": 1e-6}
    np.testing.assert_allclose(fit.pieces[0], terms, **accuracy)
    np.testing.assert_allclose(fit.at(SIZES), made)


def test_a_term_that_is_rounding_is_nothing() -> None:
    """700 bytes a node and nothing besides: no edge is left with 1e-13 bytes."""
    fit = fit_form("additive", SIZES, values(0.0, 700.0, 0.0) * (1 + 1e-13 * np.sin(EDGES)))
    assert fit.pieces[0].tolist() == [0.0, pytest.approx(700.0), 0.0]


def test_terms_are_never_negative_whatever_the_values() -> None:
    """1,000 bytes a node less half a byte an edge: the edge's term is 0, as no edge takes memory away."""
    fit = fit_form("additive", SIZES, values(0.0, 1000.0, -0.5))
    assert (fit.pieces >= 0).all()
    assert fit.pieces[0][2] == 0


def test_the_largest_of_two_laws_gives_back_both_and_one_alone() -> None:
    """16 E + 4000 N at one instant, 132 E + 1000 N at another: they meet at degree 3000 / 116 = 26."""
    one, two = values(0.0, 4000.0, 16.0), values(0.0, 1000.0, 132.0)
    fit = fit_form("largest_of_two", SIZES, np.maximum(one, two))
    np.testing.assert_allclose(fit.at(SIZES), np.maximum(one, two), rtol=1e-9)
    np.testing.assert_allclose(fit.at(Sizes.of((10_000, 20_000, None))), 16 * 20_000 + 4000 * 10_000, rtol=1e-6)
    alone = values(64.0, 1500.0, 120.0)
    np.testing.assert_allclose(fit_form("largest_of_two", SIZES, alone).at(SIZES), alone, rtol=1e-9)


def test_a_knee_is_found_between_the_graphs_that_show_it() -> None:
    """An edge costs 1, from 40,000 edges on 3: the next knees that are tried lie at 32,000 and 64,000."""
    fit = fit_form("knee", SIZES, values(0.0, 2.0, 1.0, 2.0, form="knee"))
    assert 25_000 < fit.knee < 64_000
    before, after = fit.pieces[0][2], fit.pieces[0][2] + fit.pieces[0][3]
    assert before == pytest.approx(1, rel=0.15)
    assert after == pytest.approx(3, rel=0.15)


def test_a_second_instant_that_one_level_alone_shows_is_not_made_a_law() -> None:
    """They meet at degree 94: at degree 128 alone, nodes and edges of the second cannot be told apart."""
    both = np.maximum(values(0.0, 4000.0, 100.0), values(0.0, 1000.0, 132.0))
    fit = fit_form("largest_of_two", SIZES, both)
    np.testing.assert_allclose(fit.at(SIZES), fit_form("additive", SIZES, both).at(SIZES), rtol=0.01)
    assert np.abs(fit.at(SIZES) / both - 1).max() < 0.05


@pytest.mark.parametrize(
    ("form", "sizes", "reason"),
    [
        ("blocks", Sizes(SIZES.nodes, SIZES.edges, None), "the records do not tell how large the policy's blocks were"),
        ("blocks", Sizes(SIZES.nodes, SIZES.edges, SIZES.edges), "its columns cannot be told apart on these graphs"),
        (
            "largest_of_two",
            Sizes(SIZES.nodes[:11], SIZES.edges[:11], None),
            "11 cells for 6 parameters, and it wants two cells each",
        ),
    ],
)
def test_a_form_that_cannot_be_fitted_says_why(form: str, sizes: Sizes, reason: str) -> None:
    assert why_not_form(form, sizes) == reason
    assert why_not_form("additive", sizes) is None


def test_relative_weights_let_no_large_graph_drown_the_small_ones() -> None:
    """10 % noise on every cell: the smallest cell's share of the error is that of the largest."""
    generator = np.random.default_rng(3)
    truth = values(2e6, 1500.0, 120.0)
    fits = [
        fit_form("additive", SIZES, truth * (1 + 0.1 * generator.standard_normal(len(truth)))).at(SIZES) / truth
        for _ in range(200)
    ]
    np.testing.assert_allclose(np.mean(fits, axis=0), 1.0, atol=0.02)
    assert np.std(fits, axis=0).max() < 0.1


@pytest.mark.parametrize(
    ("form", "made"),
    [
        ("quadratic", 1e-9 * SIZES.edges**2 + 1e-6 * SIZES.nodes),
        ("power", 1e-6 * SIZES.edges**1.7),
        ("power", 1e-3 * SIZES.edges**1.2 / SIZES.nodes**0.4),
    ],
)
def test_beyond_its_graphs_a_law_rises_and_grows_no_faster_than_they_do(form: str, made: Floats) -> None:
    """Reddit's size was once told 2.7 hours: a square carried on 560 times beyond what it had seen."""
    fit = fit_form(form, SIZES, made)
    for nodes, edges in ((2000.0, 256_000.0), (2000.0, 10**6), (10**5, 256_000.0), (232_965.0, 114_615_892.0)):
        here, more = (fit.at(Sizes.of((factor * nodes, factor * edges, None)))[0] for factor in (1, 2))
        assert here * (1 - 1e-9) <= more <= 2 * here * (1 + 1e-9)
    (densest,) = fit.at(Sizes.of((2000, 256_000, None)))
    (reddit,) = fit.at(Sizes.of((232_965, 114_615_892, None)))
    assert reddit <= densest * 114_615_892 / 256_000 * (1 + 1e-9)


def test_times_that_bend_are_found_to_bend_where_they_do() -> None:
    """From 50,000 edges on each edge costs 4e-7 s more than the 4e-7 s before."""
    one = series(response=TIME)
    bent = [
        row.but(step_time_seconds=row.step_time_seconds + 4e-7 * max(row.num_edges - 50_000, 0)) for row in one.rows
    ]
    found = knee(Series(bent, TIME), 499, np.random.default_rng(1))
    assert found.p_value == 1 / 500
    assert 25_000 < found.num_edges < 100_000
    assert found.per_edge_after / found.per_edge_before == pytest.approx(2, rel=0.25)


def test_straight_times_bend_by_chance_one_time_in_twenty() -> None:
    """200 tables: 5 % give 10 +- 3.1, so between 1 and 20."""
    found = [
        knee(series(response=TIME, noise=0.05, seed=seed), 199, np.random.default_rng(seed)) for seed in range(200)
    ]
    assert 1 <= sum(one is not None and one.p_value <= 0.05 for one in found) <= 20
    assert knee(series(response=TIME).only(list(range(9))), 199, np.random.default_rng(0)) is None
